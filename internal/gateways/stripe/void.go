package stripe

import (
	"context"
	"slices"

	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/payment"
)

// cancelReasons are the words that Stripe knows. Any other it would refuse.
var cancelReasons = []string{"duplicate", "fraudulent", "requested_by_customer", "abandoned"}

// Void implements gateways.Voider: it cancels the intent, which lets go of all that
// it reserved. Stripe gives that no name and takes none: a void is known by its
// intent, and by our reference only as the key of the request.
func (g *Gateway) Void(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	return g.operate(ctx, "void", r, func(ctx context.Context, intent string, _ int64) error {
		p := &stripe.PaymentIntentCancelParams{}
		if slices.Contains(cancelReasons, r.Reason) {
			p.CancellationReason = stripe.String(r.Reason)
		}
		p.AddExpand("latest_charge.refunds")
		p.SetIdempotencyKey(r.Reference)
		_, err := g.api().V1PaymentIntents.Cancel(ctx, intent, p)
		return err
	})
}
