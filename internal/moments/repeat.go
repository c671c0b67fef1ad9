package moments

import (
	"bytes"
	"context"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

const (
	// repeatWait is how long a repeated request waits for the first one.
	repeatWait = 2 * time.Second
	repeatPoll = 25 * time.Millisecond
)

// errReused is another request under a key that was used before.
var errReused = payment.Errorf(payment.KindInvalid, "idempotency_key_reused",
	"the idempotency key was used for another request")

// errRunning is a request whose first carrying out is not done.
var errRunning = payment.Errorf(payment.KindConflict, "idempotency_in_progress",
	"the first request with this idempotency key is still being carried out")

// repetition is a request whose key was used before.
type repetition struct {
	Store string
	Order payment.OrderID
	Claim *payment.Claim
	// Guard refuses callers who may not use the order; nil lets all pass.
	Guard func(o *payment.Order) error
	// Known renders the outcome from the books, once they say what became of the
	// first request. That nothing was ever sent is known too, and an error.
	Known func(o *payment.Order, claimed *payment.Claimed) (answer Answer, known bool, err error)
}

// repeat answers a request whose key was used before. Nothing is ever sent for
// it: it gets the first answer, or the state as it is by now where the first
// answer was not final or never came.
func (s *Service) repeat(ctx context.Context, r repetition, claimed *payment.Claimed) (Answer, error) {
	if r.Guard != nil { // the answer is no more anyone's than the order is
		o, err := s.Orders.ReadOrder(ctx, r.Store, r.Order)
		if err == nil {
			err = r.Guard(o)
		}
		if err != nil {
			return Answer{}, err
		}
	}
	ticker := time.NewTicker(repeatPoll)
	defer ticker.Stop()
	for waited := time.Duration(0); ; waited += repeatPoll {
		if !bytes.Equal(claimed.Fingerprint, r.Claim.Fingerprint) {
			return Answer{}, errReused
		}
		if claimed.Reply != nil {
			return Answer{Reply: *claimed.Reply, Replayed: true}, nil
		}
		answer, known, err := s.asKnown(ctx, r, claimed)
		if !known && err != nil || known && claimed.Finished && !answer.Final {
			return answer, err
		}
		if known && err == nil && answer.Final {
			// From now on it is the answer of this key, also for the first request
			// should that still end.
			mine, unkept := s.Claims.KeepReply(ctx, r.Claim, answer.Reply)
			if mine || unkept != nil {
				return answer, unkept
			}
		}
		if !known {
			if waited >= repeatWait {
				return Answer{}, errRunning
			}
			select {
			case <-ctx.Done():
				return Answer{}, errRunning
			case <-ticker.C:
			}
		}
		next, unread := s.Claims.Claimed(ctx, r.Claim)
		if unread != nil {
			return Answer{}, unread
		}
		if next == nil {
			return Answer{}, errRunning
		}
		if known && next.Reply == nil { // else the first request ended between our reads
			return answer, err
		}
		claimed = next
	}
}

// instead returns the answer that is kept under a key in place of the one that was
// just made: a repeat was faster.
func (s *Service) instead(ctx context.Context, r repetition) (Answer, error) {
	claimed, err := s.Claims.Claimed(ctx, r.Claim)
	if err != nil {
		return Answer{}, err
	}
	if claimed == nil {
		return Answer{}, errRunning
	}
	return s.repeat(ctx, r, claimed)
}

// asKnown asks the books, once the first request has ended or what it sent has
// been decided by someone else.
func (s *Service) asKnown(ctx context.Context, r repetition, claimed *payment.Claimed) (Answer, bool, error) {
	if claimed.Order == (payment.OrderID{}) {
		return Answer{}, false, nil
	}
	o, err := s.Orders.ReadOrder(ctx, r.Store, claimed.Order)
	if err != nil {
		return Answer{}, false, err
	}
	return r.Known(o, claimed)
}

// known renders what the books say of a payment that was begun under a key.
func (c *PayCommand) known(o *payment.Order, claimed *payment.Claimed) (Answer, bool, error) {
	p := o.Payment(claimed.Payment)
	if p != nil && p.Tender != 0 {
		p = decisive(o, p)
	}
	if p != nil && p.Abandoned() {
		if p.Tender == 0 {
			return Answer{}, true, steps.ErrInterrupted
		}
		beside := Outcome{Order: o, Payment: p, Refusal: steps.ErrInterrupted, Created: c.New != nil}
		return Answer{Reply: c.Render(beside)}, true, nil // others may have taken money
	}
	if p == nil || p.Initial() == nil {
		return Answer{}, false, nil
	}
	if !claimed.Finished && p.Initial().State == payment.Sending {
		return Answer{}, false, nil
	}
	return Answer{Reply: c.Render(Outcome{Order: o, Payment: p, Created: c.New != nil})}, true, nil
}
