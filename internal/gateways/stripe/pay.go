package stripe

import (
	"context"
	"net/http"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Pay implements gateways.Payer.
func (g *Gateway) Pay(ctx context.Context, r payment.PayRequest) payment.Fact {
	amount, err := toStripe(r.Amount)
	if err != nil {
		return fact(r.Reference, payment.NotSent, "amount_not_supported", err.Error()+".")
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	a := g.exchange(ctx, "pay", r.Reference, false, func(ctx context.Context) error {
		if onCheckout(r.Method) {
			_, err := g.api().V1CheckoutSessions.Create(ctx, g.sessionParams(r, amount))
			return err
		}
		_, err := g.api().V1PaymentIntents.Create(ctx, g.intentParams(r, amount))
		return err
	})
	if a.Outcome != gateways.Answered {
		return a.Fact(r.Reference)
	}
	if a.Status != http.StatusOK {
		return refused(r.Reference, a)
	}
	return g.paid(ctx, r, a)
}

// paid reads the answer to a request to pay.
func (g *Gateway) paid(ctx context.Context, r payment.PayRequest, a gateways.Answer) payment.Fact {
	o, err := decodeFound(a.Body)
	if err != nil {
		return a.Unreadable().Fact(r.Reference)
	}
	if !o.echoes() {
		return g.askAgain(ctx, r.Reference, o.id())
	}
	if o.reference() != r.Reference {
		return fact(r.Reference, payment.Unknown, "reference_mismatch", "The payment provider answered about another payment.")
	}
	facts, err := o.facts(g, payment.SourceAnswer)
	if err != nil {
		return a.Unreadable().Fact(r.Reference)
	}
	f := facts[0]
	if f.Type == r.Type() {
		f.Type = "" // the one that was asked for
	}
	return f
}

// askAgain asks for what an answer did not say. Such an answer is a hint that
// the payment exists, and proves nothing about it.
func (g *Gateway) askAgain(ctx context.Context, reference, id string) payment.Fact {
	facts, err := g.Inquire(ctx, payment.Inquiry{
		Reference: reference, GatewayReference: id, Type: payment.Authorize, CreatedAt: g.deps.Now(),
	})
	if err != nil {
		return fact(reference, payment.Unknown, "answer_without_echo", "The payment provider did not say what its answer is about.")
	}
	return facts[0]
}

// refused reads an answer that is an error, after the table of refusals.
func refused(reference string, a gateways.Answer) payment.Fact {
	e, err := decode[errorObject](a.Body)
	if err != nil || e.Error.Type == "" {
		return a.Unreadable().Fact(reference)
	}
	f := fact(reference, refusalState(a.Status, e.Error), "", "")
	f.Reason = reasonOf(e.Error)
	return f
}

// fact is one of an answer that proves nothing, or of a request that was not made.
func fact(reference string, state payment.State, code, message string) payment.Fact {
	return payment.Fact{
		Source: payment.SourceAnswer, Reference: reference, State: state,
		Reason: payment.Reason{Code: code, Message: message},
	}
}

const (
	captureAutomatic = "automatic"
	captureManual    = "manual"
	ifAvailable      = "if_available"
	nameMaxRunes     = 100
)

// sessionParams asks for a page of Stripe's with one line: the total of a part of
// an order is no sum of the order's lines. The amount stays in the order's
// currency; with adaptive pricing the shopper could choose another.
func (g *Gateway) sessionParams(r payment.PayRequest, amount int64) *stripe.CheckoutSessionCreateParams {
	p := &stripe.CheckoutSessionCreateParams{
		Mode:              stripe.String(string(stripe.CheckoutSessionModePayment)),
		ClientReferenceID: stripe.String(r.Reference),
		Metadata:          metadata(r),
		SuccessURL:        stripe.String(r.SuccessURL),
		CancelURL:         stripe.String(r.FailureURL),
		AdaptivePricing:   &stripe.CheckoutSessionCreateAdaptivePricingParams{Enabled: stripe.Bool(false)},
		LineItems: []*stripe.CheckoutSessionCreateLineItemParams{{
			Quantity: stripe.Int64(1),
			PriceData: &stripe.CheckoutSessionCreateLineItemPriceDataParams{
				Currency: stripe.String(currencyOf(r.Amount)), UnitAmount: stripe.Int64(amount),
				ProductData: &stripe.CheckoutSessionCreateLineItemPriceDataProductDataParams{Name: stripe.String(nameOf(r.Order))},
			},
		}},
		PaymentIntentData: &stripe.CheckoutSessionCreatePaymentIntentDataParams{
			CaptureMethod: stripe.String(captureOf(r)), Metadata: metadata(r), StatementDescriptorSuffix: g.suffix(),
		},
	}
	if g.mayIncrease(r) {
		p.PaymentMethodOptions = &stripe.CheckoutSessionCreatePaymentMethodOptionsParams{
			Card: &stripe.CheckoutSessionCreatePaymentMethodOptionsCardParams{RequestIncrementalAuthorization: stripe.String(ifAvailable)},
		}
	}
	if types := g.config().PaymentMethodTypes; len(types) > 0 {
		p.PaymentMethodTypes = stripe.StringSlice(types)
	}
	p.SetIdempotencyKey(r.Reference)
	return p
}

// intentParams asks for an intent that the shop's page confirms with a card.
func (g *Gateway) intentParams(r payment.PayRequest, amount int64) *stripe.PaymentIntentCreateParams {
	p := &stripe.PaymentIntentCreateParams{
		Amount: stripe.Int64(amount), Currency: stripe.String(currencyOf(r.Amount)),
		CaptureMethod: stripe.String(captureOf(r)), PaymentMethodTypes: stripe.StringSlice([]string{"card"}),
		Metadata: metadata(r), Description: stripe.String(nameOf(r.Order)), StatementDescriptorSuffix: g.suffix(),
	}
	if g.mayIncrease(r) {
		p.PaymentMethodOptions = &stripe.PaymentIntentCreatePaymentMethodOptionsParams{
			Card: &stripe.PaymentIntentCreatePaymentMethodOptionsCardParams{RequestIncrementalAuthorization: stripe.String(ifAvailable)},
		}
	}
	p.SetIdempotencyKey(r.Reference)
	return p
}

// mayIncrease tells whether the payment shall allow that more is reserved later:
// Stripe has to know before.
func (g *Gateway) mayIncrease(r payment.PayRequest) bool {
	return !r.Capture && g.config().IncrementalAuthorization
}

func metadata(r payment.PayRequest) map[string]string {
	return map[string]string{metaReference: r.Reference, metaMethod: r.Method}
}

func captureOf(r payment.PayRequest) string {
	if r.Capture {
		return captureAutomatic
	}
	return captureManual
}

func (g *Gateway) suffix() *string {
	if s := g.config().StatementDescriptorSuffix; s != "" {
		return stripe.String(s)
	}
	return nil
}

// currencyOf returns Stripe's word for the currency.
func currencyOf(m payment.Money) string { return strings.ToLower(m.Currency().String()) }

// nameOf is what the shopper reads on Stripe's page and the shop in the dashboard.
func nameOf(o *payment.Order) string {
	name := []rune("Order " + o.Number)
	return string(name[:min(len(name), nameMaxRunes)])
}
