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
	// GatewayReference is the PSP's name for the transaction, where it told.
	GatewayReference string
	State            State
	// Amount, Account and Mode are what the PSP says it acted upon; the zero
	// values mean that it did not say. What it says must be what was asked.
	Amount     *Money
	Account    string
	Mode       Mode
	Reason     Reason
	NextAction *NextAction
	// At is when it happened by the PSP's clock; zero when it did not say.
	At time.Time
}

// Finding is what became of a fact.
type Finding struct {
	Payment     *Payment
	Transaction *Transaction
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
	p, t := o.subject(f, at)
	if t == nil {
		return Finding{}, ErrUnknownReference
	}
	finding := Finding{Payment: p, Transaction: t, Before: t.State}
	state := f.State
	if kind, differs := mismatch(p, t, f); differs {
		finding.Mismatch = true
		state = withoutMoney(state)
		o.openCase(kind, t, at)
	}
	before := p.Status
	if t.State.CanBecome(state) {
		t.settle(f, state, at)
		finding.Changed = true
	}
	if t.GatewayReference == "" && f.GatewayReference != "" {
		t.GatewayReference = f.GatewayReference
		t.change = t.change.touched()
	}
	if !finding.Changed {
		return finding, nil
	}
	p.act(t, f)
	p.derive()
	o.announceChange(p, t, before, at)
	return finding, nil
}

// subject finds the transaction that a fact is about. What a PSP did by itself
// (a refund from its dashboard, a chargeback) becomes a transaction here, once.
func (o *Order) subject(f Fact, at time.Time) (*Payment, *Transaction) {
	p, named := o.TransactionByReference(f.Reference)
	if named == nil || f.Type == "" || f.Type == named.Type {
		return p, named
	}
	for _, t := range p.Transactions {
		if t.Type == f.Type && f.GatewayReference != "" && t.GatewayReference == f.GatewayReference {
			return p, t
		}
	}
	if f.Type.Initial() {
		// The PSP reports a sale where we asked for an authorization, or the other
		// way round: the same exchange under its own word.
		return p, named
	}
	amount := named.Amount
	if f.Amount != nil && f.Amount.Currency() == o.Currency {
		amount = *f.Amount
	}
	happened := f.At
	if happened.IsZero() {
		happened = at
	}
	t := &Transaction{
		N: o.NextNumber(), Type: f.Type, State: Sending, Amount: amount, GatewayReference: f.GatewayReference,
		Parent: named.N, CreatedAt: happened, change: Added,
	}
	p.Transactions = append(p.Transactions, t)
	return p, t
}

// mismatch compares what a fact claims with what was asked.
func mismatch(p *Payment, t *Transaction, f Fact) (CaseKind, bool) {
	switch {
	case f.Account != "" && f.Account != p.Account:
		return CaseAccountMismatch, true
	case f.Mode != "" && f.Mode != p.Mode:
		return CaseModeMismatch, true
	case f.Amount == nil:
		return "", false
	case f.Amount.Currency() != t.Amount.Currency():
		return CaseCurrencyMismatch, true
	case !f.Amount.Equal(t.Amount):
		return CaseAmountMismatch, true
	}
	return "", false
}

// withoutMoney is the state of a transaction of which a fact says that money
// moved, but other money than was asked: nobody knows, until a person says.
func withoutMoney(s State) State {
	if s == Approved || s == Reversed {
		return Unknown
	}
	return s
}

// settle moves the transaction along an edge of the graph.
func (t *Transaction) settle(f Fact, state State, at time.Time) {
	t.State = state
	if f.Reason != (Reason{}) || state == Approved {
		t.Reason = f.Reason
	}
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

// act keeps what the shopper has to do for as long as there is something to do.
func (p *Payment) act(t *Transaction, f Fact) {
	if !t.Type.Initial() {
		return
	}
	switch {
	case f.NextAction != nil && t.State.Open():
		p.NextAction = f.NextAction
	case t.State != ActionRequired && t.State != Pending:
		p.NextAction = nil
	}
}
