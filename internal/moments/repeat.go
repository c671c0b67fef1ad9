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

// repeat answers a request whose key was used before. Nothing is ever sent for
// it: it gets the first answer, or the state as it is by now where the first
// answer was not final or never came.
func (s *Service) repeat(ctx context.Context, c *PayCommand, claimed *payment.Claimed) (Answer, error) {
	if c.Guard != nil { // the answer is no more anyone's than the order is
		o, err := s.Orders.ReadOrder(ctx, c.Store, c.Order)
		if err == nil {
			err = c.Guard(o)
		}
		if err != nil {
			return Answer{}, err
		}
	}
	ticker := time.NewTicker(repeatPoll)
	defer ticker.Stop()
	for waited := time.Duration(0); ; waited += repeatPoll {
		if !bytes.Equal(claimed.Fingerprint, c.Claim.Fingerprint) {
			return Answer{}, errReused
		}
		if claimed.Reply != nil {
			return Answer{Reply: *claimed.Reply, Replayed: true}, nil
		}
		answer, known, err := s.asKnown(ctx, c, claimed)
		if !known && err != nil || known && claimed.Finished {
			return answer, err
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
		next, unread := s.Claims.Claimed(ctx, c.Claim)
		if unread != nil {
			return Answer{}, unread
		}
		if next == nil {
			return Answer{}, errRunning
		}
		if known && next.Reply == nil { // else the first request ended between our two reads
			return answer, err
		}
		claimed = next
	}
}

// asKnown renders the outcome from the books, once the first request has ended
// or what it sent has been decided by someone else. That nothing was ever sent is
// known too, and an error.
func (s *Service) asKnown(ctx context.Context, c *PayCommand, claimed *payment.Claimed) (Answer, bool, error) {
	if claimed.Order == (payment.OrderID{}) {
		return Answer{}, false, nil
	}
	o, err := s.Orders.ReadOrder(ctx, c.Store, claimed.Order)
	if err != nil {
		return Answer{}, false, err
	}
	p := o.Payment(claimed.Payment)
	if p != nil && len(p.Transactions) == 0 && p.Status == payment.StatusFailed {
		return Answer{}, true, steps.ErrInterrupted
	}
	if p == nil || p.Initial() == nil {
		return Answer{}, false, nil
	}
	if !claimed.Finished && p.Initial().State == payment.Sending {
		return Answer{}, false, nil
	}
	return Answer{Reply: c.Render(Outcome{Order: o, Payment: p, Created: c.New != nil})}, true, nil
}
