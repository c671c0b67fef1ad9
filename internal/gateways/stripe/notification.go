package stripe

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Stripe's words for the kinds of objects.
const (
	objectSession = "checkout.session"
	objectIntent  = "payment_intent"
	objectCharge  = "charge"
	objectRefund  = "refund"
	objectDispute = "dispute"
)

// meaning is what an event is about.
type meaning struct {
	// object is what it shows. A session and an intent bring our reference; of the
	// others Stripe is asked for the intent that they belong to, and of an intent
	// that was canceled after its money may have been reserved, for its charge.
	object string
	// state is that of what it shows, where only the event says it.
	state payment.State
}

// meanings are the events that say something about money. Any other is kept
// without facts.
var meanings = map[string]meaning{
	"checkout.session.completed":               {object: objectSession},
	"checkout.session.async_payment_succeeded": {object: objectSession},
	"checkout.session.async_payment_failed":    {object: objectSession, state: payment.Declined},
	"checkout.session.expired":                 {object: objectSession},

	"payment_intent.succeeded":                 {object: objectIntent},
	"payment_intent.amount_capturable_updated": {object: objectIntent},
	"payment_intent.payment_failed":            {object: objectIntent},
	"payment_intent.processing":                {object: objectIntent},
	"payment_intent.requires_action":           {object: objectIntent},
	"payment_intent.canceled":                  {object: objectIntent},

	"charge.captured": {object: objectCharge},
	"charge.expired":  {object: objectCharge},
	"charge.refunded": {object: objectCharge},

	"refund.created":        {object: objectRefund},
	"refund.updated":        {object: objectRefund},
	"refund.failed":         {object: objectRefund},
	"charge.refund.updated": {object: objectRefund}, // what old API versions call refund.updated

	"charge.dispute.created":          {object: objectDispute},
	"charge.dispute.updated":          {object: objectDispute},
	"charge.dispute.closed":           {object: objectDispute},
	"charge.dispute.funds_withdrawn":  {object: objectDispute, state: payment.Approved},
	"charge.dispute.funds_reinstated": {object: objectDispute, state: payment.Reversed},
}

// event is a notification. Its API version is that of the endpoint, not ours.
type event struct {
	ID       string `json:"id"`
	Object   string `json:"object"`
	Type     string `json:"type"`
	Created  int64  `json:"created"`
	Livemode *bool  `json:"livemode"`
	Account  string `json:"account"` // of a platform's connected account; ours has none
	// Request is what caused it; old versions show only its id.
	Request jsontext.Value `json:"request"`
	Data    struct {
		Object jsontext.Value `json:"object"`
	} `json:"data"`
}

// cause returns our reference of the operation that caused the event, or "".
func (e event) cause() string {
	r, err := decode[struct {
		IdempotencyKey string `json:"idempotency_key"`
	}](e.Request)
	if err != nil || !gateways.OurReference(r.IdempotencyKey) {
		return ""
	}
	return r.IdempotencyKey
}

const signatureField = "Stripe-Signature"

// ReadNotification implements gateways.NotificationReader.
func (g *Gateway) ReadNotification(ctx context.Context, raw payment.RawNotification) (gateways.Notice, error) {
	if err := gateways.VerifyStamped(raw, signatureField, g.config().WebhookSecrets, g.deps.Now()); err != nil {
		return gateways.Notice{}, err
	}
	head, err := decode[struct {
		ID     string `json:"id"`
		Object string `json:"object"`
		Type   string `json:"type"`
	}](raw.Body)
	if err != nil || !gateways.PlainID(head.ID) || !gateways.PlainID(head.Type) {
		return gateways.Notice{}, unreadableNotice()
	}
	notice := gateways.Notice{EventID: head.ID, Type: head.Type}
	means, known := meanings[head.Type]
	if !known {
		return notice, nil // of another form, perhaps
	}
	e, err := decode[event](raw.Body)
	if err != nil || e.Object != "event" || e.Livemode == nil {
		return notice, unreadableNotice()
	}
	shown, err := decode[shownObject](e.Data.Object)
	if err != nil || shown.Object != means.object || shown.Livemode != nil && *shown.Livemode != *e.Livemode {
		return notice, unreadableNotice()
	}
	if means.object == objectSession || means.object == objectIntent {
		return g.readPayment(ctx, notice, e, means)
	}
	return g.readFollowing(ctx, notice, e, shown.PaymentIntent.ID)
}

// shownObject is what all objects of events have.
type shownObject struct {
	Object        string                   `json:"object"`
	Livemode      *bool                    `json:"livemode"`
	PaymentIntent expandable[intentObject] `json:"payment_intent"`
}

// readPayment reads an event that shows a session or an intent. One without a
// reference is of another program with the same account.
func (g *Gateway) readPayment(ctx context.Context, notice gateways.Notice, e event, means meaning) (gateways.Notice, error) {
	o, err := decodeFound(e.Data.Object)
	if err != nil {
		return notice, unreadableNotice()
	}
	if o.reference() == "" {
		return notice, nil
	}
	if o.intent != nil && o.intent.isVague() {
		return g.readFollowing(ctx, notice, e, o.intent.ID)
	}
	if gateways.PlainID(o.reference()) {
		notice.Reference = o.reference()
	}
	facts, err := o.facts(g, payment.SourceNotification)
	if err != nil {
		return notice, unreadableNotice()
	}
	if means.state != "" {
		if facts[0].State != payment.Pending && facts[0].State != means.state {
			return notice, payment.Errorf(payment.KindInvalid, "notification_contradictory", "the notification contradicts itself")
		}
		facts[0].State, facts[0].Reason = means.state, payment.Reason{Code: "payment_failed"}
	}
	facts[0].At = timeOf(e.Created)
	for i := range facts {
		facts[i].Account = g.ourAccount(e.Account)
	}
	notice.Facts = facts
	return notice, nil
}

// readFollowing reads an event about something that followed a payment. It does
// not name our reference, and shows too little of the payment: Stripe is asked.
func (g *Gateway) readFollowing(ctx context.Context, notice gateways.Notice, e event, intent string) (gateways.Notice, error) {
	if intent == "" || e.Account != "" {
		return notice, nil // no payment of ours
	}
	if !gateways.PlainID(intent) {
		return notice, unreadableNotice()
	}
	ctx, cancel := context.WithTimeout(ctx, g.timeout)
	defer cancel()
	p, err := asking{g: g, operation: "notification"}.known(ctx, intent)
	switch {
	case errors.Is(err, gateways.ErrNotFound):
		return notice, payment.Errorf(payment.KindInvalid, "notification_about_unknown", "the account's key knows no such payment")
	case err != nil:
		return notice, err
	case p.Metadata[metaReference] == "":
		return notice, nil
	}
	facts, err := g.intentFacts(&p, payment.SourceNotification)
	if err != nil || *p.Livemode != *e.Livemode {
		return notice, unreadableNotice()
	}
	notice.Reference = facts[0].Reference
	shown, err := g.shownFacts(facts[0], &p, e)
	if err != nil {
		return notice, unreadableNotice()
	}
	notice.Facts = merge(facts, shown)
	if p.Status == "canceled" {
		nameVoid(notice.Facts, e.cause())
	}
	return notice, nil
}

// nameVoid gives a void our reference of the request that made it: all that Stripe
// says with a canceled intent was caused by that.
func nameVoid(facts []payment.Fact, cause string) {
	for i, f := range facts {
		if cause != "" && f.Type == payment.Void {
			facts[i].Reference = cause
		}
	}
}

// shownFacts returns what the event itself says of a refund or a dispute.
func (g *Gateway) shownFacts(of payment.Fact, p *intentObject, e event) ([]payment.Fact, error) {
	of.At = time.Time{}
	switch meanings[e.Type].object {
	case objectRefund:
		r, err := decode[refundObject](e.Data.Object)
		if err != nil {
			return nil, err
		}
		if c := p.LatestCharge.Object; p.ID != "" && p.Status != "succeeded" || c != nil && c.released(r) {
			return nil, nil
		}
		f, err := refundFact(of, r)
		return []payment.Fact{f}, err
	case objectDispute:
		d, err := decode[disputeObject](e.Data.Object)
		if err != nil {
			return nil, err
		}
		f, err := disputeFact(of, d, meanings[e.Type].state)
		return []payment.Fact{f}, err
	}
	return nil, nil
}

// merge adds facts that are not there yet: Stripe shows the newest refunds only,
// and what it shows now is newer than the event.
func merge(facts, shown []payment.Fact) []payment.Fact {
	for _, f := range shown {
		there := slices.ContainsFunc(facts, func(g payment.Fact) bool {
			return g.Type == f.Type && g.GatewayReference == f.GatewayReference
		})
		if !there {
			facts = append(facts, f)
		}
	}
	return facts
}

func unreadableNotice() error {
	return payment.Errorf(payment.KindInvalid, "notification_unreadable", "the notification cannot be read or does not say what it is about")
}
