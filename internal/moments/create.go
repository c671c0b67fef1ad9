package moments

import (
	"bytes"
	"context"
	"errors"

	"github.com/paysvc/paysvc/internal/payment"
)

// CreateCommand asks for a new order.
type CreateCommand struct {
	New   *payment.Order
	Claim *payment.Claim
	// Render makes the answer; created is false for an order that was there.
	Render func(o *payment.Order, created bool) payment.Reply
}

// Create makes an order. The same content under the same number is the same
// order; other content is refused.
func (s *Service) Create(ctx context.Context, c CreateCommand) (Answer, error) {
	answer, err := s.answerWith(ctx, c, payment.Opening{New: c.New})
	if errors.Is(err, payment.ErrNumberTaken) {
		o, err := s.same(ctx, c.New)
		if err != nil {
			return Answer{}, err
		}
		return s.answerWith(ctx, c, payment.Opening{Store: o.Store, Order: o.ID})
	}
	return answer, err
}

// answerWith takes the idempotency key and keeps the answer in one commit, with
// the order if that is new.
func (s *Service) answerWith(ctx context.Context, c CreateCommand, open payment.Opening) (Answer, error) {
	var reply payment.Reply
	created := open.New != nil
	open.Claim, open.Token = c.Claim, s.IDs.New()
	err := s.Book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		if created {
			o.Emit(payment.Event{Type: "order.created", Status: string(o.Saved.Status)}, o.CreatedAt)
		}
		reply = c.Render(o, created)
		return payment.Closing{Claim: c.Claim, Reply: &reply}, nil
	})
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		return replay(c.Claim, claimed)
	}
	return Answer{Reply: reply}, err
}

// same returns the order of the store that has the number of another one, when
// the store sent the same content for both.
func (s *Service) same(ctx context.Context, other *payment.Order) (*payment.Order, error) {
	id, err := s.Orders.OrderOfNumber(ctx, other.Store, other.Number)
	if err != nil {
		return nil, err
	}
	o, err := s.Orders.ReadOrder(ctx, other.Store, id)
	if err != nil {
		return nil, err
	}
	if !bytes.Equal(o.ContentHash, other.ContentHash) {
		return nil, payment.ErrNumberTaken
	}
	return o, nil
}

// replay answers a repeated request that is carried out in one commit: its
// answer is there, or the first one is between its statements right now.
func replay(claim *payment.Claim, claimed *payment.Claimed) (Answer, error) {
	switch {
	case !bytes.Equal(claimed.Fingerprint, claim.Fingerprint):
		return Answer{}, errReused
	case claimed.Reply == nil:
		return Answer{}, errRunning
	}
	return Answer{Reply: *claimed.Reply, Replayed: true}, nil
}
