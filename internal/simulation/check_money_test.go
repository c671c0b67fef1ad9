package simulation

import (
	"fmt"
	"slices"
	"strings"
)

// tally is what the PSP did for an order, as it was asked.
type tally struct {
	// for the order; what was charged and is released counts as far as it is still held,
	// and what was given back before the order was covered not at all
	charged, taken int64
	held           int64 // with what was reserved beyond that, as a merchant asked; and not given back
	stayed         int64 // of it, what a failed refund was to give back before the order was covered
	flipped, wrong bool
}

func (h *history) tally(o *bookOrder) tally {
	var all tally
	for _, p := range o.payments {
		var charged, more, taken, voided, refunded int64
		if !p.hasLedger() {
			charged, taken, voided, refunded = p.Authorized, p.Captured, p.Voided, p.Refunded
		}
		for _, e := range h.ledger {
			if e.State != "approved" || len(p.transactions) == 0 || e.Payment != p.transactions[0].Reference {
				continue
			}
			amount := minor(e.Amount, e.Currency)
			first := e.Operation == "charge" || e.Operation == "authorize"
			if e.Currency != o.Currency || first && amount != p.transactions[0].Amount {
				all.wrong = all.wrong || first
				continue
			}
			all.flipped = all.flipped || h.flipped[e.Reference]
			switch e.Operation {
			case "charge":
				charged, taken = charged+amount, taken+amount
			case "authorize":
				charged += amount
			case "increase":
				more += amount
			case "capture":
				taken += amount
			case "void":
				voided += amount
			case "refund":
				refunded += amount
			}
		}
		held := charged + more - voided - refunded
		all.held += held
		if p.Release != "" {
			charged, taken = max(0, min(charged, held)), taken-refunded
		} else {
			voidedBefore, refundedBefore := p.before("approved")
			charged, taken = max(0, min(charged, charged+more-voidedBefore-refundedBefore)), taken-refundedBefore
		}
		voiding, refunding := p.before("declined", "not_sent")
		all.stayed += voiding + refunding
		all.charged, all.taken = all.charged+charged, all.taken+taken
	}
	return all
}

// before is what was given back of a payment before its order was covered, or was to be,
// as far as that ended in one of some states: that much is due once more as long as it
// is given back or may be, so it may be charged again.
func (p *bookPayment) before(states ...string) (voided, refunded int64) {
	o := p.order
	for _, t := range p.transactions {
		switch {
		case !slices.Contains(states, t.State) || t.Held || o.CoveredN > 0 && t.N > o.CoveredN:
		case t.Type == "void":
			voided += t.Amount
		case t.Type == "refund", t.Type == "credit", t.Type == "chargeback":
			refunded += t.Amount
		}
	}
	return voided, refunded
}

// checkOrder: one charge (I1), and paid is earned (I4).
func (h *history) checkOrder(_ *books, o *bookOrder) {
	all := h.tally(o)
	charged, taken, flipped, wrong := all.charged, all.taken, all.flipped, all.wrong
	late := o.has(0, "surplus", "paid_after_cancel")
	if more := charged - o.Total; more > 0 && (!flipped && more > all.stayed || !late) {
		h.violate("I1", "order %s costs %d and was charged %d", o.Number, o.Total, charged)
	}
	if charged > 0 && o.Status == "pending" && charged >= o.Total {
		h.violate("I4", "order %s costs %d, was charged %d, and is %s", o.Number, o.Total, charged, o.Status)
	}
	shop := h.shopOf(o)
	if o.Status == "cancelled" && all.held > 0 && len(o.cases) == 0 && !shop.kept {
		h.violate("I9", "order %s is cancelled, the PSP holds %d of it, and nobody is called", o.Number, all.held)
	}
	if shop.returned && all.held > 0 && len(o.cases) == 0 {
		h.violate("I13", "order %s was cancelled and its money is to be given back, and the PSP holds %d", o.Number, all.held)
	}
	if o.PaymentStatus == "paid" && taken < o.Total {
		h.violate("I4", "order %s costs %d, the PSP took %d, and it is %s: %s", o.Number, o.Total, taken, o.PaymentStatus, o)
	}
	if (o.Status == "processing" || o.Status == "complete" || o.PaymentStatus == "authorized") && charged < o.Total {
		h.violate("I4", "order %s costs %d, has %d, and is %s and %s", o.Number, o.Total, charged, o.Status, o.PaymentStatus)
	}
	if wrong && !o.has(0, mismatches...) {
		h.violate("I4", "order %s has money that was not asked for, and nobody is called", o.Number)
	}
}

// checkClosed: no more money in our books than at the PSP (I22).
func (h *history) checkClosed(p *bookPayment) {
	if !p.hasLedger() || len(p.transactions) == 0 {
		return
	}
	var authorized, captured, refunded, voided int64
	for _, e := range h.ledger {
		if e.Payment != p.transactions[0].Reference || e.State != "approved" || e.Currency != p.order.Currency {
			continue
		}
		switch amount := minor(e.Amount, e.Currency); e.Operation {
		case "charge":
			authorized, captured = authorized+amount, captured+amount
		case "authorize", "increase":
			authorized += amount
		case "capture":
			captured += amount
		case "refund", "chargeback":
			refunded += amount
		case "void":
			voided += amount
		}
	}
	if p.Authorized > authorized || p.Captured > captured || p.Refunded > refunded || p.Voided > voided {
		h.violate("I22", "payment %d of %s: we have %d reserved, %d captured, %d refunded, %d voided, and the PSP %d, %d, %d, %d", p.N,
			p.order.Number, p.Authorized, p.Captured, p.Refunded, p.Voided, authorized, captured, refunded, voided)
	}
}

// String says what the books have of the order's money.
func (o *bookOrder) String() string {
	var b strings.Builder
	for _, p := range o.payments {
		fmt.Fprintf(&b, " [%d %s %s %d release=%q", p.N, p.Method, p.Status, p.Amount, p.Release)
		for _, t := range p.transactions {
			fmt.Fprintf(&b, " %s %s %d", t.Type, t.State, t.Amount)
		}
		b.WriteString("]")
	}
	return b.String()
}

// shopOf is the order as its shop knows it.
func (h *history) shopOf(o *bookOrder) *shopOrder {
	for _, shop := range h.orders {
		if shop.name == o.Number {
			return shop
		}
	}
	return &shopOrder{}
}

// checkSums: the sums of a payment are those of its transactions, within bounds (I5).
func (h *history) checkSums(p *bookPayment) {
	var authorized, captured, refunded, voided int64
	for _, t := range p.transactions {
		if t.State != "approved" || t.Held {
			continue
		}
		switch t.Type {
		case "authorize":
			authorized += t.Amount
		case "authorize_and_capture":
			authorized, captured = authorized+t.Amount, captured+t.Amount
		case "capture":
			captured += t.Amount
		case "refund", "credit", "chargeback":
			refunded += t.Amount
		case "void":
			voided += t.Amount
		}
	}
	if authorized != p.Authorized || captured != p.Captured || refunded != p.Refunded || voided != p.Voided {
		h.violate("I5", "payment %d of %s: the sums are %d %d %d %d, and the transactions say %d %d %d %d", p.N, p.order.Number,
			p.Authorized, p.Captured, p.Refunded, p.Voided, authorized, captured, refunded, voided)
	}
	if refunded < 0 || refunded > captured || captured+voided > authorized {
		h.violate("I5", "payment %d of %s: %d authorized, %d captured, %d refunded, %d voided", p.N, p.order.Number,
			authorized, captured, refunded, voided)
	}
}
