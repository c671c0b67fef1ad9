package main

import (
	"github.com/google/uuid"
)

// orders looks at each order as a whole.
func (v *verdict) orders(e evidence) {
	placed := int64(0)
	for id, o := range e.books.orders {
		var taken held
		begun := 0
		for _, t := range v.byOrder[id] {
			if !t.initial() {
				continue
			}
			h := e.ledger.held(t.Reference)
			taken.authorized += h.authorized
			taken.captured += h.captured
			taken.refunded += h.refunded
			taken.voided += h.voided
			if h.authorized > 0 {
				begun++
			}
		}
		v.charged(e, id, o, taken, begun)
		v.earned(e, id, o, taken)
		if o.Status == "processing" || o.Status == "complete" {
			placed++
		}
		if n := e.books.paidEvents[id]; n > 1 {
			v.wrong(wrongEffect, "order %s was told to be paid %d times", o.Number, n)
		}
	}
	if gone := e.stocked - e.books.stock; gone != e.books.deducted {
		v.wrong(wrongEffect, "%d articles are gone for %d deductions", gone, e.books.deducted)
	}
	if e.books.deducted < placed {
		v.wrong(wrongEffect, "%d orders are placed and %d articles deducted", placed, e.books.deducted)
	}
}

// charged finds what was taken or reserved beyond what the order costs. What came
// too much and is given back by the service itself, or is before a person, is
// known; it is counted apart.
func (v *verdict) charged(e evidence, id uuid.UUID, o orderRow, taken held, begun int) {
	if taken.authorized-taken.voided <= o.Total {
		return
	}
	surplus := false
	for _, p := range e.books.payments {
		if p.Order == id && p.Release != "" {
			taken.authorized -= p.Refunded // what is not given back yet is unresolved
			surplus = surplus || p.Release == "surplus" || p.Release == "paid_after_cancel"
		}
	}
	switch {
	case taken.authorized-taken.voided <= o.Total:
		if surplus { // else it was a part of several payments of which another one failed
			v.counts["charged twice, given back"]++
		}
	case v.hasCase(id, "surplus", "paid_after_cancel"):
		v.counts["surplus, with a case"]++
	default:
		v.wrong(doubleCharge, "order %s over %d was charged %d times, %d in all", o.Number, o.Total, begun, taken.authorized-taken.voided)
	}
}

// earned compares what the order says of its money with what the PSP has.
func (v *verdict) earned(e evidence, id uuid.UUID, o orderRow, taken held) {
	enough := true
	switch o.PaymentStatus {
	case "paid":
		enough = taken.captured >= o.Total
	case "authorized":
		enough = taken.authorized-taken.voided >= o.Total
	case "partially_paid", "partially_refunded":
		enough = taken.captured > taken.refunded
	case "refunded":
		enough = taken.captured > 0
	}
	placed := o.Status == "processing" || o.Status == "complete"
	if !enough || placed && taken.authorized < o.Total {
		v.wrong(unearned, "order %s over %d is %s and %s, and the PSP has %+v", o.Number, o.Total, o.Status, o.PaymentStatus, taken)
	}
	if o.PaymentStatus == "pending" && taken.captured-taken.refunded >= o.Total && !v.hasCase(id) && !v.open(id) {
		v.wrong(contradiction, "order %s is pending, and the PSP has taken all of it", e.books.orders[id].Number)
	}
}

func (v *verdict) open(order uuid.UUID) bool {
	for _, t := range v.byOrder[order] {
		if t.open() {
			return true
		}
	}
	return false
}

// notifications looks for those that an instance said to have, and has not.
func (v *verdict) notifications(e evidence) {
	for _, a := range e.acked {
		n, kept := e.books.notifications[a.event]
		switch {
		case !kept:
			v.wrong(lostNotification, "%s was acknowledged and is not in the books", a.event)
		case n.Body != a.body:
			v.wrong(lostNotification, "%s was acknowledged and is in the books with another content", a.event)
		}
	}
	for _, n := range e.books.notifications {
		v.counts["notifications "+n.State]++
	}
	for range e.accepted {
		v.wrong(forgery, "a notification with a wrong signature was accepted")
	}
}
