package simulation

import (
	"bytes"
	"slices"
	"strings"
)

// check compares our books with the PSP's ledger, once all is over. What it says
// is the verdict of the history.
func (h *history) check() {
	b := h.readBooks()
	h.readCards(b)
	h.checkCards(b)
	h.checkLedger(b)
	for _, o := range b.orders {
		h.checkOrder(b, o)
		for _, p := range o.payments {
			h.checkSums(p)
			h.checkClosed(p)
		}
	}
	h.checkNotifications(b)
	h.checkNights(b)
	h.checkWork(b)
	h.checkEvents(b)
	h.checkDeliveries(b)
	h.checkAnswers(b)
}

// ours tells of a reference that we made, and not the PSP.
func ours(reference string) bool { return len(reference) == 20 && !strings.Contains(reference, "_") }

// checkLedger: every effect at the PSP is in our books, once, as it is (I2, I11,
// I22), and what we say of it is so (I7, I9).
func (h *history) checkLedger(b *books) {
	known := map[string]entry{}
	for _, e := range h.ledger {
		if h.strangers[e.Payment] {
			continue
		}
		if !ours(e.Reference) {
			h.checkForeign(b, e)
			continue
		}
		known[e.Reference] = e
		t := b.transactions[e.Reference]
		if t == nil {
			h.violate("I2", "the PSP has %s %s %s, and we have nothing of it", e.Operation, e.Reference, e.State)
			continue
		}
		h.checkAgreement(t, e)
	}
	for _, o := range b.orders {
		for _, p := range o.payments {
			for _, t := range p.transactions {
				// What the PSP refuses to do with a payment it does not write down.
				refused := t.State == "declined" && (t != p.transactions[0] || p.Gateway == "gift-card")
				if _, booked := known[t.Reference]; p.hasLedger() && t.Reference != "" && !booked && t.State != "not_sent" && !refused {
					h.violate("I9", "we say that %s is %s, and the PSP does not have it", t.Reference, t.State)
				}
			}
		}
	}
}

// mismatches are the cases of money that is not as it was asked.
var mismatches = []string{"amount_mismatch", "currency_mismatch", "account_mismatch", "mode_mismatch"}

// checkAgreement: the transaction and the PSP's entry say the same.
func (h *history) checkAgreement(t *bookTransaction, e entry) {
	o := t.payment.order
	asked := e.Currency == o.Currency && minor(e.Amount, e.Currency) == t.Amount
	account := accountsOf[e.Account]
	if account != t.payment.Account {
		h.violate("I4", "%s was made with the account %s, and was asked of %s", t.Reference, account, t.payment.Account)
	}
	if !asked && e.State == "approved" {
		if t.State == "approved" {
			h.violate("I4", "%s is approved, and the PSP has %s %s instead of %d", t.Reference, e.Amount, e.Currency, t.Amount)
		}
		if !o.has(t.N, mismatches...) {
			h.violate("I4", "%s: the PSP has %s %s instead of %d, and nobody is called", t.Reference, e.Amount, e.Currency, t.Amount)
		}
		return
	}
	agrees := map[string][]string{
		"approved":        {"approved", "reversed"},
		"declined":        {"declined", "not_sent"},
		"cancelled":       {"declined", "not_sent"},
		"expired":         {"declined", "not_sent"},
		"action_required": {"action_required"},
		"pending":         {"pending"},
	}[e.State]
	if !slices.Contains(agrees, t.State) && !o.has(t.N, mismatches...) {
		h.violate("I10", "%s %s is %s in our books and %s at the PSP", t.Type, t.Reference, t.State, e.State)
	}
}

// checkForeign: what the PSP did by itself is in our books too.
func (h *history) checkForeign(b *books, e entry) {
	t := b.transactions[e.Payment]
	if t == nil || e.State != "approved" {
		return
	}
	booked := 0
	for _, other := range t.payment.transactions {
		if other.Gateway == e.ID && (e.Currency != t.payment.order.Currency || other.Amount == minor(e.Amount, e.Currency)) {
			booked++
		}
	}
	if booked > 1 {
		h.violate("I3", "the PSP's %s of %s %s is in our books %d times", e.Operation, e.Amount, e.Payment, booked)
	}
	if booked > 0 {
		return
	}
	if h.compared || h.told(e) {
		h.violate("I11", "the PSP told us of its %s of %s %s, and it is not in our books", e.Operation, e.Amount, e.Payment)
	}
}

// told tells whether a notification that we have acknowledged speaks of an entry.
func (h *history) told(e entry) bool {
	return slices.ContainsFunc(h.thanked, func(d delivery) bool { return bytes.Contains(d.body, []byte(e.ID)) })
}

// checkNotifications: what was acknowledged is durable, and applied, or somebody is
// called (I3).
func (h *history) checkNotifications(b *books) {
	for _, d := range h.thanked {
		i := slices.IndexFunc(b.notifications, func(n bookNotification) bool {
			return (n.Event == d.event || strings.HasPrefix(n.Event, d.event+"#")) && bytes.Equal(n.Body, d.body)
		})
		if i < 0 {
			h.violate("I3", "notification %s was acknowledged, and is not in the books", d.event)
			continue
		}
		n := b.notifications[i]
		called := slices.ContainsFunc(b.cases, func(c bookCase) bool {
			return c.Order != "" && c.Order == n.Order || c.Kind == "orphan_notification" || c.Kind == "rejected_notification"
		})
		if n.State != "applied" && !called {
			h.violate("I3", "notification %s is %s, and nobody is called", d.event, n.State)
		}
	}
}

// checkWork: nothing is left undone without anybody knowing (I10).
func (h *history) checkWork(b *books) {
	for _, o := range b.orders {
		for _, p := range o.payments {
			for _, t := range p.transactions {
				if t.State == "sending" || t.State == "unknown" && !o.has(t.N, mismatches...) {
					h.violate("I10", "%s %s of %s is still %s", t.Type, t.Reference, o.Number, t.State)
				}
			}
		}
	}
	for _, r := range b.runs {
		if r.State == "calling" || r.Due {
			h.violate("I10", "run %d (%s) is %s: %s", r.N, r.Pipeline, r.State, r.Error)
		}
	}
	var counted int64
	for _, e := range b.effects {
		if e.State != "done" && e.State != "undone" {
			h.violate("I10", "effect %s is %s", e.Key, e.State)
		}
		if e.Kind == "track_promotion_code" && e.State == "done" {
			counted++
		}
	}
	if counted != b.promotions {
		h.violate("effects", "the promotion code was counted %d times and %d orders have it", b.promotions, counted)
	}
}

// checkEvents: every change has its event, in the order's own sequence (I12).
func (h *history) checkEvents(b *books) {
	for _, o := range b.orders {
		last := 0
		said := map[string]bool{}
		for _, e := range b.events {
			if e.Order != o.ID {
				continue
			}
			if e.N != last+1 {
				h.violate("I12", "event %d of %s follows %d", e.N, o.Number, last)
			}
			last = e.N
			said[e.Type] = true
		}
		if last != o.Sequence {
			h.violate("I12", "order %s counts %d events and has %d", o.Number, o.Sequence, last)
		}
		for status, event := range map[string]string{"processing": "order.processing", "cancelled": "order.cancelled"} {
			if o.Status == status && !said[event] {
				h.violate("I12", "order %s is %s without an event", o.Number, status)
			}
		}
		for _, p := range o.payments {
			if p.Status != "pending" && !said["payment."+p.Status] {
				h.violate("I12", "payment %d of %s is %s without an event", p.N, o.Number, p.Status)
			}
		}
	}
}
