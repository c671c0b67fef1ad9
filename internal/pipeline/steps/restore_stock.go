package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// restoreStock gives back what an order took from stock, once, when the order is
// cancelled.
type restoreStock struct{}

func (restoreStock) Name() string { return "restore-stock" }

func (restoreStock) Do(run *pipeline.Run) error {
	if run.Order.Progress.Status == payment.OrderCancelled {
		run.Order.Undo(payment.DeductStock, "", run.At)
	}
	return nil
}
