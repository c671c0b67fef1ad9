package moments

import (
	"context"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Repay begins another attempt to pay an order that is pending, on the method of
// the last one where none is named. What is known of the old attempt is asked about
// first, and an attempt that waits for the shopper, or for a transfer, is closed: an
// order that turns out to be paid is not paid again.
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
	last := o.LatestPayment()
	if last == nil {
		return Answer{}, errNeverPaid
	}
	if c.Method == "" && len(c.Parts) == 0 {
		c.Method = last.Method
	}
	if claimed, err := s.Claims.Claimed(ctx, c.Claim); err != nil || claimed == nil {
		if err == nil {
			err = s.forgoTransfers(ctx, o) // a repetition has nothing to close: what waits is its own
		}
		if err != nil {
			return Answer{}, err
		}
	}
	return s.Pay(ctx, c)
}

// forgoTransfers ends attempts that wait for a transfer outside any PSP, so that
// another may begin. A transfer that comes all the same can still be marked paid.
func (s *Service) forgoTransfers(ctx context.Context, o *payment.Order) error {
	waits := func(t *payment.Transaction) bool { return t.AwaitsTransfer() }
	if !slices.ContainsFunc(o.IncomingTransactions(), waits) {
		return nil
	}
	_, err := s.execute(ctx, pipeline.Request{
		Open: payment.Opening{Store: o.Store, Order: o.ID},
		Prepare: func(run *pipeline.Run) error {
			if err := run.Order.CheckOpen(run.At); err != nil {
				return err
			}
			for _, t := range slices.DeleteFunc(run.Order.IncomingTransactions(), func(t *payment.Transaction) bool { return !waits(t) }) {
				replaced := payment.Forgone(t)
				replaced.Reason = payment.Reason{Code: "replaced", Message: "Another attempt to pay took its place."}
				if err := run.Take(replaced); err != nil {
					return err
				}
			}
			return nil
		},
		Pick: s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm), Retry: true,
	})
	return err
}

var errNeverPaid = payment.NotAllowed("never_paid", "nobody has tried to pay the order yet: pay it") //nolint:gochecknoglobals // a constant error
