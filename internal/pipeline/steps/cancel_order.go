package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// cancelOrder cancels an order that nothing can pay any more, or that somebody
// entitled to it cancels. Money that it holds stays where it is.
type cancelOrder struct{}

// MovesOrder implements pipeline.Mover.
func (cancelOrder) MovesOrder() {}

func (cancelOrder) Name() string { return "cancel-order" }

func (cancelOrder) Do(run *pipeline.Run) error {
	o := run.Order
	if !o.MoveTo(payment.OrderCancelled) {
		return nil
	}
	o.Progress.CancelledAt = run.At
	switch {
	case run.Cancel != nil:
		o.Progress.CancelReason = run.Cancel.Reason
		o.Note(run.At, run.Cancel.Author, "The order was cancelled: "+run.Cancel.Reason)
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
