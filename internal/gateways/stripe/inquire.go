package stripe

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// errOnlyPayments keeps "no such payment" from being read as the fate of
// something else: only a payment can be abandoned.
var errOnlyPayments = errors.New("only a payment can be closed")

// Inquire implements gateways.Inquirer. What followed a payment (a refund from the
// dashboard, a dispute) is among the facts.
func (g *Gateway) Inquire(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error) {
	facts, err := g.inquire(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("inquire %s: %w", q.Reference, err)
	}
	return facts, nil
}

func (g *Gateway) inquire(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	if began(q) {
		return g.learn(ctx, "inquire", q, false)
	}
	return operation{
		asking: asking{g: g, operation: "inquire", reference: q.Reference}, typ: q.Type, initial: q.Initial, id: q.GatewayReference,
	}.learn(ctx, payment.SourceInquiry)
}

// began tells whether the question is about what began a payment. An increase is
// an authorization too, but not the first.
func began(q payment.Inquiry) bool {
	return q.Type.Initial() && (q.Initial.Reference == "" || q.Initial.Reference == q.Reference)
}

// Close implements gateways.Closer: an open session expires, an intent that still
// waits for the shopper is canceled. Money that is reserved or on its way stays.
func (g *Gateway) Close(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error) {
	if !began(q) {
		return nil, fmt.Errorf("close %s: %w", q.Reference, errOnlyPayments)
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	facts, err := g.learn(ctx, "close", q, true)
	if err != nil {
		return nil, fmt.Errorf("close %s: %w", q.Reference, err)
	}
	return facts, nil
}

// learn finds the payment, ends it where that is wanted and can be, and returns
// what is true then.
func (g *Gateway) learn(ctx context.Context, operation string, q payment.Inquiry, end bool) ([]payment.Fact, error) {
	ask := asking{g: g, operation: operation, reference: q.Reference}
	id := q.GatewayReference
	if id == "" {
		found, err := ask.find(ctx, q.CreatedAt)
		if err != nil {
			return nil, err
		}
		id = found
	}
	o, err := ask.payment(ctx, id)
	if err != nil {
		return nil, err
	}
	if end && o.waits() {
		if o, err = ask.end(ctx, o); err != nil {
			return nil, err
		}
	}
	facts, err := o.facts(g, payment.SourceInquiry)
	if err != nil || o.reference() != q.Reference {
		return nil, unreadable()
	}
	disputes, err := ask.disputes(ctx, o, facts[0])
	if err != nil {
		return nil, err
	}
	return append(facts, disputes...), nil
}

// asking is a question that may take several exchanges.
type asking struct {
	g                    *Gateway
	operation, reference string
}

func (a asking) safely(ctx context.Context, request func(context.Context) error) gateways.Answer {
	return a.g.exchange(ctx, a.operation, a.reference, true, request)
}

// payment asks for a session or an intent by its id. An intent that still waits
// for the shopper on a page of Stripe's is known by its session.
func (a asking) payment(ctx context.Context, id string) (found, error) {
	if strings.HasPrefix(id, "cs_") {
		return a.session(ctx, id)
	}
	p, err := a.intent(ctx, id)
	if err != nil {
		return found{}, err
	}
	o := found{intent: &p}
	if !o.waits() || !onCheckout(p.Metadata[metaMethod]) {
		return o, nil
	}
	sessions, err := a.page(ctx, "list", func(ctx context.Context) error {
		params := &stripe.CheckoutSessionListParams{PaymentIntent: stripe.String(id)}
		params.Single, params.Limit = true, stripe.Int64(1)
		return a.g.api().V1CheckoutSessions.List(ctx, params).Err()
	})
	if err != nil || len(sessions.Data) == 0 {
		return o, err
	}
	return a.session(ctx, sessions.Data[0].ID)
}

func (a asking) session(ctx context.Context, id string) (found, error) {
	s, err := answered[sessionObject](a.safely(ctx, func(ctx context.Context) error {
		params := &stripe.CheckoutSessionRetrieveParams{}
		params.AddExpand("payment_intent.latest_charge.refunds")
		_, err := a.g.api().V1CheckoutSessions.Retrieve(ctx, id, params)
		return err
	}))
	if err != nil || s.ID != id {
		return found{}, notAsked(err)
	}
	return found{session: &s}, nil
}

func (a asking) intent(ctx context.Context, id string) (intentObject, error) {
	p, err := a.known(ctx, id)
	if err != nil {
		return intentObject{}, notAsked(err)
	}
	return p, nil
}

// known asks for an intent that may be none of ours.
func (a asking) known(ctx context.Context, id string) (intentObject, error) {
	p, err := answered[intentObject](a.safely(ctx, func(ctx context.Context) error {
		params := &stripe.PaymentIntentRetrieveParams{}
		params.AddExpand("latest_charge.refunds")
		_, err := a.g.api().V1PaymentIntents.Retrieve(ctx, id, params)
		return err
	}))
	if err == nil && p.ID != id {
		err = unreadable()
	}
	return p, err
}

// end expires a session or cancels an intent. Where Stripe refuses, the shopper
// was faster, and the payment is asked for again.
func (a asking) end(ctx context.Context, o found) (found, error) {
	// Ending twice does no harm, but the answer to an earlier attempt must not be
	// repeated to this one.
	key := a.reference + "-" + a.operation + "-" + strconv.FormatInt(a.g.deps.Now().UnixNano(), 10)
	answer := a.g.exchange(ctx, a.operation, a.reference, false, func(ctx context.Context) error {
		if o.session != nil {
			params := &stripe.CheckoutSessionExpireParams{}
			params.SetIdempotencyKey(key)
			_, err := a.g.api().V1CheckoutSessions.Expire(ctx, o.id(), params)
			return err
		}
		params := &stripe.PaymentIntentCancelParams{CancellationReason: stripe.String("abandoned")}
		params.AddExpand("latest_charge.refunds")
		params.SetIdempotencyKey(key)
		_, err := a.g.api().V1PaymentIntents.Cancel(ctx, o.id(), params)
		return err
	})
	if answer.Outcome == gateways.Answered && answer.Status >= http.StatusBadRequest {
		return a.payment(ctx, o.id())
	}
	if answer.Outcome != gateways.Answered {
		return found{}, answer.Err()
	}
	after, err := decodeFound(answer.Body)
	if err != nil || after.id() != o.id() {
		return found{}, unreadable()
	}
	return after, nil
}

// disputes asks for what became of a charge that is disputed.
func (a asking) disputes(ctx context.Context, o found, of payment.Fact) ([]payment.Fact, error) {
	p := o.paid()
	if p == nil || p.LatestCharge.Object == nil || !p.LatestCharge.Object.Disputed {
		return nil, nil
	}
	page, err := answered[list[disputeObject]](a.safely(ctx, func(ctx context.Context) error {
		params := &stripe.DisputeListParams{PaymentIntent: stripe.String(p.ID)}
		params.Single = true
		return a.g.api().V1Disputes.List(ctx, params).Err()
	}))
	if err != nil || page.Object != "list" || page.Data == nil {
		return nil, notAsked(err)
	}
	var facts []payment.Fact
	for _, d := range page.Data {
		f, err := disputeFact(of, d, "")
		if err != nil {
			return nil, unreadable()
		}
		facts = append(facts, f)
	}
	return facts, nil
}

// unreadable is the error of an answer that taught nothing.
func unreadable() error { return gateways.Answer{}.Unreadable().Err() }

// notAsked makes an error of every answer that is none: that Stripe no longer
// knows what it named once says more about our key than about the payment.
func notAsked(err error) error {
	if err == nil || errors.Is(err, gateways.ErrNotFound) {
		return unreadable()
	}
	return err
}
