package stripe

import (
	"context"

	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/payment"
)

// Capture implements gateways.Capturer. An intent is captured once: Stripe lets go
// of what that leaves, whether another capture was to follow or not.
func (g *Gateway) Capture(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	return g.operate(ctx, "capture", r, func(ctx context.Context, intent string, minor int64) error {
		p := &stripe.PaymentIntentCaptureParams{
			AmountToCapture: stripe.Int64(minor), Metadata: map[string]string{metaCapture: r.Reference},
		}
		p.AddExpand("latest_charge.refunds")
		p.SetIdempotencyKey(r.Reference)
		_, err := g.api().V1PaymentIntents.Capture(ctx, intent, p)
		return err
	})
}
