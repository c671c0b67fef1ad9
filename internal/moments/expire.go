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

// expiryInquiryMax is how long the PSPs of an order may take to say how it stands.
const expiryInquiryMax = 10 * time.Second

// The bounds of how soon an order that could not expire is looked at again.
const (
	expiryAgainMin = time.Minute
	expiryAgainMax = 6 * time.Hour
)

// Why an order does not expire now, or not any more.
var (
	errDecided    = errors.New("the order is decided")
	errNotExpired = errors.New("the order is paid, or was given time")
	errMayPay     = errors.New("something may still pay the order")
)

// Expire ends an order whose time is over and that nothing can pay any more: it
// is cancelled by confirm, which undoes what was done for it. The PSPs are asked
// first about all that is open, and what waits for the shopper is closed there.
// Money decides, as always: an order that is paid by then stays paid. Again is
// when to look at the order again, zero for never; it comes with an error too.
func (s *Service) Expire(ctx context.Context, store string, id payment.OrderID) (again time.Time, err error) {
	o, err := s.Orders.ReadOrder(ctx, store, id)
	if err != nil {
		return s.Now().Add(expiryAgainMin), fmt.Errorf("expire %s: %w", id, err)
	}
	if o.Saved.Status != payment.OrderPending || o.ExpiresAt.IsZero() {
		return time.Time{}, nil
	}
	if !o.Expired(s.Now()) {
		return o.ExpiresAt, nil
	}
	later := s.expiryAgain(o)
	if o, err = s.inquireOpen(ctx, o, expiryInquiryMax); err != nil {
		return later, fmt.Errorf("expire %s: %w", id, err)
	}
	if _, err := s.closeAbandoned(ctx, o.Store, id); err != nil {
		return later, fmt.Errorf("expire %s: %w", id, err)
	}
	_, err = s.execute(ctx, pipeline.Request{
		Open: payment.Opening{Store: o.Store, Order: id}, Prepare: mayExpire,
		Pick: s.pick(pipeline.Confirm), Confirm: s.pick(pipeline.Confirm),
	})
	switch {
	case errors.Is(err, errDecided): // by what the PSPs said
		return time.Time{}, nil
	case errors.Is(err, errMayPay) && onlyPeopleKnow(o):
		return time.Time{}, nil
	case errors.Is(err, errMayPay), errors.Is(err, errNotExpired):
		return later, nil
	case err != nil:
		return later, fmt.Errorf("expire %s: %w", id, err)
	}
	return time.Time{}, nil
}

// mayExpire judges the order once it is locked. Then confirm finds an order that
// cannot be paid any more, and cancels it.
func mayExpire(run *pipeline.Run) error {
	o := run.Order
	switch {
	case o.Saved.Status != payment.OrderPending:
		return errDecided
	case !o.Expired(run.At), o.Covered():
		return errNotExpired
	case pendingMoney(o), leaving(o):
		return errMayPay
	}
	giveBackParts(o, run.At)
	if o.Held().IsPositive() {
		o.OpenCase(payment.Case{
			Kind: payment.CaseExpiredHeld, OpenedAt: run.At,
			Detail: "The time to pay the order is over, and it holds a part of its price.",
		})
		return nil
	}
	return forgo(run)
}

// leaving tells of an order whose money is on its way back, or stays after all.
func leaving(o *payment.Order) bool {
	return len(o.OpenTransactions()) > len(o.IncomingTransactions())
}

// giveBackParts gives back what payments took that were to pay the order together
// with others: all of them were to pay, or none.
func giveBackParts(o *payment.Order, at time.Time) {
	for _, p := range o.Payments {
		if p.Tender != 0 && o.HeldBy(p).IsPositive() {
			o.ReleaseLater(p, payment.Release{Reason: payment.ReleaseTender, Refund: true}, at)
		}
	}
}

// onlyPeopleKnow tells whether nobody is asked any more about all that may still pay
// the order: its cases are open. What decides them ends the order, too.
func onlyPeopleKnow(o *payment.Order) bool {
	incoming := o.IncomingTransactions()
	return len(incoming) > 0 && !slices.ContainsFunc(incoming, func(t *payment.Transaction) bool { return !t.DueAt.IsZero() })
}

// expiryAgain is when an order is looked at again that could not expire yet: ever
// more rarely, the longer ago its time was over.
func (s *Service) expiryAgain(o *payment.Order) time.Time {
	late := s.Now().Sub(o.ExpiresAt)
	return s.Now().Add(min(max(late, expiryAgainMin), expiryAgainMax))
}
