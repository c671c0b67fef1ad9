package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// trackPromotionCode counts the order's promotion codes as used, once each.
type trackPromotionCode struct{}

func (trackPromotionCode) Name() string { return "track-promotion-code" }

func (trackPromotionCode) Do(run *pipeline.Run) error {
	for _, code := range run.Order.PromotionCodes {
		run.Order.Do(payment.TrackPromotionCode, code, run.At)
	}
	return nil
}
