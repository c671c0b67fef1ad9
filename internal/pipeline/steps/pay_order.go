package steps

import (
	"errors"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// payOrder moves an order whose money is paid or reserved on to processing. It
// never decides that: it fails on an order that its payments do not cover.
type payOrder struct{}

// MovesOrder implements pipeline.Mover.
func (payOrder) MovesOrder() {}

func (payOrder) Name() string { return "pay-order" }

func (payOrder) Do(run *pipeline.Run) error {
	o := run.Order
	if !o.Covered() {
		return errors.New("the payments do not cover the order")
	}
	if o.Progress.Status == payment.OrderCancelled { // while a step before asked the store
		return errors.New("the order is cancelled")
	}
	if o.Progress.PlacedAt.IsZero() {
		o.Progress.PlacedAt = run.At
	}
	status := o.PaymentStatus()
	if o.MoveTo(payment.OrderProcessing) {
		run.Emit("order.processing", status)
		if status == payment.StatusAuthorized {
			run.Emit("order.authorized", status)
		}
	}
	// What was taken and given back in the meantime was paid all the same.
	taken := o.Taken().Cmp(o.Total) >= 0
	if taken && o.Progress.PaidAt.IsZero() {
		o.Progress.PaidAt = run.At
		run.Emit("order.paid", status)
	}
	return nil
}
