package steps

import "github.com/paysvc/paysvc/internal/pipeline"

// pendingOrder notes that the order is placed while its payment is in progress.
// The order stays pending: only money moves it on.
type pendingOrder struct{}

func (pendingOrder) Name() string { return "pending-order" }

func (pendingOrder) Do(run *pipeline.Run) error {
	if run.Order.Progress.PlacedAt.IsZero() && len(run.Order.OpenTransactions()) > 0 {
		run.Order.Progress.PlacedAt = run.At
	}
	return nil
}
