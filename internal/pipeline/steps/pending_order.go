package steps

import (
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// pendingOrder notes that the order is placed once its payment only waits for
// the PSP, or for a transfer; a shopper who is still at the PSP has placed
// nothing. The order stays pending: only money moves it on.
type pendingOrder struct{}

// MovesOrder implements pipeline.Mover.
func (pendingOrder) MovesOrder() {}

func (pendingOrder) Name() string { return "pending-order" }

func (pendingOrder) Do(run *pipeline.Run) error {
	waits := slices.ContainsFunc(run.Order.OpenTransactions(), func(t *payment.Transaction) bool {
		return t.State == payment.Pending
	})
	if run.Order.Progress.PlacedAt.IsZero() && waits {
		run.Order.Progress.PlacedAt = run.At
	}
	return nil
}
