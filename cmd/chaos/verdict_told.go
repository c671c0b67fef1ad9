package main

import (
	"net/http"

	"github.com/google/uuid"

	"github.com/paysvc/paysvc/internal/payment"
)

// told compares what storefronts were told with the books, with the PSP, and with
// what they were told before.
func (v *verdict) told(e evidence) {
	for key, answers := range e.answers {
		v.repeats(key, answers)
		for _, s := range answers {
			if s.broken {
				continue
			}
			v.durable(e, s)
			v.honest(e, s)
		}
	}
}

// repeats compares the answers under one key. All that were replayed are one and
// the same, and so is the first one where no earlier try went astray: that one
// was made when the request was carried out.
func (v *verdict) repeats(key string, answers []said) {
	var kept *said
	if answers[0].final() {
		kept = &answers[0]
	}
	for i := range answers {
		s := &answers[i]
		switch {
		case s.broken || !s.replayed:
			continue
		case kept == nil:
			kept = s
		case s.hash != kept.hash || s.status != kept.status:
			v.wrong(changedAnswer, "key %s got %d and then another %d", key, kept.status, s.status)
		}
	}
}

// durable checks that what was answered with success is in the books.
func (v *verdict) durable(e evidence, s said) {
	if s.status != http.StatusOK && s.status != http.StatusCreated || s.order == "" {
		return
	}
	id, err := payment.ParseOrderID(s.order)
	if _, known := e.books.orders[uuid.UUID(id)]; err != nil || !known {
		v.wrong(lostOrder, "key %s was answered with order %s, which is not in the books", s.key, s.order)
	}
	if _, known := e.books.claims[s.key]; !known {
		v.wrong(lostOrder, "key %s was answered and is not in the books", s.key)
	}
}

// honest checks what an answer says about money with what its own payment did.
func (v *verdict) honest(e evidence, s said) {
	claim, known := e.books.claims[s.key]
	if !known || s.moved == "" || s.moved == "unknown" {
		return
	}
	charge, charged := v.chargeOf(e, claim)
	switch {
	case s.moved == "yes" && !charged:
		v.wrong(dishonest, "key %s was told that money moved, and none did", s.key)
	case s.moved == "no" && charged && s.definite() && !v.hasCase(claim.Order):
		v.wrong(dishonest, "key %s was told %d %s and that no money moved, and it did", s.key, s.status, s.code)
	case s.moved == "no" && charged && s.instant && s.status >= http.StatusBadRequest && charge.At.Before(s.at):
		v.wrong(dishonest, "key %s was told %d %s and that no money moved, after it had", s.key, s.status, s.code)
	}
}

// definite tells an answer that says how an attempt ended.
func (s said) definite() bool { return s.code == "payment_declined" || s.code == "gateway_unavailable" }

// chargeOf finds the charge or authorization that a key's payment made.
func (v *verdict) chargeOf(e evidence, c claimRow) (operation, bool) {
	for _, t := range v.byOrder[c.Order] {
		if t.Payment != c.Payment || !t.initial() {
			continue
		}
		if operations := e.ledger[t.Reference]; len(operations) > 0 && operations[0].approved() {
			return operations[0], true
		}
	}
	return operation{}, false
}
