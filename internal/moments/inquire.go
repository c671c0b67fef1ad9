package moments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Inquire asks the PSP what became of a transaction that is open, and lets
// confirm decide on the answer. An answer that says nothing new writes only when
// to ask next; what nobody knows is never guessed.
func (s *Service) Inquire(ctx context.Context, store string, id payment.TransactionID) error {
	o, err := s.Orders.ReadOrder(ctx, store, id.Order)
	if err != nil {
		return err
	}
	for _, p := range o.Payments {
		for _, t := range p.Transactions {
			if t.N == id.N {
				return s.inquire(ctx, o, p, t)
			}
		}
	}
	return payment.NotFound("the transaction")
}

func (s *Service) inquire(ctx context.Context, o *payment.Order, p *payment.Payment, t *payment.Transaction) error {
	if !t.State.Open() || t.DueAt.IsZero() { // decided, or there is nobody to ask
		return nil
	}
	id := payment.TransactionID{Order: o.ID, N: t.N}
	account, err := s.account(o, p)
	if err != nil {
		return errors.Join(err, s.postpone(ctx, id, t))
	}
	inquirer, ok := account.Gateway.(gateways.Inquirer)
	if !ok {
		return s.Inquiries.PostponeTransaction(ctx, id, time.Time{}, t.Inquiries)
	}
	facts, err := inquirer.Inquire(ctx, inquiryOf(p, t))
	if errors.Is(err, gateways.ErrNotFound) {
		facts, err = s.neverArrived(account.Gateway, t), nil
	}
	if err != nil {
		return errors.Join(fmt.Errorf("inquire about %s: %w", id, err), s.postpone(ctx, id, t))
	}
	return s.learn(ctx, o, t, facts)
}

// learn records what an inquiry found, if it is news.
func (s *Service) learn(
	ctx context.Context, o *payment.Order, t *payment.Transaction, facts []payment.Fact,
) error {
	for i := range facts {
		facts[i].Source = payment.SourceInquiry
	}
	if !news(o, t, facts) {
		return s.postpone(ctx, payment.TransactionID{Order: o.ID, N: t.N}, t)
	}
	_, err := s.execute(ctx, pipeline.Request{
		Open: payment.Opening{Store: o.Store, Order: o.ID}, Facts: facts,
		Pick: s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm), Retry: true,
	})
	return err
}

// news tells whether the facts would change anything.
func news(o *payment.Order, t *payment.Transaction, facts []payment.Fact) bool {
	for _, f := range facts {
		same := f.Reference == t.Reference && (f.Type == "" || f.Type == t.Type)
		mismatch := f.Amount != nil && !f.Amount.Equal(t.Amount)
		if !same || mismatch && o.Review == "" || !mismatch && t.State.CanBecome(f.State) {
			return true
		}
	}
	return false
}

// neverArrived turns "no such payment" into a fact, but only once the PSP is
// known to be sure: what was sent may still be on its way.
func (s *Service) neverArrived(g gateways.Gateway, t *payment.Transaction) []payment.Fact {
	if t.State != payment.Sending && t.State != payment.Unknown ||
		s.Now().Before(t.CreatedAt.Add(g.Describe().Finality)) {
		return nil
	}
	return []payment.Fact{{
		Reference: t.Reference, State: payment.NotSent,
		Reason: payment.Reason{Code: "not_received", Message: "The PSP has never received it."},
	}}
}

func (s *Service) postpone(ctx context.Context, id payment.TransactionID, t *payment.Transaction) error {
	due := s.Now().Add(payment.InquiryDelay(t.Reference, t.Inquiries+1))
	return s.Inquiries.PostponeTransaction(ctx, id, due, t.Inquiries)
}

// inquireOpen asks about everything that is open on an order, within a time that
// a waiting shopper can bear, and returns the order as it is known then.
func (s *Service) inquireOpen(ctx context.Context, o *payment.Order, bound time.Duration) (*payment.Order, error) {
	if len(o.OpenTransactions()) == 0 {
		return o, nil
	}
	bounded, cancel := context.WithTimeout(ctx, bound)
	defer cancel()
	for _, p := range o.Payments {
		for _, t := range p.Transactions {
			if !t.State.Open() || p.Gateway == "" {
				continue
			}
			if err := s.inquire(bounded, o, p, t); err != nil {
				s.Log.Warn().Err(err).Stringer("order", o.ID).Msg("ask about an open transaction")
			}
		}
	}
	return s.Orders.ReadOrder(ctx, o.Store, o.ID)
}

// closeAbandoned ends attempts that wait for a shopper who went away, so that
// another may begin. It tells whether none is left.
func (s *Service) closeAbandoned(ctx context.Context, store string, id payment.OrderID) (bool, error) {
	o, err := s.Orders.ReadOrder(ctx, store, id)
	if err != nil {
		return false, err
	}
	for _, t := range o.IncomingTransactions() {
		if t.State != payment.ActionRequired {
			return false, nil
		}
	}
	for _, p := range o.Payments {
		for _, t := range p.Transactions {
			if !t.State.Open() || !t.Type.Initial() {
				continue
			}
			if err := s.closeAttempt(ctx, o, p, t); err != nil {
				return false, err
			}
		}
	}
	o, err = s.Orders.ReadOrder(ctx, store, id)
	return err == nil && len(o.IncomingTransactions()) == 0, err
}

func (s *Service) closeAttempt(ctx context.Context, o *payment.Order, p *payment.Payment, t *payment.Transaction) error {
	account, err := s.account(o, p)
	if err != nil {
		return err
	}
	closer, ok := account.Gateway.(gateways.Closer)
	if !ok {
		return nil // it stays open, and so does the refusal
	}
	facts, err := closer.Close(ctx, inquiryOf(p, t))
	if err != nil {
		return fmt.Errorf("close %s: %w", payment.TransactionID{Order: o.ID, N: t.N}, err)
	}
	return s.learn(ctx, o, t, facts)
}

func inquiryOf(p *payment.Payment, t *payment.Transaction) payment.Inquiry {
	return payment.Inquiry{
		Reference: t.Reference, GatewayReference: t.GatewayReference, Type: t.Type, Amount: t.Amount,
		Initial: *p.Initial(), CreatedAt: t.CreatedAt,
	}
}
