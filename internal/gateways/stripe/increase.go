package stripe

import (
	"context"
	"strconv"

	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/payment"
)

// Increase implements gateways.Increaser. Stripe wants to be told the new total, so
// there can be one increase at a time.
func (g *Gateway) Increase(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	total, err := toStripe(r.Payment.Sums.Authorized.Add(r.Amount))
	switch {
	case err != nil:
		return []payment.Fact{fact(r.Reference, payment.NotSent, "amount_not_supported", err.Error()+".")}
	case increases(r.Payment, r.Reference):
		return []payment.Fact{fact(r.Reference, payment.NotSent, "increase_under_way", "Another increase is under way: the new total is not known.")}
	}
	return g.operate(ctx, "increase", r, func(ctx context.Context, intent string, minor int64) error {
		p := &stripe.PaymentIntentIncrementAuthorizationParams{
			Amount: stripe.Int64(total), Metadata: map[string]string{metaIncrease + r.Reference: strconv.FormatInt(minor, 10)},
		}
		p.AddExpand("latest_charge.refunds")
		p.SetIdempotencyKey(r.Reference)
		_, err := g.api().V1PaymentIntents.IncrementAuthorization(ctx, intent, p)
		return err
	})
}

// increases tells whether what is reserved may be growing by another transaction.
func increases(p *payment.Payment, except string) bool {
	for _, t := range p.Transactions {
		if t.Type == payment.Authorize && t.Reference != except && t.State.Open() {
			return true
		}
	}
	return false
}
