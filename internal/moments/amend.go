package moments

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// AmendCommand asks to change what an order says.
type AmendCommand struct {
	Store string
	Order payment.OrderID
	Actor string // for the audit
	// Change works on the locked order; an error leaves it as it was.
	Change func(o *payment.Order) error
}

// Amend re-prices an order or changes its addresses, as long as no money is in
// play.
func (s *Service) Amend(ctx context.Context, c AmendCommand) (*payment.Order, error) {
	var amended *payment.Order
	open := payment.Opening{Store: c.Store, Order: c.Order, Token: s.IDs.New()}
	err := s.Book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		if o.Saved.Status != payment.OrderPending || o.Sums().Authorized.IsPositive() {
			return payment.Closing{}, payment.Errorf(payment.KindConflict, "order_not_open", "the order can no longer be changed")
		}
		if err := o.CheckIdle(); err != nil {
			return payment.Closing{}, err
		}
		if err := c.Change(o); err != nil {
			return payment.Closing{}, err
		}
		o.UpdatedAt, o.Actor = s.Now(), c.Actor
		o.Emit(payment.Event{Type: "order.amended", Status: string(o.Saved.Status), Amount: &o.Total}, o.UpdatedAt)
		o.Note(o.UpdatedAt, "system", "The order was changed.")
		amended = o
		return payment.Closing{DetailsChanged: true}, nil
	})
	return amended, err
}

// MayReturnTo tells whether shoppers of a store may be sent to a URL.
func (s *Service) MayReturnTo(storeName, url string) bool {
	store, err := s.store(storeName)
	if err != nil {
		return false
	}
	return store.MayReturnTo(url)
}
