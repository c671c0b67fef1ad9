package moments

import (
	"context"
	"errors"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Cases keeps what only a person can decide.
type Cases interface {
	Case(ctx context.Context, store string, id payment.CaseID) (payment.Case, error)
	CasesOf(ctx context.Context, id payment.OrderID) ([]payment.Case, error)
	ResolveCase(ctx context.Context, c payment.Case, claim *payment.Claim, reply payment.Reply, by payment.AuditEntry) error
}

// ResolveCommand says how a case ends.
type ResolveCommand struct {
	Store string
	Case  payment.CaseID
	// Resolution is a word of the caller's own, and Reason what people read.
	Resolution string
	Reason     string
	// Action is what is done with the money; "" is none.
	Action payment.CaseAction
	Claim  *payment.Claim
	// Author is who resolves it, for the timeline, and By for the audit.
	Author string
	By     payment.AuditEntry
	// Render makes the answer from the case as it ends.
	Render func(payment.Case) payment.Reply
}

// ResolveCase ends a case. What is done with the money is a fact of an operator
// that confirm decides on, or a release that a job carries out, in the commit that
// resolves the case. Of several who resolve a case in different ways one succeeds.
func (s *Service) ResolveCase(ctx context.Context, c ResolveCommand) (Answer, error) {
	k, err := s.Cases.Case(ctx, c.Store, c.Case)
	if err != nil {
		return Answer{}, err
	}
	answer, err := Answer{}, error(payment.ErrCaseResolved)
	if k.State == payment.CaseOpen {
		answer, err = s.resolve(ctx, &c, k)
	}
	if whyNot(err) != "" && s.resolvedMeanwhile(ctx, &c) {
		err = payment.ErrCaseResolved // which is why it is not allowed any more
	}
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		return s.resolvedBefore(ctx, &c, k, claimed)
	}
	if errors.Is(err, payment.ErrCaseResolved) {
		return s.resolvedAlready(ctx, &c)
	}
	return answer, err
}

// resolvedMeanwhile tells whether somebody else was faster.
func (s *Service) resolvedMeanwhile(ctx context.Context, c *ResolveCommand) bool {
	k, err := s.Cases.Case(ctx, c.Store, c.Case)
	return err == nil && k.State == payment.CaseResolved
}

// resolution is how the command ends a case.
func (s *Service) resolution(c *ResolveCommand) payment.Resolution {
	r := payment.Resolution{Word: c.Resolution, Reason: c.Reason, Action: c.Action, By: c.Author, At: s.Now()}
	if r.Action == "" {
		r.Action = payment.CaseActNone
	}
	return r
}

func (s *Service) resolve(ctx context.Context, c *ResolveCommand, k payment.Case) (Answer, error) {
	r := s.resolution(c)
	if !k.Kind.Allows(r.Action) {
		return Answer{}, payment.NotAllowed("not_for_this_kind", "a case of this kind is not resolved with that action")
	}
	ended := k
	ended.State, ended.Resolution = payment.CaseResolved, r
	reply := c.Render(ended)
	switch {
	case k.Order == (payment.OrderID{}):
		return Answer{Reply: reply}, s.Cases.ResolveCase(ctx, ended, c.Claim, reply, c.By)
	case r.Action == payment.CaseActApprove, r.Action == payment.CaseActDecline:
		return s.settle(ctx, c, k, r, reply)
	}
	open := payment.Opening{Store: c.Store, Order: k.Order, Claim: c.Claim, Token: s.IDs.New()}
	err := s.Book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		o.UpdatedAt, o.Actor = r.At, c.By.Actor
		if r.Action == payment.CaseActRefund {
			if err := o.RefundCase(k, r.At); err != nil {
				return payment.Closing{}, err
			}
		}
		o.ResolveCases(payment.CaseEnd{Case: k.ID, Resolution: r})
		return payment.Closing{Claim: c.Claim, Reply: &reply, Payment: k.Payment}, nil
	})
	if err == nil && r.Action == payment.CaseActRefund {
		s.Kick()
	}
	return Answer{Reply: reply}, err
}

// settle lets confirm decide on what a person says of a transaction. Once that is
// in the books the case is resolved, whatever a step does afterwards.
func (s *Service) settle(
	ctx context.Context, c *ResolveCommand, k payment.Case, r payment.Resolution, reply payment.Reply,
) (Answer, error) {
	run, err := s.execute(ctx, pipeline.Request{
		Open:  payment.Opening{Store: c.Store, Order: k.Order, Claim: c.Claim},
		Facts: []payment.Fact{payment.Judge(payment.Verdict{Case: k, Resolution: r})},
		Pick:  s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm), Retry: true, Actor: c.By.Actor,
		Reply: func(*pipeline.Run) *payment.Reply { return &reply },
	})
	if run != nil {
		return Answer{Reply: reply}, nil
	}
	return Answer{}, err
}

// resolvedBefore answers a request whose key was used before.
func (s *Service) resolvedBefore(
	ctx context.Context, c *ResolveCommand, k payment.Case, claimed *payment.Claimed,
) (Answer, error) {
	return s.repeat(ctx, repetition{
		Store: c.Store, Order: k.Order, Claim: c.Claim,
		Known: func(*payment.Order, *payment.Claimed) (Answer, bool, error) { return Answer{}, false, nil },
	}, claimed)
}

// resolvedAlready answers for a case that is not open any more: whoever asks for
// what was done gets the same answer.
func (s *Service) resolvedAlready(ctx context.Context, c *ResolveCommand) (Answer, error) {
	k, err := s.Cases.Case(ctx, c.Store, c.Case)
	if err != nil {
		return Answer{}, err
	}
	claimed, err := s.Claims.Claimed(ctx, c.Claim)
	switch {
	case err != nil:
		return Answer{}, err
	case claimed != nil:
		return s.resolvedBefore(ctx, c, k, claimed)
	case k.Resolution.Same(s.resolution(c)):
		return Answer{Reply: c.Render(k)}, nil
	}
	return Answer{}, payment.ErrCaseResolved
}

// news tells whether facts would change anything in the books. What the order has a
// case about, open or resolved, is none, however often it is reported. Where the
// cases cannot be read the facts are recorded: that is harmless.
func (s *Service) news(ctx context.Context, o *payment.Order, facts []payment.Fact) bool {
	changed, cases := o.News(facts, s.Now())
	if changed || len(cases) == 0 {
		return changed
	}
	known, err := s.Cases.CasesOf(ctx, o.ID)
	return err != nil || payment.Unheard(cases, known)
}
