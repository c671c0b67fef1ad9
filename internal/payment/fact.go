package payment

import "time"

// Source tells where a fact came from.
type Source string

// The sources of facts.
const (
	SourceAnswer       Source = "answer"       // the PSP's answer to our call, or the lack of one
	SourceNotification Source = "notification" // a verified webhook or IPN
	SourceInquiry      Source = "inquiry"      // the PSP's answer to our question
	SourceGateway      Source = "gateway"      // a gateway that decides without a PSP
	SourceOperator     Source = "operator"     // a person
)

// Fact is what somebody says about a transaction. Facts are the only way that
// money state changes, whoever brings them.
type Fact struct {
	Source Source
	// Reference is our reference of the transaction that the fact is about, or of
	// the one that it acts upon when Type and GatewayReference name something that
	// the PSP began by itself.
	Reference string
	// Type is the type of the transaction; "" means the one that Reference names.
	Type Type
	// GatewayReference is the PSP's name for the transaction, where it told. What
	// the PSP began by itself is known by nothing else: facts of one type and name
	// are about one thing, and a gateway whose PSP names nothing makes a name up,
	// the same each time.
	GatewayReference string
	State            State
	// Amount, Account and Mode are what the PSP says it acted upon; the zero
	// values mean that it did not say. What it says must be what was asked. Of
	// something that the PSP began by itself, saying no amount is saying all of it.
	Amount     *Money
	Account    string
	Mode       Mode
	Reason     Reason
	NextAction *NextAction
	// Details are what the payment may keep of what the shopper entered.
	Details map[string]string
	// CaptureBefore is until when the PSP keeps the money reserved, where it told.
	CaptureBefore time.Time
	// At is when it happened by the PSP's clock; zero when it did not say.
	At time.Time
	// Verdict is what a person decided of a case, which says what the fact is about;
	// nil for what nobody had to decide.
	Verdict *Verdict
}

// Finding is what became of a fact.
type Finding struct {
	Payment     *Payment
	Transaction *Transaction
	Source      Source // who brought it
	// Before is the state that the transaction had, and Changed whether the fact
	// moved it.
	Before  State
	Changed bool
	// Mismatch tells that the fact says another amount, currency, account or mode
	// than was asked.
	Mismatch bool
}

// ErrUnknownReference is returned for a fact about no transaction of the order.
var ErrUnknownReference = NotFound("a transaction of this reference")

// Record is the one transition function: it works a fact into the order's money
// state. Any order and any repetition of a set of facts ends in the same state.
// A fact that breaks a rule is recorded all the same and opens a case.
func (o *Order) Record(f Fact, at time.Time) (Finding, error) {
	p, t, err := o.about(f, at)
	if err != nil {
		return Finding{}, err
	}
	finding := Finding{Payment: p, Transaction: t, Source: f.Source, Before: t.State}
	differences := differences(p, t, f)
	for _, kind := range differences {
		o.openConflict(kind, t, f, at)
	}
	finding.Mismatch = len(differences) > 0
	t.reword(f)
	state := evidence(t, f, finding.Mismatch)
	before, held := p.Status, o.Held()
	var moved []*Transaction
	for _, alike := range p.namesakes(t) {
		if alike.State.CanBecome(state) {
			alike.settle(f, state, at)
			moved = append(moved, alike)
		}
	}
	if t.GatewayReference == "" && f.GatewayReference != "" {
		t.GatewayReference = f.GatewayReference
		t.change = t.change.touched()
		if differing, adopted := p.adopt(t, at); adopted {
			moved = append(moved, t)
			if differing != nil {
				o.openConflict(CaseAmountMismatch, t, Fact{Amount: differing}, at)
			}
		}
	}
	p.follow(t, at)
	p.promised(f, at)
	p.act(t, f, state, len(moved) > 0)
	p.keep(f.Details)
	finding.Changed = t.State != finding.Before
	if len(moved) == 0 && t.change != Added {
		return finding, nil
	}
	for _, held := range p.derive() {
		o.openCase(p.whyHeld(held), held, at)
	}
	p.wind(at)
	cause := o.Source
	o.Source = string(f.Source)
	for _, x := range moved {
		o.announceChange(p, x, before, at)
	}
	o.checkKept(t, held, at)
	if p.Status != before {
		o.breakTender(p, at)
	}
	o.stallTender(p, at)
	if finding.Changed {
		o.seeToRest(p, t, at)
	}
	p.endRelease(at)
	o.endCases(p, moved, at)
	o.Source = cause
	return finding, nil
}

// evidence is the state that a fact speaks for. Of money that moved, but not as
// it was asked, nobody knows anything until a person says; that it was reserved
// where it was to be taken is less than was asked; and a word that is not in the
// graph says only that something left us.
func evidence(t *Transaction, f Fact, differs bool) State {
	switch {
	case !f.State.Known() || f.State == Sending:
		return Unknown
	case differs && (f.State == Approved || f.State == Reversed):
		return Unknown
	case f.State == Approved && f.Type == Authorize && t.Type == AuthorizeAndCapture:
		return Pending
	}
	return f.State
}

// reword makes a payment that nothing was taken of yet a reservation, where an
// operator says that this is all that it is.
func (t *Transaction) reword(f Fact) {
	if f.Source == SourceOperator && f.Type == Authorize && t.Type == AuthorizeAndCapture && t.State.Open() {
		t.Type = Authorize
		t.change = t.change.touched()
	}
}

// settle moves the transaction along an edge of the graph.
func (t *Transaction) settle(f Fact, state State, at time.Time) {
	t.State, t.Reason = state, f.Reason
	if state.Open() {
		t.DueAt = at.Add(InquiryDelay(t.Reference, t.Inquiries))
	} else {
		t.SettledAt, t.DueAt = at, time.Time{}
	}
	if t.Reference == "" || f.Source == SourceGateway {
		t.DueAt = time.Time{} // there is nobody to ask
	}
	t.change = t.change.touched()
}

// act keeps what the shopper has to do: what was told together with the state
// that the payment is in, while that is open. What a gateway without a PSP says
// stays while the money is only reserved: it is still to come.
func (p *Payment) act(t *Transaction, f Fact, state State, moved bool) {
	switch {
	case !t.Type.Initial():
	case moved:
		p.NextAction = nil
		if state.Open() || f.Source == SourceGateway {
			p.NextAction = f.NextAction // derive takes it away with the last of the money
		}
	case t.State == state && state.Open() && p.NextAction == nil && f.NextAction != nil:
		p.NextAction = f.NextAction
		p.change = p.change.touched()
	}
}
