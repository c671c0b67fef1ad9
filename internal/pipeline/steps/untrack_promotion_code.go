package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// untrackPromotionCode gives promotion codes back, each only if it was counted.
// It does nothing while an order that is not cancelled is paid, or may still become
// so: the page that runs it can be requested by anyone, at any time.
type untrackPromotionCode struct{}

func (untrackPromotionCode) Name() string { return "untrack-promotion-code" }

func (untrackPromotionCode) Do(run *pipeline.Run) error {
	o := run.Order
	if o.Progress.Status != payment.OrderCancelled && (o.Held().IsPositive() || len(o.IncomingTransactions()) > 0) {
		return nil
	}
	for _, code := range o.PromotionCodes {
		o.Undo(payment.TrackPromotionCode, code, run.At)
	}
	return nil
}
