package simulation

import "strings"

// typesOf are our words for what the PSP did.
var typesOf = map[string]string{
	"charge": "authorize_and_capture", "authorize": "authorize", "capture": "capture", "refund": "refund", "void": "void",
}

// accountsOf are our names of accounts, by those that a ledger has.
var accountsOf = map[string]string{"one": "psp", "two": "psp-two", "gift-card": "gift-card"}

// checkNights: once the books were compared with what the PSP lists, what only the
// PSP knows is a case, and nothing else is one: there is no difference where none is
// (I11).
func (h *history) checkNights(b *books) {
	if !h.compared {
		return
	}
	called, strange := map[string]int{}, map[string]int{}
	for _, c := range b.cases {
		if c.Kind != "reconciliation_difference" {
			continue
		}
		if c.Order != "" {
			h.violate("I11", "transaction %d of order %s is said to be missing at the PSP", c.Transaction, c.Order)
			continue
		}
		called[c.Subject[:strings.LastIndex(c.Subject, "/")]]++
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
