package sandbox

import (
	"context"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// notification is an event in the PSP's words.
type notification struct {
	ID        string          `json:"id"`
	Event     string          `json:"event"`
	Created   time.Time       `json:"created"`
	Payment   paymentObject   `json:"payment"`
	Operation operationObject `json:"operation"`
}

const signatureField = "Sandbox-Signature"

// ReadNotification implements gateways.NotificationReader. The facts are those
// of the whole payment, in the order in which they happened, so that one
// notification makes up for another that was lost.
func (g *Gateway) ReadNotification(_ context.Context, raw payment.RawNotification) (gateways.Notice, error) {
	if err := gateways.VerifyStamped(raw, signatureField, g.config().WebhookSecrets, g.deps.Now()); err != nil {
		return gateways.Notice{}, err
	}
	n, err := decode[notification](raw.Body)
	if err != nil || !gateways.PlainID(n.ID) || !gateways.PlainID(n.Event) {
		return gateways.Notice{}, payment.Errorf(payment.KindInvalid, "notification_unreadable", "the notification cannot be read")
	}
	notice := gateways.Notice{EventID: n.ID, Type: n.Event}
	if gateways.PlainID(n.Payment.Reference) {
		notice.Reference = n.Payment.Reference
	}
	if _, known := events[n.Event]; !known {
		return notice, nil
	}
	facts, err := g.facts(&n.Payment, payment.SourceNotification)
	if err != nil || !n.Payment.echoes() {
		return notice, payment.Errorf(payment.KindInvalid, "notification_unreadable", "the notification does not say what it is about")
	}
	about := subject(facts, n.Operation)
	if about == nil || contradicts(n.Event, n.Operation) {
		return notice, payment.Errorf(payment.KindInvalid, "notification_contradictory", "the notification contradicts itself")
	}
	if about.At.IsZero() {
		about.At = n.Created
	}
	notice.Facts = facts
	return notice, nil
}

// subject finds the fact that the event's operation is about, and checks that
// both say the same.
func subject(facts []payment.Fact, o operationObject) *payment.Fact {
	typ, known := types[o.Operation]
	amount, err := money(o.Amount, o.Currency)
	if !known || err != nil {
		return nil
	}
	for i := range facts {
		f := &facts[i]
		same := f.Type == typ && f.GatewayReference == o.ID
		switch {
		case o.increases():
			same = f.Type == typ && f.Reference == o.Reference
		case typ.Initial():
			same = f.Type == "" && f.Reference == o.Reference
		}
		if same && f.State == stateOf(o.State) && f.Amount.Equal(amount) {
			return f
		}
	}
	return nil
}
