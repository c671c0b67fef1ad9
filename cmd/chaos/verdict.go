package main

import (
	"fmt"
	"slices"

	"github.com/google/uuid"
)

// What must not happen. Each is counted, and each count must be 0.
const (
	doubleCharge     = "double charges"
	lostNotification = "lost notifications"
	unresolved       = "unresolved after the horizon"
	orphanEffect     = "effects at the PSP without a transaction"
	sentTwice        = "requests sent twice"
	contradiction    = "states that contradict the PSP's ledger"
	wrongSum         = "sums that contradict the PSP's ledger"
	doubleRefund     = "refunds of more than was asked"
	unearned         = "orders that look paid and are not"
	lostOrder        = "answers that are not in the books"
	changedAnswer    = "repeats that got other bytes"
	dishonest        = "answers that lied about money"
	forgery          = "forged notifications accepted"
	wrongEffect      = "stock or events not once for each order"
)

// wrongs lists them as they are printed, the three of the promise first.
func wrongs() []string {
	return []string{
		doubleCharge, lostNotification, unresolved, orphanEffect, sentTwice, contradiction, wrongSum, doubleRefund, unearned,
		lostOrder, changedAnswer, dishonest, forgery, wrongEffect,
	}
}

// evidence is all that the verdict looks at.
type evidence struct {
	books    *books
	ledger   ledger
	sent     map[string]int // requests that move money, as the PSP received them, by reference
	acked    []acknowledgement
	answers  map[string][]said // by idempotency key, in order
	accepted int               // forged notifications
	stocked  int64             // of the article, at the beginning
}

// verdict is what was found wrong, and how often what went well.
type verdict struct {
	found    map[string][]string // by what is wrong, in words
	counts   map[string]int
	byOrder  map[uuid.UUID][]transactionRow
	byOurs   map[string]transactionRow // by our reference
	byTheirs map[string]bool           // references of the PSP that the books know
	theirs   map[string]operation      // what the PSP did, by the reference that it was given
	cased    map[uuid.UUID][]string    // kinds of cases
}

func (v *verdict) wrong(what, format string, args ...any) {
	v.found[what] = append(v.found[what], fmt.Sprintf(format, args...))
}

func (v *verdict) clean() bool { return len(v.found) == 0 }

// judge compares what the PSP did, what the service has written down, and what
// it told.
func judge(e evidence) *verdict {
	v := &verdict{
		found: map[string][]string{}, counts: map[string]int{}, byOrder: map[uuid.UUID][]transactionRow{},
		byOurs: map[string]transactionRow{}, byTheirs: map[string]bool{}, cased: map[uuid.UUID][]string{},
		theirs: map[string]operation{},
	}
	for _, operations := range e.ledger {
		for _, o := range operations {
			v.theirs[o.Reference] = o
		}
	}
	for _, t := range e.books.transactions {
		v.byOrder[t.Order] = append(v.byOrder[t.Order], t)
		if t.Reference != "" {
			v.byOurs[t.Reference] = t
		}
		v.byTheirs[t.GatewayReference] = true
	}
	for _, c := range e.books.cases {
		v.cased[c.Order] = append(v.cased[c.Order], c.Kind)
	}
	v.counts["cases"] = len(e.books.cases)
	v.effects(e)
	v.transactions(e)
	v.sums(e)
	v.orders(e)
	v.notifications(e)
	v.told(e)
	for _, what := range e.books.unfinished {
		v.wrong(unresolved, "%s", what)
	}
	return v
}

// effects looks for what the PSP did that nobody asked for, or asked for twice.
func (v *verdict) effects(e evidence) {
	for reference, operations := range e.ledger {
		if _, known := v.byOurs[reference]; !known {
			v.wrong(orphanEffect, "%s %s is %s at the PSP and in no order", operations[0].Kind, reference, operations[0].State)
		}
		for _, o := range operations[1:] {
			_, ours := v.byOurs[o.Reference]
			if !ours && !v.byTheirs[o.ID] && o.approved() {
				v.wrong(orphanEffect, "%s %s of payment %s is not in the books", o.Kind, o.Reference, reference)
			}
			if o.approved() {
				v.counts[o.Kind+"s"]++
			}
		}
		if operations[0].approved() {
			v.counts[operations[0].Kind+"s"]++
		}
	}
	for reference, times := range e.sent {
		if times > 1 {
			v.wrong(sentTwice, "%s reached the PSP %d times", reference, times)
		}
		if _, known := v.byOurs[reference]; !known {
			v.wrong(orphanEffect, "%s was sent to the PSP and is in no order", reference)
		}
	}
}

// transactions compares the state of each with what the PSP says of it.
func (v *verdict) transactions(e evidence) {
	for _, t := range e.books.transactions {
		if t.Reference == "" {
			continue // the PSP began it: that it is known is all there is to say
		}
		o, there := v.theirs[t.Reference]
		if v.agree(t, o, there) {
			continue
		}
		state := "not there"
		if there {
			state = o.State
		}
		v.wrong(contradiction, "%s %s of order %s is %s in the books and %s at the PSP",
			t.Type, t.Reference, e.books.orders[t.Order].Number, t.State, state)
	}
}

// agree tells whether a state of ours fits one of theirs. What is open is not
// settled yet, which is counted elsewhere; a person has to look at what is held.
func (v *verdict) agree(t transactionRow, o operation, there bool) bool {
	if t.open() {
		return true
	}
	switch t.State {
	case "approved":
		return there && o.approved() && (o.minor == t.Amount || v.hasCase(t.Order))
	case "reversed":
		return v.hasCase(t.Order)
	}
	// Declined, or never sent: it must not have moved money, and not be able to.
	return !there || o.State == "declined" || o.State == "cancelled" || o.State == "expired"
}

func (v *verdict) hasCase(order uuid.UUID, kinds ...string) bool {
	if len(kinds) == 0 {
		return len(v.cased[order]) > 0
	}
	return slices.ContainsFunc(v.cased[order], func(kind string) bool { return slices.Contains(kinds, kind) })
}

// held is what the PSP holds and has taken under one reference.
type held struct{ authorized, captured, refunded, voided int64 }

func (l ledger) held(reference string) (h held) {
	for _, o := range l[reference] {
		if !o.approved() {
			continue
		}
		switch o.Kind {
		case "charge":
			h.authorized += o.minor
			h.captured += o.minor
		case "authorize":
			h.authorized += o.minor
		case "capture":
			h.captured += o.minor
		case "refund":
			h.refunded += o.minor
		case "void":
			h.voided += o.minor
		}
	}
	return h
}

// sums compares the sums of each payment with the PSP's. Where a person has to
// look, or nothing is known yet, they may differ.
func (v *verdict) sums(e evidence) {
	for _, p := range e.books.payments {
		var theirs held
		open := false
		for _, t := range v.byOrder[p.Order] {
			if t.Payment != p.N {
				continue
			}
			open = open || t.open()
			if t.initial() {
				h := e.ledger.held(t.Reference)
				theirs.authorized += h.authorized
				theirs.captured += h.captured
				theirs.refunded += h.refunded
				theirs.voided += h.voided
			}
		}
		ours := held{p.Authorized, p.Captured, p.Refunded, p.Voided}
		if ours != theirs && !open && !v.hasCase(p.Order) {
			v.wrong(wrongSum, "payment %d of order %s has %+v in the books and %+v at the PSP",
				p.N, e.books.orders[p.Order].Number, ours, theirs)
		}
	}
}
