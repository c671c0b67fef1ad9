package moments

import (
	"context"
	"fmt"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// comparing is a comparison under way.
type comparing struct {
	*Service

	account *settings.Account
	lister  gateways.Lister
	of      *payment.Comparison // how far it is
}

// step does one page, and tells whether it was the last. A page that is done again
// after a crash changes nothing.
func (c *comparing) step(ctx context.Context) (done bool, err error) {
	if c.of.Phase == payment.Checking {
		return c.check(ctx)
	}
	from, to := c.of.Listed()
	facts, next, err := c.lister.List(ctx, from, to, c.of.Cursor)
	if err != nil {
		return false, err
	}
	if err := c.compare(ctx, inquired(facts)); err != nil {
		return false, err
	}
	return false, c.of.Turn(next)
}

// compare looks up a page of what the PSP lists.
func (c *comparing) compare(ctx context.Context, facts []payment.Fact) error {
	known, err := c.counterparts(ctx, facts)
	if err != nil {
		return err
	}
	var seen []payment.TransactionID
	var orphans []payment.Case
	for _, f := range facts {
		siblings := known[f.Reference]
		switch {
		case len(siblings) == 0:
			orphans = append(orphans, c.orphan(f))
			continue
		case siblings[0].Account != nameOf(c.account):
			continue // another account of ours has the same at its PSP: it is compared there
		}
		if agreed := agreeing(siblings, f); agreed != nil {
			seen = append(seen, agreed.ID)
			continue
		}
		id, recorded, err := c.record(ctx, siblings[0].ID.Order, f)
		if err != nil {
			return err
		}
		if seen = append(seen, id); recorded {
			c.of.Tally.Recorded++
		}
	}
	if err := c.Comparisons.KeepSeen(ctx, c.of.Run, seen); err != nil {
		return err
	}
	c.of.Tally.Listed += len(facts)
	c.of.Tally.Orphans += len(orphans)
	return c.Comparisons.OpenCases(ctx, orphans)
}

// counterparts finds the payments that facts name, by the references.
func (c *comparing) counterparts(ctx context.Context, facts []payment.Fact) (map[string][]payment.Counterpart, error) {
	known, references := make(map[string][]payment.Counterpart), []string(nil)
	for _, f := range facts {
		if _, asked := known[f.Reference]; !asked && f.Reference != "" {
			known[f.Reference] = nil
			references = append(references, f.Reference)
		}
	}
	found, err := c.Comparisons.Counterparts(ctx, references)
	for _, t := range found {
		known[t.Named] = append(known[t.Named], t)
	}
	return known, err
}

// agreeing returns the transaction that a fact is about, where both say the same.
func agreeing(all []payment.Counterpart, f payment.Fact) *payment.Counterpart {
	for i := range all {
		if all[i].IsSubject(f) && all[i].Agrees(f) {
			return &all[i]
		}
	}
	return nil
}

// record lets confirm decide on what the PSP lists and the books do not say, and
// returns the transaction that it is about. What is no news changes nothing.
func (c *comparing) record(ctx context.Context, order payment.OrderID, f payment.Fact) (payment.TransactionID, bool, error) {
	o, err := c.Orders.ReadOrder(ctx, c.of.Store, order)
	if err != nil {
		return payment.TransactionID{}, false, err
	}
	news := c.news(ctx, o, []payment.Fact{f})
	if news {
		if err := c.learn(ctx, o, []payment.Fact{f}, nil); err != nil {
			return payment.TransactionID{}, false, fmt.Errorf("record what the PSP lists for %s: %w", order, err)
		}
		if o, err = c.Orders.ReadOrder(ctx, c.of.Store, order); err != nil {
			return payment.TransactionID{}, false, err
		}
	}
	finding, err := o.Record(f, c.Now()) // in memory only: which one it is about
	if err != nil {
		return payment.TransactionID{}, false, err
	}
	return payment.TransactionID{Order: order, N: finding.Transaction.N}, news, nil
}

// orphan is the case of an operation that fits nothing here. It is the same case
// whenever the operation is listed again.
func (c *comparing) orphan(f payment.Fact) payment.Case {
	name := f.GatewayReference
	if name == "" {
		name = f.Reference
	}
	what := string(f.Type)
	if what == "" {
		what = "payment"
	}
	return payment.Case{
		ID: payment.CaseID(c.IDs.New()), Store: c.of.Store, Kind: payment.CaseReconciliation,
		Subject: c.of.Account + "/" + what + "/" + name, OpenedAt: c.Now(), Amount: f.Amount,
		Detail: "The PSP of account " + c.of.Account + " lists something (" + what + ", " + name + amountOf(f) +
			") that fits nothing here.",
	}
}

func amountOf(f payment.Fact) string {
	if f.Amount == nil {
		return ""
	}
	return ", " + f.Amount.String() + " " + f.Amount.Currency().String()
}
