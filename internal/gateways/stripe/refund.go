package stripe

import (
	"context"
	"slices"

	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// refundReasons are the words that Stripe knows. Any other it would refuse, and is
// kept beside the refund for people.
var refundReasons = []string{"duplicate", "fraudulent", "requested_by_customer"}

const reasonMaxRunes = 300

// Refund implements gateways.Refunder.
func (g *Gateway) Refund(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	return g.operate(ctx, "refund", r, func(ctx context.Context, intent string, minor int64) error {
		p := &stripe.RefundCreateParams{
			PaymentIntent: stripe.String(intent), Amount: stripe.Int64(minor),
			Metadata: map[string]string{metaReference: r.Reference},
		}
		switch reason := []rune(r.Reason); {
		case slices.Contains(refundReasons, r.Reason):
			p.Reason = stripe.String(r.Reason)
		case len(reason) > 0:
			p.Metadata[metaReason] = string(reason[:min(len(reason), reasonMaxRunes)])
		}
		p.AddExpand("payment_intent")
		p.SetIdempotencyKey(r.Reference)
		_, err := g.api().V1Refunds.Create(ctx, p)
		return err
	})
}

// inRefund returns what a refund says of the operation.
func (o operation) inRefund(r *refundObject, source payment.Source) ([]payment.Fact, error) {
	p := r.PaymentIntent.Object
	switch {
	case r.Metadata[metaReference] == "" || r.Amount == nil || p == nil || !p.echoes():
		return nil, errBare
	case r.Metadata[metaReference] != o.reference || p.Metadata[metaReference] != o.initial.Reference:
		return nil, errAnother
	}
	f, err := refundFact(payment.Fact{Source: source, Account: o.g.ourAccount(""), Mode: modeOf(p.Livemode)}, *r)
	if err != nil {
		return nil, err
	}
	f.Reference = o.reference
	return []payment.Fact{f}, nil
}

// learnRefund asks what became of a refund: by its id, or else by our reference
// among those of its intent.
func (o operation) learnRefund(ctx context.Context, source payment.Source) ([]payment.Fact, error) {
	id := o.id
	if id == "" {
		intent, err := o.intentID(ctx)
		if err != nil {
			return nil, err
		}
		id, err = o.among(ctx, func(ctx context.Context, after *string) error {
			params := &stripe.RefundListParams{PaymentIntent: stripe.String(intent)}
			params.Single, params.Limit, params.StartingAfter = true, stripe.Int64(pageItems), after
			return o.g.api().V1Refunds.List(ctx, params).Err()
		})
		switch {
		case err != nil:
			return nil, err
		case id == "":
			return nil, gateways.ErrNotFound
		}
	}
	r, err := answered[refundObject](o.safely(ctx, func(ctx context.Context) error {
		params := &stripe.RefundRetrieveParams{}
		params.AddExpand("payment_intent")
		_, err := o.g.api().V1Refunds.Retrieve(ctx, id, params)
		return err
	}))
	if err != nil || r.ID != id {
		return nil, notAsked(err)
	}
	facts, err := o.inRefund(&r, source)
	if err != nil {
		return nil, unreadable()
	}
	return facts, nil
}
