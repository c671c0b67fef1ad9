package payment

import (
	"maps"
	"slices"
	"time"
)

// News tells whether facts would change what the books say of the order. It
// changes nothing itself. A difference that is reported again is none while the
// order is held for review.
func (o *Order) News(facts []Fact, at time.Time) bool {
	trial := *o
	trial.Staged = Staged{}
	trial.Payments = make([]*Payment, len(o.Payments))
	for i, p := range o.Payments {
		trial.Payments[i] = p.untouched()
	}
	for _, f := range facts {
		finding, err := trial.Record(f, at)
		if finding.Changed || err != nil && o.Review == "" {
			return true
		}
	}
	for _, p := range trial.Payments {
		if p.touched() {
			return true
		}
	}
	return len(trial.Staged.Cases) > 0 && o.Review == ""
}

// untouched returns a copy of the payment as if it had just been loaded.
func (p *Payment) untouched() *Payment {
	c := *p
	c.change = Unchanged
	c.Details = maps.Clone(p.Details)
	if p.Release != nil {
		c.Release = new(*p.Release)
	}
	c.Transactions = make([]*Transaction, len(p.Transactions))
	for i, t := range p.Transactions {
		c.Transactions[i] = new(*t)
		c.Transactions[i].change = Unchanged
	}
	return &c
}

// touched tells whether anything of the payment changed since it was loaded.
func (p *Payment) touched() bool {
	return p.change != Unchanged || slices.ContainsFunc(p.Transactions, func(t *Transaction) bool { return t.change != Unchanged })
}
