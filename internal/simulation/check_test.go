package simulation

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// check compares our books with the PSP's ledger, once all is over. What it says
// is the verdict of the history.
func (h *history) check() {
	b := h.readBooks()
	h.checkLedger(b)
	for _, o := range b.orders {
		h.checkOrder(b, o)
		for _, p := range o.payments {
			h.checkSums(p)
			h.checkClosed(p)
		}
	}
	h.checkNotifications(b)
	h.checkWork(b)
	h.checkEvents(b)
	h.checkAnswers(b)
}

// ours tells of a reference that we made, and not the PSP.
func ours(reference string) bool { return len(reference) == 20 && !strings.Contains(reference, "_") }

// checkLedger: every effect at the PSP is in our books, once, as it is (I2, I11,
// I22), and what we say of it is so (I7, I9).
func (h *history) checkLedger(b *books) {
	known := map[string]entry{}
	for _, e := range h.ledger {
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
				if _, booked := known[t.Reference]; p.Gateway == "sandbox" && t.Reference != "" && !booked && t.State != "not_sent" {
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
	account := map[string]string{"one": "psp", "two": "psp-two"}[e.Account]
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
	for _, other := range t.payment.transactions {
		if other.Gateway == e.ID && (e.Currency != t.payment.order.Currency || other.Amount == minor(e.Amount, e.Currency)) {
			return
		}
	}
	if h.told(e) {
		h.violate("I11", "the PSP told us of its %s of %s %s, and it is not in our books", e.Operation, e.Amount, e.Payment)
	}
}

// told tells whether a notification that we have acknowledged speaks of an entry.
func (h *history) told(e entry) bool {
	return slices.ContainsFunc(h.thanked, func(d delivery) bool { return bytes.Contains(d.body, []byte(e.ID)) })
}

// tally is what the PSP did for an order, as it was asked.
type tally struct {
	charged, taken int64 // for the order; what was charged and is released counts as far as it is still held
	held           int64 // and not given back
	flipped, wrong bool
}

func (h *history) tally(o *bookOrder) tally {
	var all tally
	for _, p := range o.payments {
		var charged, taken, voided, refunded int64
		if p.Gateway != "sandbox" {
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
			case "capture":
				taken += amount
			case "void":
				voided += amount
			case "refund":
				refunded += amount
			}
		}
		all.held += charged - voided - refunded
		if p.Release != "" {
			charged, taken = charged-voided-refunded, taken-refunded
		}
		all.charged, all.taken = all.charged+charged, all.taken+taken
	}
	return all
}

// checkOrder: one charge (I1), and paid is earned (I4).
func (h *history) checkOrder(_ *books, o *bookOrder) {
	all := h.tally(o)
	charged, taken, flipped, wrong := all.charged, all.taken, all.flipped, all.wrong
	late := o.has(0, "surplus", "paid_after_cancel")
	if charged > o.Total && !(flipped && late) {
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
	if p.Gateway != "sandbox" || len(p.transactions) == 0 {
		return
	}
	var captured, refunded, voided int64
	for _, e := range h.ledger {
		if e.Payment != p.transactions[0].Reference || e.State != "approved" || e.Currency != p.order.Currency {
			continue
		}
		switch amount := minor(e.Amount, e.Currency); e.Operation {
		case "charge", "capture":
			captured += amount
		case "refund", "chargeback":
			refunded += amount
		case "void":
			voided += amount
		}
	}
	if p.Captured > captured || p.Refunded > refunded || p.Voided > voided {
		h.violate("I22", "payment %d of %s: we have %d captured, %d refunded, %d voided, and the PSP %d, %d, %d", p.N, p.order.Number,
			p.Captured, p.Refunded, p.Voided, captured, refunded, voided)
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
		if c.Key != x.key || c.Body == nil {
			continue
		}
		if c.Status != x.status || !bytes.Equal(c.Body, x.body) {
			h.violate("I8", "%s of %s was answered with %d %s, and %d %s is kept", x.path, x.key, x.status, x.body, c.Status, c.Body)
		}
	}
}

// checkHonest: an answer to a payment is compared with what the PSP did.
func (h *history) checkHonest(b *books, x *exchange) {
	charged := h.chargedFor(b, x)
	switch {
	case x.status == http.StatusPaymentRequired, x.status == http.StatusServiceUnavailable && x.said.MoneyMoved == "no":
		for _, e := range charged {
			if !h.flipped[e.Reference] && !h.returned(b, e) {
				h.violate("I9", "%s was told that no money moved (%d %s), and the PSP has %s", x.who, x.status, x.said.Code, e.Reference)
			}
		}
	case x.status == http.StatusOK && x.said.MoneyMoved == "yes" && len(charged) == 0 && !h.offline(b, x):
		h.violate("I9", "%s was told that money moved, and the PSP has none", x.who)
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
func (h *history) chargedFor(b *books, x *exchange) []entry {
	var all []entry
	for _, t := range paymentOf(b, x) {
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
		if t.payment.Gateway != "sandbox" {
			return true
		}
	}
	return false
}
