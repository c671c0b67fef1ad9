package stripe

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"
	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// listItems is how many events a page of List has. For most that follow a payment
// Stripe is asked once more.
const listItems = 20

// listed are the events that say of an operation that it moved money, and the
// types of the facts that this operation is.
var listed = map[string][]payment.Type{
	"payment_intent.amount_capturable_updated": {payment.Authorize},
	"payment_intent.succeeded":                 {payment.AuthorizeAndCapture, payment.Capture, payment.Void},
	"payment_intent.canceled":                  {payment.Void},
	"charge.refunded":                          {payment.Refund}, // what old API versions have for refund.created
	"refund.created":                           {payment.Refund},
	"refund.updated":                           {payment.Refund},
	"refund.failed":                            {payment.Refund},
	"charge.refund.updated":                    {payment.Refund},
	"charge.dispute.created":                   {payment.Chargeback},
	"charge.dispute.closed":                    {payment.Chargeback},
	"charge.dispute.funds_withdrawn":           {payment.Chargeback},
	"charge.dispute.funds_reinstated":          {payment.Chargeback},
}

// List implements gateways.Lister: it reads the account's events, which Stripe
// keeps for 30 days, the newest page first. Something with several events on
// different pages is told by each.
func (g *Gateway) List(ctx context.Context, from, to time.Time, cursor string) (facts []payment.Fact, next string, err error) {
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	l := listing{asking: asking{g: g, operation: "list"}, from: from, to: to, intents: map[string]intentObject{}}
	page, err := l.events(ctx, cursor)
	if err != nil {
		return nil, "", fmt.Errorf("list events: %w", err)
	}
	for _, raw := range slices.Backward(page.Data) { // the oldest first
		e, err := decode[event](raw)
		if err != nil || !gateways.PlainID(e.ID) || e.Livemode == nil {
			return nil, "", unreadable()
		}
		told, err := l.facts(ctx, e)
		if err != nil {
			return nil, "", fmt.Errorf("list event %s: %w", e.ID, err)
		}
		facts = merge(told, facts) // the newest of what is known of one thing
		if next == "" && page.HasMore {
			next = e.ID
		}
	}
	if page.HasMore && next == "" {
		return nil, "", unreadable()
	}
	return facts, next, nil
}

// listing is one page under way. It asks for each intent once.
type listing struct {
	asking
	from, to time.Time
	intents  map[string]intentObject
}

func (l listing) events(ctx context.Context, cursor string) (list[jsontext.Value], error) {
	page, err := answered[list[jsontext.Value]](l.safely(ctx, func(ctx context.Context) error {
		params := &stripe.EventListParams{CreatedRange: &stripe.RangeQueryParams{
			GreaterThanOrEqual: l.from.Unix(), LesserThan: l.to.Unix(),
		}}
		for typ := range listed {
			params.Types = append(params.Types, stripe.String(typ))
		}
		params.Single, params.Limit = true, stripe.Int64(listItems)
		if cursor != "" {
			params.StartingAfter = stripe.String(cursor)
		}
		return l.g.api().V1Events.List(ctx, params).Err()
	}))
	if err != nil || page.Object != "list" || page.Data == nil {
		return list[jsontext.Value]{}, notAsked(err)
	}
	return page, nil
}

// facts returns what an event says of the operation that it is about. What cannot
// be told in our words and is not of a payment of ours concerns nobody here.
func (l listing) facts(ctx context.Context, e event) ([]payment.Fact, error) {
	shown, err := decode[shownObject](e.Data.Object)
	if err != nil || shown.Object != meanings[e.Type].object {
		return nil, unreadable()
	}
	if e.Account != "" {
		return nil, nil // a connected account's
	}
	p, err := l.payment(ctx, e, shown)
	if err != nil {
		return nil, err
	}
	ours := gateways.OurReference(p.Metadata[metaReference])
	facts, err := l.told(e, p)
	switch {
	case err != nil && !ours:
		return nil, nil
	case err != nil:
		return nil, unreadable()
	}
	return slices.DeleteFunc(facts, func(f payment.Fact) bool {
		moved := f.State == payment.Approved || f.State == payment.Reversed
		outside := shown.Object == objectCharge && (f.At.Before(l.from) || !f.At.Before(l.to))
		return !moved || outside || !slices.Contains(listed[e.Type], f.Type)
	}), nil
}

// told returns all that an event says, in the words of our books.
func (l listing) told(e event, p intentObject) ([]payment.Fact, error) {
	of := payment.Fact{Source: payment.SourceInquiry, Account: l.g.ourAccount(""), Mode: modeOf(e.Livemode)}
	if gateways.OurReference(p.Metadata[metaReference]) {
		of.Reference = p.Metadata[metaReference]
	}
	if object := meanings[e.Type].object; object == objectRefund || object == objectDispute {
		return l.g.shownFacts(of, &p, e)
	}
	if p.ID == "" {
		return nil, nil
	}
	facts, err := l.g.anyIntentFacts(&p, of.Source)
	for i, f := range facts {
		if f.Reference == p.Metadata[metaReference] {
			facts[i].Reference = of.Reference
		}
		if f.Type == "" {
			facts[i].Type = wholeType(&p)
		}
	}
	if p.Status == "canceled" {
		nameVoid(facts, e.cause())
	}
	return facts, err
}

// wholeType is what an intent is as a whole.
func wholeType(p *intentObject) payment.Type {
	if p.CaptureMethod == captureManual {
		return payment.Authorize
	}
	return payment.AuthorizeAndCapture
}

// payment returns the intent that an event shows or is about, as it was then if
// that says enough.
func (l listing) payment(ctx context.Context, e event, shown shownObject) (intentObject, error) {
	id := shown.PaymentIntent.ID
	if shown.Object == objectIntent {
		p, err := decode[intentObject](e.Data.Object)
		if err != nil {
			return p, unreadable()
		}
		if !p.isVague() {
			return p, nil
		}
		id = p.ID
	}
	if known, ok := l.intents[id]; ok || id == "" {
		return known, nil // without an id the charge is of another program, which knows no intents
	}
	p, err := l.known(ctx, id)
	switch {
	case errors.Is(err, gateways.ErrNotFound):
		return p, unreadable()
	case err == nil:
		l.intents[id] = p
	}
	return p, err
}
