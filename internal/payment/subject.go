package payment

import (
	"slices"
	"time"
)

// subject finds the transaction that a fact is about. What a PSP did by itself
// (a refund from its dashboard, a chargeback) becomes a transaction here: one for
// each amount that it ever told of it, of which only the smallest counts.
func (o *Order) subject(f Fact, at time.Time) (*Payment, *Transaction) {
	p, named := o.TransactionByReference(f.Reference)
	switch {
	case named == nil, f.Type == "", f.Type == named.Type, f.Type.Initial() && named.Type.Initial():
		// Where the PSP reports a sale and we asked for an authorization, or the other
		// way round, it is the same exchange under its own word.
		return p, named
	case f.Type.Initial():
		return p, p.Initial()
	}
	amount := claimed(f, named)
	var alike *Transaction
	for _, t := range p.Transactions {
		if t.Type != f.Type || t.GatewayReference != f.GatewayReference || t.Reference != "" && f.GatewayReference == "" {
			continue
		}
		if t.Reference != "" || t.Amount.Equal(amount) {
			return p, t
		}
		alike = t
	}
	happened := f.At
	if happened.IsZero() {
		happened = at
	}
	t := &Transaction{
		N: o.NextNumber(), Type: f.Type, State: Unknown, Amount: amount, GatewayReference: f.GatewayReference,
		Parent: named.N, CreatedAt: happened, change: Added,
	}
	if alike != nil {
		t.State, t.Reason, t.SettledAt = alike.State, alike.Reason, alike.SettledAt
	}
	p.Transactions = append(p.Transactions, t)
	return p, t
}

// claimed is the amount that a fact gives to something that the PSP began.
func claimed(f Fact, named *Transaction) Money {
	zero := Zero(named.Amount.Currency())
	if f.Amount == nil || f.Amount.Currency() != zero.Currency() || f.Amount.Cmp(zero) < 0 {
		return named.Amount
	}
	return *f.Amount
}

// namesakes returns t and the transactions that stand for other amounts of the
// same thing: what is known of one is known of all.
func (p *Payment) namesakes(t *Transaction) []*Transaction {
	if t.Reference != "" {
		return []*Transaction{t}
	}
	var alike []*Transaction
	for _, other := range p.Transactions {
		if other.sameThing(t) {
			alike = append(alike, other)
		}
	}
	return alike
}

// sameThing tells whether both stand for one thing that the PSP began by itself.
func (t *Transaction) sameThing(other *Transaction) bool {
	return t.Reference == "" && other.Reference == "" && t.Type == other.Type && t.GatewayReference == other.GatewayReference
}

// adopt takes over what was known of a transaction under the PSP's name alone,
// before we learnt that it is t. That other record stays, and counts no more;
// differing is its amount where that is not what was asked.
func (p *Payment) adopt(t *Transaction, at time.Time) (differing *Money, adopted bool) {
	for _, twin := range p.Transactions {
		if !twin.isTwinOf(t) {
			continue
		}
		state := twin.State
		if !twin.Amount.Equal(t.Amount) {
			state, differing = Unknown, &twin.Amount
		}
		adopted = true
		if t.State.CanBecome(state) {
			t.settle(Fact{Reason: twin.Reason}, state, at)
		}
	}
	return differing, adopted
}

// follow lets the records that t stands for come to its state: nobody asks about
// them, and nothing that was decided may look as though it were under way.
func (p *Payment) follow(t *Transaction, at time.Time) {
	for _, twin := range p.Transactions {
		if twin.isTwinOf(t) && twin.State.Open() && twin.State.CanBecome(t.State) {
			twin.settle(Fact{Reason: t.Reason}, t.State, at)
		}
	}
}

// isTwinOf tells of a record of what the PSP seemed to have begun that it is about
// ours, under the PSP's name.
func (t *Transaction) isTwinOf(ours *Transaction) bool {
	return t.Reference == "" && t.GatewayReference != "" &&
		ours.Reference != "" && ours.Type == t.Type && ours.GatewayReference == t.GatewayReference
}

// superseded tells of a record that one of ours stands for.
func (p *Payment) superseded(t *Transaction) bool {
	return slices.ContainsFunc(p.Transactions, t.isTwinOf)
}

// differences compares what a fact claims with what was asked.
func differences(p *Payment, t *Transaction, f Fact) []CaseKind {
	var kinds []CaseKind
	if f.Account != "" && f.Account != p.Account {
		kinds = append(kinds, CaseAccountMismatch)
	}
	if f.Mode != "" && f.Mode != p.Mode {
		kinds = append(kinds, CaseModeMismatch)
	}
	switch {
	case f.Amount == nil:
	case f.Amount.Currency() != t.Amount.Currency():
		kinds = append(kinds, CaseCurrencyMismatch)
	case !f.Amount.Equal(t.Amount):
		kinds = append(kinds, CaseAmountMismatch)
	}
	return kinds
}

// whyHeld says why a transaction is kept out of the sums.
func (p *Payment) whyHeld(t *Transaction) CaseKind {
	if slices.ContainsFunc(p.namesakes(t), func(other *Transaction) bool { return other.Amount.Cmp(t.Amount) < 0 }) {
		return CaseAmountMismatch
	}
	return CaseOverLimit
}
