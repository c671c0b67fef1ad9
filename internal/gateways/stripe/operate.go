package stripe

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// operation is one that we asked for, about a payment that was begun before.
type operation struct {
	asking
	typ     payment.Type
	initial payment.Transaction
	id      string // of a refund, where Stripe told it
}

// request has the SDK ask for something with an intent and an amount in Stripe's
// minor units.
type request func(ctx context.Context, intent string, minor int64) error

// operate asks for an operation, once, and returns what is true of it then.
func (g *Gateway) operate(ctx context.Context, word string, r payment.OperationRequest, ask request) []payment.Fact {
	minor, err := toStripe(r.Amount)
	if err != nil {
		return []payment.Fact{fact(r.Reference, payment.NotSent, "amount_not_supported", err.Error()+".")}
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	o := operation{asking: asking{g: g, operation: word, reference: r.Reference}, typ: r.Type, initial: *r.Initial()}
	intent, err := o.intentID(ctx)
	if err != nil {
		return []payment.Fact{fact(r.Reference, payment.NotSent, "gateway_unavailable", "The payment provider did not say which payment this is about.")}
	}
	a := g.exchange(ctx, word, r.Reference, false, func(ctx context.Context) error { return ask(ctx, intent, minor) })
	switch {
	case a.Outcome != gateways.Answered:
		return []payment.Fact{a.Fact(r.Reference)}
	case a.Status != http.StatusOK:
		return o.refused(ctx, a)
	}
	return o.answered(ctx, a, intent)
}

// intentID returns Stripe's id of the intent that the operation is about. A payment
// on a page of Stripe's is known by its session.
func (o operation) intentID(ctx context.Context) (string, error) {
	id := o.initial.GatewayReference
	if id == "" {
		begun := asking{g: o.g, operation: o.operation, reference: o.initial.Reference}
		found, err := begun.find(ctx, o.initial.CreatedAt)
		if err != nil {
			return "", notAsked(err) // of the payment, not of the operation
		}
		id = found
	}
	if strings.HasPrefix(id, "cs_") {
		s, err := o.session(ctx, id)
		if err != nil {
			return "", err
		}
		id = s.session.PaymentIntent.ID
	}
	if !gateways.PlainID(id) {
		return "", unreadable()
	}
	return id, nil
}

// answered reads an answer that is no error.
func (o operation) answered(ctx context.Context, a gateways.Answer, intent string) []payment.Fact {
	facts, err := o.read(a.Body, intent)
	switch {
	case err == nil:
		return facts
	case errors.Is(err, errAnother):
		return []payment.Fact{fact(o.reference, payment.Unknown, "reference_mismatch", "The payment provider answered about something else.")}
	case !errors.Is(err, errBare):
		return []payment.Fact{a.Unreadable().Fact(o.reference)}
	}
	if facts, err = o.learn(ctx, payment.SourceAnswer); err != nil {
		return []payment.Fact{fact(o.reference, payment.Unknown, "answer_without_echo", "The payment provider did not say what its answer is about.")}
	}
	return facts
}

// refused reads an answer that is an error. "Already done" may be so because this
// very operation was made, and of a payment in another state than was thought more
// is to be learnt: Stripe is asked. Only what it does not know then was refused.
func (o operation) refused(ctx context.Context, a gateways.Answer) []payment.Fact {
	f := refused(o.reference, a)
	if f.State != payment.NotSent || !slices.Contains(stateRefusals, f.Reason.Code) {
		return []payment.Fact{f}
	}
	facts, err := o.learn(ctx, payment.SourceAnswer)
	switch {
	case errors.Is(err, gateways.ErrNotFound):
		f.State = payment.Declined
		return []payment.Fact{f}
	case err != nil:
		f.State = payment.Unknown
		return []payment.Fact{f}
	}
	if facts[0].State == payment.Declined && facts[0].GatewayReference == "" {
		facts[0].Reason = f.Reason
	}
	return facts
}

// learn asks what became of the operation. gateways.ErrNotFound means that Stripe
// knows of none by now, and it could still be made.
func (o operation) learn(ctx context.Context, source payment.Source) ([]payment.Fact, error) {
	if o.typ == payment.Refund {
		return o.learnRefund(ctx, source)
	}
	id, err := o.intentID(ctx)
	if err != nil {
		return nil, err
	}
	p, err := o.intent(ctx, id)
	if err != nil {
		return nil, err
	}
	facts, err := o.inIntent(&p, source)
	if errors.Is(err, errUnreadable) || errors.Is(err, errAnother) || errors.Is(err, errBare) {
		return nil, unreadable()
	}
	return facts, err
}

// The errors of an answer that is about something else than was asked, and of one
// that does not say what it is about.
var (
	errAnother = errors.New("the object is another one")
	errBare    = errors.New("the object does not say what it is about")
)

// read reads what Stripe answers to the request itself.
func (o operation) read(body []byte, intent string) ([]payment.Fact, error) {
	if o.typ == payment.Refund {
		r, err := decode[refundObject](body)
		if err != nil {
			return nil, errUnreadable
		}
		return o.inRefund(&r, payment.SourceAnswer)
	}
	p, err := decode[intentObject](body)
	switch {
	case err != nil:
		return nil, errUnreadable
	case p.ID != intent:
		return nil, errAnother
	}
	facts, err := o.inIntent(&p, payment.SourceAnswer)
	if errors.Is(err, gateways.ErrNotFound) || err == nil && facts[0].State == payment.Declined {
		return nil, errBare // Stripe says done, and does not show it
	}
	return facts, err
}

// inIntent returns what an intent says of the operation, which comes first. Where
// it can no longer be made, the rest is what was done instead.
func (o operation) inIntent(p *intentObject, source payment.Source) ([]payment.Fact, error) {
	switch {
	case !p.echoes() || p.isVague() && p.LatestCharge.ID != "":
		return nil, errBare
	case p.Metadata[metaReference] != o.initial.Reference,
		o.typ == payment.Capture && gateways.OurReference(p.Metadata[metaCapture]) && p.Metadata[metaCapture] != o.reference:
		return nil, errAnother
	}
	facts, err := o.g.intentFacts(p, source)
	if err != nil {
		return nil, err
	}
	for i, f := range facts {
		if o.typ == payment.Void && p.Status == "canceled" && f.Type == payment.Void {
			facts[i].Reference = o.reference // an intent is let go once, and that is it
		}
	}
	own := slices.DeleteFunc(slices.Clone(facts), func(f payment.Fact) bool { return f.Reference != o.reference })
	switch {
	case len(own) > 0:
		return own, nil
	case p.Status == "requires_capture":
		return nil, gateways.ErrNotFound
	case stateIn(intentStates, p.Status) == payment.Pending, stateIn(intentStates, p.Status) == payment.Unknown:
		return nil, unreadable()
	}
	declined := facts[0]
	declined.Reference, declined.Type, declined.State, declined.Amount = o.reference, o.typ, payment.Declined, nil
	declined.GatewayReference = "" // the intent's is that of what was done instead
	declined.Reason = payment.Reason{Code: codeUnexpected, Message: "The payment is in another state at the payment provider."}
	declined.NextAction = nil
	return append([]payment.Fact{declined}, facts...), nil
}
