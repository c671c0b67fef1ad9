package moments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// The bounds of how soon a release goes on that waits for what is under way.
const (
	releaseWait    = 15 * time.Second
	releaseWaitMax = 24 * time.Hour
)

// Release gives back money of a payment, as was decided when its release was
// written: what is open is asked about, what is reserved is voided, then what was
// taken is refunded, each as an operation of its own. Whatever crashes in between,
// the release stays due. What cannot be voided does not hold up what can be
// refunded. One that fails again and again becomes a case. It also gives up a payment
// that was to follow others and that nobody sent.
func (s *Service) Release(ctx context.Context, store string, id payment.PaymentID) error {
	o, p, err := s.releasing(ctx, store, id)
	if err != nil || p == nil {
		return err
	}
	if p.Release == nil {
		return s.giveUpUnsent(ctx, o, p)
	}
	if err := s.closeFor(ctx, o, p); err != nil {
		s.Log.Warn().Err(err).Stringer("payment", id).Msg("a release waits for what is open")
	}
	for tried := []payment.Action(nil); ; {
		if o, p, err = s.releasing(ctx, store, id); err != nil || p == nil {
			return err
		}
		action := releaseAction(p, tried)
		if action == "" {
			return s.putOff(ctx, o, p, len(p.OpenTransactions()) == 0)
		}
		if action == payment.ActRefund && s.byHand(o, p) {
			return s.stuck(ctx, o, p, payment.NotAllowed("gateway_cannot", "the money came outside any PSP, and goes back by hand"))
		}
		tried = append(tried, action)
		_, err = s.Operate(ctx, OperateCommand{
			Store: o.Store, Order: o.ID, Payment: p.N, Action: action, Reason: string(p.Release.Reason), Author: "system", releasing: true,
		})
		if err != nil && releaseAction(p, tried) == "" {
			return s.stuck(ctx, o, p, err)
		}
	}
}

// releasing reads a payment whose release is open, or that waits to be sent; nil
// for others.
func (s *Service) releasing(ctx context.Context, store string, id payment.PaymentID) (*payment.Order, *payment.Payment, error) {
	o, err := s.Orders.ReadOrder(ctx, store, id.Order)
	if err != nil {
		return nil, nil, err
	}
	p := o.Payment(id.N)
	if p == nil || !p.Release.Open() && p.AbandonAt.IsZero() {
		return o, nil, nil
	}
	return o, p, nil
}

// byHand tells of money that came outside any PSP, and that nobody said is given
// back: the books must not say so before a person does.
func (s *Service) byHand(o *payment.Order, p *payment.Payment) bool {
	said := []payment.ReleaseReason{payment.ReleaseCancelled, payment.ReleaseRequested, payment.ReleaseUncovered}
	terms, err := s.terms(o, p, &pipeline.Operation{})
	return err == nil && terms.Offline && !slices.Contains(said, p.Release.Reason)
}

// releaseAction is what a release does next that it has not tried yet; "" where
// there is nothing, or only to wait for what is under way.
func releaseAction(p *payment.Payment, tried []payment.Action) payment.Action {
	reserved, taken := p.Releasable()
	switch {
	case len(p.OpenTransactions()) > 0:
		return ""
	case reserved.IsPositive() && !slices.Contains(tried, payment.ActVoid):
		return payment.ActVoid
	case taken.IsPositive() && !slices.Contains(tried, payment.ActRefund):
		return payment.ActRefund
	}
	return ""
}

// closeFor asks the PSP about all that is open on a payment, and closes what waits
// for the shopper.
func (s *Service) closeFor(ctx context.Context, o *payment.Order, p *payment.Payment) error {
	var problems []error
	for _, t := range p.OpenTransactions() {
		if t.State == payment.ActionRequired {
			problems = append(problems, s.closeAttempt(ctx, o, p, t))
			continue
		}
		problems = append(problems, s.inquire(ctx, o, p, t))
	}
	return errors.Join(problems...)
}

// stuck puts off a release whose operation was refused. What the gateway cannot do
// at all is not tried again.
func (s *Service) stuck(ctx context.Context, o *payment.Order, p *payment.Payment, cause error) error {
	refused, ok := errors.AsType[*payment.Error](cause)
	if !ok || refused.Kind != payment.KindConflict {
		return errors.Join(fmt.Errorf("release %s: %w", payment.PaymentID{Order: o.ID, N: p.N}, cause), s.putOff(ctx, o, p, true))
	}
	switch refused.Why.Code {
	case "outcome_unknown", "operation_in_progress":
		return s.putOff(ctx, o, p, false)
	}
	return s.changeRelease(ctx, o, p, func(o *payment.Order, p *payment.Payment, at time.Time) {
		p.Release.Tries = payment.ReleaseTriesMax
		s.giveUpRelease(o, p, at)
	})
}

// putOff looks at a release again later: ever later, where a try was in vain.
func (s *Service) putOff(ctx context.Context, o *payment.Order, p *payment.Payment, failed bool) error {
	return s.changeRelease(ctx, o, p, func(o *payment.Order, p *payment.Payment, at time.Time) {
		again := untilAsked(p, at)
		if failed {
			again = at.Add(payment.InquiryDelay(p.Initial().Reference, p.Release.Tries+1))
		}
		o.PostponeRelease(p, again, failed)
		if p.Release.Tries >= payment.ReleaseTriesMax {
			s.giveUpRelease(o, p, at)
		}
	})
}

// untilAsked is when a release goes on that waits for what is under way: once the
// PSP was asked about it on schedule. A fact that comes sooner makes it due at once.
func untilAsked(p *payment.Payment, at time.Time) time.Time {
	again := at.Add(releaseWait)
	for _, t := range p.OpenTransactions() {
		switch {
		case t.DueAt.After(again):
			again = t.DueAt
		case t.DueAt.IsZero(): // nobody is asked: the older it is, the more rarely it is looked at
			again = at.Add(max(releaseWait, min(at.Sub(t.CreatedAt), releaseWaitMax)))
		}
	}
	return again
}

// changeRelease changes a release that is still open, on the locked order.
func (s *Service) changeRelease(
	ctx context.Context, o *payment.Order, p *payment.Payment, change func(*payment.Order, *payment.Payment, time.Time),
) error {
	open := payment.Opening{Store: o.Store, Order: o.ID, Token: s.IDs.New()}
	return s.Book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		now := o.Payment(p.N)
		if now.Release.Open() {
			change(o, now, s.Now())
			s.nameCases(o)
		}
		return payment.Closing{}, nil
	})
}

// giveUpRelease calls a person.
func (s *Service) giveUpRelease(o *payment.Order, p *payment.Payment, at time.Time) {
	o.PostponeRelease(p, time.Time{}, true)
	o.OpenCase(payment.Case{
		Kind: payment.CaseStuckRelease, Transaction: p.Initial().N, OpenedAt: at,
		Detail: "Money that is to be given back could not be, after several tries.",
	})
}

// nameCases gives ids to the cases that a stretch without a run opens.
func (s *Service) nameCases(o *payment.Order) {
	for i := range o.Staged.Cases {
		o.Staged.Cases[i].ID = payment.CaseID(s.IDs.New())
	}
}

// giveUpUnsent ends a payment of a tender that nobody sent: whoever was to do so is
// gone. What the others took is given back.
func (s *Service) giveUpUnsent(ctx context.Context, o *payment.Order, p *payment.Payment) error {
	_, err := s.execute(ctx, pipeline.Request{
		Open: payment.Opening{Store: o.Store, Order: o.ID},
		Prepare: func(run *pipeline.Run) error {
			now := run.Order.Payment(p.N)
			if now.AbandonAt.IsZero() {
				return errDecided
			}
			run.Order.Abandon(now, run.At)
			return nil
		},
		Pick: s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm),
	})
	if errors.Is(err, errDecided) {
		return nil
	}
	return err
}
