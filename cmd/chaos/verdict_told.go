package main

import (
	"net/http"
	"strings"

	"github.com/google/uuid"

	"github.com/paysvc/paysvc/internal/payment"
)

// told compares what storefronts were told with the books, with the PSP, and with
// what they were told before.
func (v *verdict) told(e evidence) {
	v.refunded(e)
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

// refunded compares what was given back for parts that were asked for with what
// was asked for, each key once.
func (v *verdict) refunded(e evidence) {
	asked, all := map[string]int64{}, map[string]bool{}
	for _, answers := range e.answers {
		asked[answers[0].order] += answers[0].refund
		all[answers[0].order] = all[answers[0].order] || answers[0].refund == 0 && strings.HasSuffix(answers[0].path, "/refund")
	}
	for id, o := range e.books.orders {
		name := payment.OrderID(id).String()
		var given int64
		for _, t := range v.byOrder[id] {
			given += e.ledger.held(t.Reference).refunded
		}
		if given > asked[name] && !all[name] && !v.released(e, id) {
			v.wrong(doubleRefund, "order %s was asked to give %d back and gave %d", o.Number, asked[name], given)
		}
	}
}

// released tells whether the service gave money of the order back by itself.
func (v *verdict) released(e evidence, id uuid.UUID) bool {
	for _, p := range e.books.payments {
		if p.Order == id && p.Release != "" {
			return true
		}
	}
	return false
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
	if s.status != http.StatusOK && s.status != http.StatusCreated || s.names == "" {
		return
	}
	id, err := payment.ParseOrderID(s.names)
	if _, known := e.books.orders[uuid.UUID(id)]; err != nil || !known {
		v.wrong(lostOrder, "key %s was answered with order %s, which is not in the books", s.key, s.names)
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
	case s.moved == "no" && charged && s.definite() && !v.hasCase(claim.Order) && !e.ledger.givenBack(charge):
		v.wrong(dishonest, "key %s was told %d %s and that no money moved, and it did", s.key, s.status, s.code)
	case s.moved == "no" && charged && s.instant && s.status >= http.StatusBadRequest && charge.At.Before(s.at):
		v.wrong(dishonest, "key %s was told %d %s and that no money moved, after it had", s.key, s.status, s.code)
	}
}

// definite tells an answer that says how an attempt ended.
func (s said) definite() bool { return s.code == "payment_declined" || s.code == "gateway_unavailable" }

// chargeOf finds what the PSP did for a key: what its run announced, or where it
// began payments, those that pay together.
func (v *verdict) chargeOf(e evidence, c claimRow) (operation, bool) {
	together := map[int]bool{c.Payment: true}
	for _, p := range e.books.payments {
		if p.Order == c.Order && p.Tender != 0 && p.Tender == e.books.tenderOf(c) {
			together[p.N] = true
		}
	}
	begins := c.Run == 0
	for _, t := range v.byOrder[c.Order] {
		begins = begins || t.Run == c.Run && t.initial()
	}
	for _, t := range v.byOrder[c.Order] {
		mine := t.Run == c.Run && c.Run != 0 || begins && t.initial() && together[t.Payment]
		if o, there := v.theirs[t.Reference]; mine && there && t.Reference != "" && o.approved() {
			return o, true
		}
	}
	return operation{}, false
}

// tenderOf is the first of the payments that a key's payment belongs to.
func (b *books) tenderOf(c claimRow) int {
	for _, p := range b.payments {
		if p.Order == c.Order && p.N == c.Payment {
			return p.Tender
		}
	}
	return 0
}
