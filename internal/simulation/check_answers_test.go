package simulation

import (
	"bytes"
	"net/http"
	"strings"
)

// checkAnswers: what clients were told is so for ever (I9), and the same each time
// (I8).
func (h *history) checkAnswers(b *books) {
	executed := map[string]*exchange{} // by key: the request that it belongs to
	for _, x := range h.answers {
		if x.key == "" {
			continue
		}
		at := x.path + " " + x.key
		if x.final() {
			if was := executed[at]; was != nil && !bytes.Equal(was.sent, x.sent) {
				h.violate("I8", "%s: %s was executed with %s, and with %s", x.path, x.key, was.sent, x.sent)
			}
			if was := executed[at]; was != nil && !bytes.Equal(was.body, x.body) {
				h.violate("I8", "%s of %s was answered with %s, and with %s", x.path, x.key, was.body, x.body)
			}
			executed[at] = x
			h.checkKept(b, x)
		}
		if strings.HasSuffix(x.path, "/pay") {
			h.checkHonest(b, x)
		}
	}
}

// final tells of an answer that says what became of the request.
func (x *exchange) final() bool {
	return x.status == http.StatusOK || x.status == http.StatusCreated || x.status == http.StatusPaymentRequired
}

// checkKept: where an answer is kept for a key, it is the only one that anybody got.
func (h *history) checkKept(b *books, x *exchange) {
	for _, c := range b.claims {
		if c.Key != x.key || c.Body == nil || x.path == "/v1/gift-cards" { // it is kept sealed
			continue
		}
		if c.Status != x.status || !bytes.Equal(c.Body, x.body) {
			h.violate("I8", "%s of %s was answered with %d %s, and %d %s is kept", x.path, x.key, x.status, x.body, c.Status, c.Body)
		}
	}
}

// checkHonest: an answer to a payment is compared with what the PSP did.
func (h *history) checkHonest(b *books, x *exchange) {
	charged, beside := h.chargedFor(b, x), h.chargedBeside(b, x)
	switch {
	case x.status == http.StatusPaymentRequired, x.status == http.StatusServiceUnavailable && x.said.MoneyMoved == "no":
		for _, e := range charged {
			if !h.flipped[e.Reference] && !h.returned(b, e) {
				h.violate("I9", "%s was told that no money moved (%d %s), and the PSP has %s", x.who, x.status, x.said.Code, e.Reference)
			}
		}
	case x.status == http.StatusOK && x.said.MoneyMoved == "yes" && len(charged)+len(beside) == 0 && !h.offline(b, x):
		h.violate("I9", "%s was told that money moved, and the PSP has none", x.who)
	case x.status == http.StatusOK && x.said.MoneyMoved == "no" && len(beside) > 0:
		h.violate("I9", "%s was told that no money moved, and the PSP has %s, which pays together with it", x.who, beside[0].Reference)
	}
}

// returned tells of a charge that is late truth, and was given back without
// anybody's asking.
func (h *history) returned(b *books, e entry) bool {
	t := b.transactions[e.Reference]
	if t == nil || t.payment.Release == "" {
		return false
	}
	held := t.Amount
	for _, back := range h.ledger {
		if back.Payment == e.Reference && back.State == "approved" && (back.Operation == "refund" || back.Operation == "void") {
			held -= minor(back.Amount, back.Currency)
		}
	}
	return held <= 0
}

// chargedFor returns what the PSP has approved for the payment of a request.
func (h *history) chargedFor(b *books, x *exchange) []entry { return h.approved(paymentOf(b, x)) }

// chargedBeside returns what the PSP has approved for those that pay together with
// the payment of a request.
func (h *history) chargedBeside(b *books, x *exchange) []entry {
	var all []entry
	for _, t := range paymentOf(b, x) {
		for _, p := range t.payment.order.payments {
			if p != t.payment && p.Tender != 0 && p.Tender == t.payment.Tender {
				all = append(all, h.approved(p.transactions)...)
			}
		}
	}
	return all
}

// approved returns the charges of transactions in the PSP's ledger.
func (h *history) approved(transactions []*bookTransaction) []entry {
	var all []entry
	for _, t := range transactions {
		for _, e := range h.ledger {
			if e.Reference == t.Reference && e.State == "approved" && (e.Operation == "charge" || e.Operation == "authorize") {
				all = append(all, e)
			}
		}
	}
	return all
}

// paymentOf returns the transactions of the payment that a key has begun.
func paymentOf(b *books, x *exchange) []*bookTransaction {
	for _, c := range b.claims {
		if c.Key != x.key {
			continue
		}
		for _, o := range b.orders {
			for _, p := range o.payments {
				if o.ID == c.Order && p.N == c.Payment {
					return p.transactions
				}
			}
		}
	}
	return nil
}

func (h *history) offline(b *books, x *exchange) bool {
	for _, t := range paymentOf(b, x) {
		if !t.payment.hasLedger() {
			return true
		}
	}
	return false
}
