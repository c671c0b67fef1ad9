package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// completeOrder moves an order on of which nothing is left to do.
type completeOrder struct{}

// MovesOrder implements pipeline.Mover.
func (completeOrder) MovesOrder() {}

func (completeOrder) Name() string { return "complete-order" }

func (completeOrder) Do(run *pipeline.Run) error {
	if err := run.Order.AllowComplete(); err != nil {
		return err
	}
	if run.Order.MoveTo(payment.OrderComplete) {
		run.Emit("order.completed", run.Order.PaymentStatus())
		run.Note("The order is complete.")
	}
	return nil
}
