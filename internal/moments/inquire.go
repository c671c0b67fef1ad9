package moments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Inquire asks the PSP what became of a transaction that is open, as its schedule
// says, and lets confirm decide on the answer. An answer that says nothing new
// writes only when to ask next, and the end of the schedule opens a case; what
// nobody knows is never guessed.
func (s *Service) Inquire(ctx context.Context, store string, id payment.TransactionID) error {
	o, err := s.Orders.ReadOrder(ctx, store, id.Order)
	if err != nil {
		return err
	}
	p, t := o.Transaction(id.N)
	if t == nil {
		return payment.NotFound("the transaction")
	}
	return s.inquireOnSchedule(ctx, o, p, t)
}

// inquireOnSchedule asks, and says when to ask next.
func (s *Service) inquireOnSchedule(ctx context.Context, o *payment.Order, p *payment.Payment, t *payment.Transaction) error {
	if !t.Askable() {
		return nil
	}
	facts, err := s.ask(ctx, o, p, t)
	switch {
	case errors.Is(err, errNobodyToAsk) && t.CreatedAt.Add(unaskedMax).After(s.Now()):
		return s.postpone(ctx, o, t, t.CreatedAt.Add(unaskedMax))
	case errors.Is(err, errNobodyToAsk):
		return s.endOfInquiries(ctx, o, t, "The gateway cannot ask its PSP, and no notification has come.")
	}
	if err == nil && s.news(ctx, o, facts) {
		return s.learn(ctx, o, facts, func(run *pipeline.Run) error {
			if !moved(run, t) {
				run.Order.Asked(t.N, t.Inquiries, t.NextInquiry(run.At), run.At, endOfSchedule)
			}
			return nil
		})
	}
	if next := t.NextInquiry(s.Now()); !next.IsZero() {
		return errors.Join(err, s.postpone(ctx, o, t, next))
	}
	return errors.Join(err, s.giveUpInquiring(ctx, o, p, t, err))
}

// endOfSchedule is what a case says at the end of the schedule.
const endOfSchedule = "The PSP was asked as often as the schedule says, and could not tell."

// unaskedMax is how long a notification may take where the PSP cannot be asked.
const unaskedMax = 24 * time.Hour

var errNobodyToAsk = errors.New("the gateway cannot ask its PSP")

// giveUpInquiring is the end of the schedule. What still waits for the shopper is
// closed at the PSP, who then says how it ended; all else is a person's.
func (s *Service) giveUpInquiring(
	ctx context.Context, o *payment.Order, p *payment.Payment, t *payment.Transaction, cause error,
) error {
	if errors.Is(cause, errMoved) {
		return s.endOfInquiries(ctx, o, t, "The account that the payment was begun with is not configured any more.")
	}
	if t.State == payment.ActionRequired {
		if err := s.closeAttempt(ctx, o, p, t); err != nil {
			s.Log.Warn().Err(err).Stringer("order", o.ID).Msg("close an attempt at the end of its schedule")
		}
	}
	return s.endOfInquiries(ctx, o, t, endOfSchedule)
}

// endOfInquiries opens the case about a transaction that nobody is asked about any
// more, unless it was decided meanwhile.
func (s *Service) endOfInquiries(ctx context.Context, o *payment.Order, t *payment.Transaction, why string) error {
	return s.change(ctx, o, func(o *payment.Order, at time.Time) { o.Asked(t.N, t.Inquiries, time.Time{}, at, why) })
}

// change changes an order on its own, without a run.
func (s *Service) change(ctx context.Context, o *payment.Order, change func(o *payment.Order, at time.Time)) error {
	open := payment.Opening{Store: o.Store, Order: o.ID, Token: s.IDs.New()}
	return s.Book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		o.UpdatedAt = s.Now()
		change(o, o.UpdatedAt)
		s.nameCases(o)
		return payment.Closing{}, nil
	})
}

// moved tells whether a fact of this stretch changed the transaction.
func moved(run *pipeline.Run, t *payment.Transaction) bool {
	return slices.ContainsFunc(run.Findings, func(f payment.Finding) bool { return f.Changed && f.Transaction.N == t.N })
}

// inquire asks about a transaction out of turn: somebody waits for it. Its schedule
// goes on as it is, so what learns nothing writes nothing.
func (s *Service) inquire(ctx context.Context, o *payment.Order, p *payment.Payment, t *payment.Transaction) error {
	if !t.Askable() {
		return nil
	}
	facts, err := s.ask(ctx, o, p, t)
	switch {
	case errors.Is(err, errNobodyToAsk):
		return nil
	case err != nil:
		return err
	case !s.news(ctx, o, facts):
		return nil
	}
	return s.learn(ctx, o, facts, nil)
}

// ask returns what the PSP says of a transaction.
func (s *Service) ask(
	ctx context.Context, o *payment.Order, p *payment.Payment, t *payment.Transaction,
) ([]payment.Fact, error) {
	id := payment.TransactionID{Order: o.ID, N: t.N}
	account, err := s.account(o, p)
	if err != nil {
		return nil, fmt.Errorf("inquire about %s: %w", id, err)
	}
	inquirer, ok := account.Gateway.(gateways.Inquirer)
	if !ok {
		return nil, errNobodyToAsk
	}
	facts, err := inquirer.Inquire(ctx, inquiryOf(p, t))
	if errors.Is(err, gateways.ErrNotFound) {
		facts, err = s.neverArrived(account.Gateway, t), nil
	}
	if err != nil {
		return nil, fmt.Errorf("inquire about %s: %w", id, err)
	}
	return inquired(facts), nil
}

func inquired(facts []payment.Fact) []payment.Fact {
	for i := range facts {
		facts[i].Source = payment.SourceInquiry
	}
	return facts
}

// learn lets confirm decide on what an inquiry found. Prepare may do more on the
// locked order, after the facts are recorded; nil does nothing.
func (s *Service) learn(
	ctx context.Context, o *payment.Order, facts []payment.Fact, prepare func(run *pipeline.Run) error,
) error {
	_, err := s.execute(ctx, pipeline.Request{
		Open: payment.Opening{Store: o.Store, Order: o.ID}, Facts: facts, Prepare: prepare,
		Pick: s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm), Retry: true,
	})
	return err
}

// neverArrived turns "no such payment" into a fact, but only once the PSP is
// known to be sure: what was sent may still be on its way.
func (s *Service) neverArrived(g gateways.Gateway, t *payment.Transaction) []payment.Fact {
	if t.State != payment.Sending && t.State != payment.Unknown ||
		s.Now().Before(t.CreatedAt.Add(payment.SendMax+g.Describe().Finality)) {
		return nil
	}
	return []payment.Fact{{
		Reference: t.Reference, State: payment.NotSent,
		Reason: payment.Reason{Code: "not_received", Message: "The PSP has never received it."},
	}}
}

func (s *Service) postpone(ctx context.Context, o *payment.Order, t *payment.Transaction, due time.Time) error {
	return s.Inquiries.PostponeTransaction(ctx, payment.TransactionID{Order: o.ID, N: t.N}, due, t.Inquiries)
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
	if facts = inquired(facts); !s.news(ctx, o, facts) {
		return nil
	}
	return s.learn(ctx, o, facts, nil)
}

func inquiryOf(p *payment.Payment, t *payment.Transaction) payment.Inquiry {
	return payment.Inquiry{
		Reference: t.Reference, GatewayReference: t.GatewayReference, Type: t.Type, Amount: t.Amount,
		Initial: *p.Initial(), CreatedAt: t.CreatedAt,
	}
}
