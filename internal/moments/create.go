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
	var reply payment.Reply
	open := payment.Opening{New: c.New, Claim: c.Claim, Token: s.IDs.New()}
	err := s.Book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		o.Emit(payment.Event{Type: "order.created", Status: string(o.Saved.Status)}, o.CreatedAt)
		reply = c.Render(o, true)
		return payment.Closing{Claim: c.Claim, Reply: &reply}, nil
	})
	if errors.Is(err, payment.ErrNumberTaken) {
		return s.existing(ctx, c)
	}
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		return replay(c.Claim, claimed)
	}
	return Answer{Reply: reply}, err
}

// existing answers with the order that has the number, if it has the content.
func (s *Service) existing(ctx context.Context, c CreateCommand) (Answer, error) {
	o, err := s.Same(ctx, c.New)
	if err != nil {
		return Answer{}, err
	}
	var reply payment.Reply
	open := payment.Opening{Store: o.Store, Order: o.ID, Claim: c.Claim, Token: s.IDs.New()}
	err = s.Book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		reply = c.Render(o, false)
		return payment.Closing{Claim: c.Claim, Reply: &reply}, nil
	})
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		return replay(c.Claim, claimed)
	}
	return Answer{Reply: reply}, err
}

// Same returns the order of the store that has the number of another one, when
// the store sent the same content for both.
func (s *Service) Same(ctx context.Context, other *payment.Order) (*payment.Order, error) {
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
