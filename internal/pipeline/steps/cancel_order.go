package steps

import (
	"errors"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// ErrMayBePaid fails a cancellation that money overtook, while a step before it
// asked the store.
var ErrMayBePaid = errors.New("the order was paid meanwhile, or may be")

// mayBePaid tells whether money came, or is under way, that nobody spoke of when
// the order was to be cancelled.
func mayBePaid(run *pipeline.Run) bool {
	switch o := run.Order; {
	case o.Progress.Status == payment.OrderCancelled:
		return false
	case slices.ContainsFunc(o.IncomingTransactions(), func(t *payment.Transaction) bool { return run.Cancel == nil || !t.AwaitsTransfer() }):
		return true
	case run.Cancel != nil:
		return run.Cancel.Overtaken(o)
	default:
		return o.Covered() || o.Held().IsPositive()
	}
}

// cancelOrder cancels an order that nothing can pay any more, or that somebody
// entitled to it cancels. What becomes of money that it holds was decided with that,
// and is done only if the order is really cancelled.
type cancelOrder struct{}

// MovesOrder implements pipeline.Mover.
func (cancelOrder) MovesOrder() {}

func (cancelOrder) Name() string { return "cancel-order" }

func (cancelOrder) Do(run *pipeline.Run) error {
	o := run.Order
	if mayBePaid(run) {
		return ErrMayBePaid
	}
	if !o.MoveTo(payment.OrderCancelled) {
		return nil
	}
	o.Progress.CancelledAt = run.At
	for _, t := range o.IncomingTransactions() { // a transfer that nobody will make now
		if err := run.Take(payment.Forgone(t)); err != nil {
			return err
		}
	}
	switch {
	case run.Cancel != nil:
		o.Progress.CancelReason = run.Cancel.Reason
		o.Note(run.At, run.Cancel.Author, "The order was cancelled: "+run.Cancel.Reason)
		for _, g := range run.Cancel.GiveBack {
			o.GiveBack(o.Payment(g.Payment), g.Release, run.At)
		}
	case o.Expired(run.At):
		o.Progress.CancelReason = "expired"
		run.Note("The order expired unpaid and was cancelled.")
		run.Emit("order.expired", o.PaymentStatus())
	default:
		o.Progress.CancelReason = "not_paid"
		run.Note("The order was cancelled: nothing can pay it any more.")
	}
	run.Emit("order.cancelled", o.PaymentStatus())
	return nil
}
