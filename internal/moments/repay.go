package moments

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// Repay begins another attempt to pay an order that is pending, on the method of
// the last one where none is named. What is known of the old attempt is asked about
// first, and an attempt that waits for the shopper is closed: an order that turns
// out to be paid is not paid again.
func (s *Service) Repay(ctx context.Context, c PayCommand) (Answer, error) {
	o, err := s.Orders.ReadOrder(ctx, c.Store, c.Order)
	if err != nil {
		return Answer{}, err
	}
	if c.Guard != nil {
		if err := c.Guard(o); err != nil {
			return Answer{}, err
		}
	}
	if o, err = s.inquireOpen(ctx, o, returnInquiryMax); err != nil {
		return Answer{}, err
	}
	if c.Method == "" && len(c.Parts) == 0 {
		last := o.LatestPayment()
		if last == nil {
			return Answer{}, errNeverPaid
		}
		c.Method = last.Method
	}
	return s.Pay(ctx, c)
}

var errNeverPaid = payment.NotAllowed("never_paid", "nobody has tried to pay the order yet: pay it") //nolint:gochecknoglobals // a constant error
