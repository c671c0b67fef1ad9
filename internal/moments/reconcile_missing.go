package moments

import (
	"context"
	"errors"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// check looks at what moved money by our books and was not on the PSP's list. The
// PSP is asked about each: it may have listed it at another time. It tells whether
// none is left.
func (c *comparing) check(ctx context.Context) (done bool, err error) {
	missing, err := c.Comparisons.Unseen(ctx, nameOf(c.account), *c.of, unseenMax)
	if err != nil {
		return false, err
	}
	for _, m := range missing {
		if err := c.unlisted(ctx, m); err != nil {
			return false, err
		}
		if err := c.Comparisons.KeepSeen(ctx, c.of.Run, []payment.TransactionID{m.ID}); err != nil {
			return false, err
		}
	}
	return len(missing) < unseenMax, nil
}

// unlisted asks about one. Where the PSP cannot be asked, or does not know it, a
// person has to look.
func (c *comparing) unlisted(ctx context.Context, m payment.Counterpart) error {
	o, err := c.Orders.ReadOrder(ctx, c.of.Store, m.ID.Order)
	if err != nil {
		return err
	}
	p, t := o.Transaction(m.ID.N)
	facts, err := c.askByName(ctx, p, t)
	switch {
	case errors.Is(err, gateways.ErrNotFound), errors.Is(err, errNobodyToAsk):
		return c.missing(ctx, o, m)
	case err != nil:
		return err
	case c.news(ctx, o, facts):
		c.of.Tally.Recorded++
		return c.learn(ctx, o, facts, nil)
	case !tells(facts, m):
		return c.missing(ctx, o, m)
	}
	return nil
}

// askByName asks about a transaction, or about the one that began the payment where
// the PSP did it by itself.
func (c *comparing) askByName(ctx context.Context, p *payment.Payment, t *payment.Transaction) ([]payment.Fact, error) {
	inquirer, ok := c.account.Gateway.(gateways.Inquirer)
	if !ok {
		return nil, errNobodyToAsk
	}
	if t.Reference == "" {
		t = p.Initial()
	}
	facts, err := inquirer.Inquire(ctx, inquiryOf(p, t))
	return inquired(facts), err
}

// tells whether one of the facts is about the transaction and says the same.
func tells(facts []payment.Fact, m payment.Counterpart) bool {
	for _, f := range facts {
		if m.IsSubject(f) && m.Agrees(f) {
			return true
		}
	}
	return false
}

// missing opens the case of a transaction that the PSP knows nothing of.
func (c *comparing) missing(ctx context.Context, o *payment.Order, m payment.Counterpart) error {
	c.of.Tally.Missing++
	return c.change(ctx, o, func(o *payment.Order, at time.Time) {
		p, t := o.Transaction(m.ID.N)
		amount := t.Amount
		o.OpenCase(payment.Case{
			Kind: payment.CaseReconciliation, Payment: p.N, Transaction: t.N, Amount: &amount, OpenedAt: at,
			Detail: "The books say that this moved money, and the PSP of account " + c.of.Account + " does not know of it.",
		})
	})
}
