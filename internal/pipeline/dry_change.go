package pipeline

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// TrialChange is one thing that a run changes. What is new has no From. The kinds are
// order, payment, transaction, effect, attribute, case, reservation, event, note
// and redirect.
type TrialChange struct {
	Kind string
	// Subject is what of this kind: "status" of the order, the key of an effect.
	Subject  string
	From, To string
}

// Name says what is changed: "order status".
func (c TrialChange) Name() string { return strings.TrimSpace(c.Kind + " " + c.Subject) }

// Text says how it is changed, for people: "pending → processing".
func (c TrialChange) Text() string {
	if c.From == "" {
		return c.To
	}
	return c.From + " → " + cmp.Or(c.To, "nothing")
}

// changesBetween lists how the books of an order differ, in an order that does
// not depend on chance.
func changesBetween(before, after *payment.Order) []TrialChange {
	d := changeList{order: after}
	d.progress(before, after)
	d.money(before, after)
	d.effects(before, after)
	d.staged(before, after)
	return d.changes
}

// changeList collects changes.
type changeList struct {
	order   *payment.Order
	changes []TrialChange
}

// differs adds a change where two values are not the same.
func (d *changeList) differs(kind, subject, from, to string) {
	if from != to {
		d.changes = append(d.changes, TrialChange{Kind: kind, Subject: subject, From: from, To: to})
	}
}

func (d *changeList) progress(before, after *payment.Order) {
	b, a := before.Saved, after.Saved
	d.differs("order", "status", string(b.Status), string(a.Status))
	d.differs("order", "payment_status", string(before.PaymentStatus()), string(after.PaymentStatus()))
	d.differs("order", "placed_at", date(b.PlacedAt), date(a.PlacedAt))
	d.differs("order", "paid_at", date(b.PaidAt), date(a.PaidAt))
	d.differs("order", "cancelled_at", date(b.CancelledAt), date(a.CancelledAt))
	d.differs("order", "cancel_reason", b.CancelReason, a.CancelReason)
	d.differs("order", "review", string(before.Review), string(after.Review))
}

func date(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format(time.RFC3339)
}

// money compares payments and transactions. New ones are named by what they are:
// their numbers follow from whatever else was staged before them.
func (d *changeList) money(before, after *payment.Order) {
	for _, p := range after.Payments {
		was, id := before.Payment(p.N), payment.PaymentID{Order: after.ID, N: p.N}.String()
		if was == nil {
			d.differs("payment", p.Method, "", string(p.Status)+", "+charge(p))
		} else {
			d.differs("payment", id, string(was.Status), string(p.Status))
			d.differs("payment", id+" fee", amount(was.Fee), amount(p.Fee))
			d.differs("payment", id+" next_action", action(was.NextAction), action(p.NextAction))
		}
		for _, t := range p.Transactions {
			d.transaction(was, t)
		}
	}
}

func (d *changeList) transaction(of *payment.Payment, t *payment.Transaction) {
	if of != nil {
		for _, was := range of.Transactions {
			if was.N == t.N {
				id := payment.TransactionID{Order: d.order.ID, N: t.N}.String()
				d.differs("transaction", id, string(was.State), string(t.State))
				return
			}
		}
	}
	d.differs("transaction", string(t.Type), "", string(t.State)+", "+amount(t.Amount))
}

func charge(p *payment.Payment) string {
	text := amount(p.Amount)
	if !p.Fee.IsZero() {
		text += " and a fee of " + amount(p.Fee)
	}
	return text
}

func amount(m payment.Money) string { return m.String() + " " + m.Currency().String() }

func action(n *payment.NextAction) string {
	if n == nil {
		return ""
	}
	return n.Type
}

func (d *changeList) effects(before, after *payment.Order) {
	for _, key := range slices.Sorted(maps.Keys(after.Effects)) {
		state := ""
		if was := before.Effects[key]; was != nil {
			state = string(was.State)
		}
		d.differs("effect", key, state, string(after.Effects[key].State))
	}
}

// staged lists what is added to the books, but for what was staged before.
func (d *changeList) staged(before, after *payment.Order) {
	added := after.Staged
	for _, a := range added.Attributes[len(before.Staged.Attributes):] {
		d.differs("attribute", a.Key, string(before.Attributes[a.Key].Value), string(a.Value))
	}
	for _, c := range added.Cases[len(before.Staged.Cases):] {
		d.differs("case", string(c.Kind), "", c.Detail)
	}
	for _, r := range added.Reservations[len(before.Staged.Reservations):] {
		d.differs("reservation", r.Scope, "", r.Value)
	}
	for _, e := range added.Events[len(before.Staged.Events):] {
		d.changes = append(d.changes, TrialChange{Kind: "event", Subject: e.Type, To: e.Status})
	}
	for _, n := range added.Notes[len(before.Staged.Notes):] {
		d.differs("note", n.Author, "", n.Text)
	}
}
