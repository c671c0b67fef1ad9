package payment

import "time"

// Staged is what a stretch adds to the books beside the order itself.
type Staged struct {
	Notes  []Note
	Events []Event
	// Cases are to be opened, unless they were before; CaseEnds has open ones
	// resolved, and Resolved are those that this comes to.
	Cases      []Case
	CaseEnds   []CaseEnd
	Resolved   []Case
	Attributes []Attribute
	// Reservations are values that the order takes for itself.
	Reservations []Reservation
}

// Note is a line in an order's timeline for people.
type Note struct {
	N                 int
	Author            string // system, or the name of a key
	Text              string
	DisplayToCustomer bool
	At                time.Time
}

// Event is a message about a change, written in the same commit as the change.
type Event struct {
	// N numbers the events of the order from 1 without gaps. Together with the order it
	// is the event's ID, which also tells those of cases without an order apart.
	N    int
	Type string
	// Sequence orders the events of all orders; the database gives it.
	Sequence    int64
	Order       OrderID // zero where a case without an order tells of itself
	Number      string
	Payment     int // numbers of what it is about, 0 for none
	Transaction int
	Effect      string
	Case        CaseID // of an event about a case, with its kind
	CaseKind    CaseKind
	Status      string // the new status or state of its subject
	Amount      *Money
	// Actor is who caused it, "" for the service itself, and Source how we know of
	// it: for the audit only.
	Actor  string
	Source string
	At     time.Time
}

// Note stages a line in the timeline.
func (o *Order) Note(at time.Time, author, text string) {
	o.Staged.Notes = append(o.Staged.Notes, Note{N: o.NextNumber(), Author: author, Text: text, At: at})
}

// Emit stages an event; its number, order and time are filled in.
func (o *Order) Emit(e Event, at time.Time) {
	o.Sequence++
	e.N, e.Order, e.Number, e.At, e.Actor, e.Source = o.Sequence, o.ID, o.Number, at, o.Actor, o.Source
	o.Staged.Events = append(o.Staged.Events, e)
}

// announceChange tells the world, and the timeline, that a transaction moved.
func (o *Order) announceChange(p *Payment, t *Transaction, before Status, at time.Time) {
	amount := t.Amount
	o.Emit(Event{
		Type: "transaction." + string(t.State), Payment: p.N, Transaction: t.N, Status: string(t.State), Amount: &amount,
	}, at)
	if t.Type == Refund {
		o.Emit(Event{Type: "refund." + string(t.State), Payment: p.N, Transaction: t.N, Status: string(t.State), Amount: &amount}, at)
	}
	if p.Status != before {
		o.Emit(Event{Type: "payment." + string(p.Status), Payment: p.N, Status: string(p.Status)}, at)
	}
	o.Note(at, "system", describe(p, t))
	o.checkRules(t, at)
}

// checkRules opens the cases that follow from a new state.
func (o *Order) checkRules(t *Transaction, at time.Time) {
	if t.State == Reversed && t.Type != Chargeback { // one that is won back hurts nobody
		o.openCase(CaseReversed, t, at)
	}
	if t.State != Approved {
		return
	}
	brings := t.Type.Initial() || t.Type == Capture
	switch {
	case t.Type == Chargeback:
		o.openCase(CaseChargeback, t, at)
	case brings && o.Saved.Status == OrderCancelled:
		o.openCase(CasePaidAfterCancel, t, at)
	case t.Type.Initial() && t.Parent == 0 && o.Held().Cmp(o.Total) > 0:
		o.openCase(CaseSurplus, t, at)
	}
}

// checkKept opens the case of money that was on its way back and stays after all,
// on top of what has covered the order meanwhile. held is what the order held before.
func (o *Order) checkKept(t *Transaction, held Money, at time.Time) {
	now := o.Held()
	if o.Saved.Status != OrderCancelled && !t.Type.Initial() && t.Type != Capture && now.Cmp(held) > 0 && now.Cmp(o.Total) > 0 {
		o.openCase(CaseSurplus, t, at)
	}
}

// describe is the timeline's sentence about a transaction.
func describe(p *Payment, t *Transaction) string {
	text := typeWords[t.Type] + " of " + t.Amount.String() + " " + t.Amount.Currency().String() + " by " + p.Method +
		" (" + p.Gateway + ") " + stateWords[t.State]
	if t.Reason.Code != "" {
		text += ": " + t.Reason.Code
	}
	return text + "."
}

var typeWords = map[Type]string{
	Authorize: "Authorization", AuthorizeAndCapture: "Payment", Capture: "Capture", Refund: "Refund",
	Void: "Void", Credit: "Credit", Chargeback: "Chargeback",
}

var stateWords = map[State]string{
	Sending: "is being sent", NotSent: "did not reach the PSP", Unknown: "has an unknown outcome",
	ActionRequired: "waits for the shopper", Pending: "is pending", Declined: "was declined",
	Approved: "was approved", Reversed: "was reversed",
}
