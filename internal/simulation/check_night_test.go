package simulation

import (
	"slices"
	"strings"
)

// difference is the kind of case that a comparison opens.
const difference = "reconciliation_difference"

// typesOf are our words for what the PSP did.
var typesOf = map[string]string{
	"charge": "authorize_and_capture", "authorize": "authorize", "capture": "capture", "refund": "refund", "void": "void",
}

// accountsOf are our names of accounts, by those that a ledger has.
var accountsOf = map[string]string{"one": "psp", "two": "psp-two", "gift-card": "gift-card"}

// checkNights: once the books were compared with what the PSP lists, what only one of
// them has is a case, and nothing else is one: there is no difference where none is
// (I11).
func (h *history) checkNights(b *books) {
	if !h.compared {
		return
	}
	h.checkStrange(b)
	for _, o := range b.orders {
		for _, p := range o.payments {
			for _, t := range p.transactions {
				h.checkMissing(t)
			}
		}
	}
}

// checkMissing: what counts in our books and the PSP does not have is a case: a refund
// that it only told of. Nothing is one that it has.
func (h *history) checkMissing(t *bookTransaction) {
	o := t.payment.order
	moved, said := t.State == "approved" && t.payment.Gateway == "sandbox", o.has(t.N, difference)
	switch there := slices.ContainsFunc(h.ledger, t.is); {
	case said && (there || !moved):
		h.violate("I11", "transaction %d of order %s is said to be missing at the PSP", t.N, o.ID)
	case moved && !there && !said && !t.Held: // of what is held there is a case already
		h.violate("I11", "transaction %d of order %s is not at the PSP, and nobody is called", t.N, o.ID)
	}
}

// is tells whether the PSP has the transaction as our books have it, under our name or
// its own.
func (t *bookTransaction) is(e entry) bool {
	named := e.Reference == t.Reference
	if t.Reference == "" {
		named = e.ID == t.Gateway && typesOf[e.Operation] == t.Type
	}
	p := t.payment
	return named && e.State == "approved" && e.Payment == p.transactions[0].Reference && accountsOf[e.Account] == p.Account &&
		e.Currency == p.order.Currency && minor(e.Amount, e.Currency) == t.Amount
}

// checkStrange: there are as many cases without an order as there is that the PSP has
// and nobody here knows.
func (h *history) checkStrange(b *books) {
	called, strange := map[string]int{}, map[string]int{}
	for _, c := range b.cases {
		if c.Kind == difference && c.Order == "" {
			called[c.Subject[:strings.LastIndex(c.Subject, "/")]]++
		}
	}
	for _, e := range h.ledger {
		if h.strangers[e.Payment] && e.State == "approved" {
			strange[accountsOf[e.Account]+"/"+typesOf[e.Operation]]++
		}
	}
	for what, n := range strange {
		if called[what] != n {
			h.violate("I11", "the PSP has %d of %s that nobody here knows, and %d cases are open", n, what, called[what])
		}
	}
	for what, n := range called {
		if strange[what] == 0 {
			h.violate("I11", "%d cases of %s say that the PSP has what we do not, and it has nothing", n, what)
		}
	}
}
