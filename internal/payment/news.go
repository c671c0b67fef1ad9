package payment

import (
	"maps"
	"slices"
	"time"
)

// News tells whether facts would change what the books say of the order, and which
// cases they are about, new or not. It changes nothing itself.
func (o *Order) News(facts []Fact, at time.Time) (changed bool, cases []Case) {
	trial := *o
	trial.Staged = Staged{}
	trial.Payments = make([]*Payment, len(o.Payments))
	for i, p := range o.Payments {
		trial.Payments[i] = p.untouched()
	}
	for _, f := range facts {
		finding, err := trial.Record(f, at)
		if err != nil {
			trial.OpenCase(Case{Kind: CaseOrphan, Subject: f.Reference})
		}
		changed = changed || finding.Changed
	}
	for _, p := range trial.Payments {
		changed = changed || p.touched()
	}
	return changed, trial.Staged.Cases
}

// Unheard tells of cases whether one of them says what no known one said.
func Unheard(cases, known []Case) bool {
	return slices.ContainsFunc(cases, func(c Case) bool { return !slices.ContainsFunc(known, c.repeats) })
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
