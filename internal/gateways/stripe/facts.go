package stripe

import (
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// echoes tells whether the session says what it is about.
func (s *sessionObject) echoes() bool {
	return s.ClientReferenceID != "" && s.AmountTotal != nil && s.Livemode != nil
}

// echoes tells whether the intent says what it is about.
func (p *intentObject) echoes() bool {
	return p.Metadata[metaReference] != "" && p.Amount != nil && p.Livemode != nil
}

// sessionFacts returns what a session says: first of the payment itself, then of
// what followed, as far as its intent is there. An object of which a part cannot
// be kept says nothing.
func (g *Gateway) sessionFacts(s *sessionObject, source payment.Source) ([]payment.Fact, error) {
	amount, err := fromStripe(s.AmountTotal, s.Currency)
	if err != nil || !s.echoes() || !gateways.PlainID(s.ID) || !gateways.PlainID(s.ClientReferenceID) {
		return nil, errUnreadable
	}
	f := payment.Fact{
		Source: source, Reference: s.ClientReferenceID, GatewayReference: s.ID, State: stateIn(sessionStates, s.Status),
		Amount: &amount, Account: g.ourAccount(""), Mode: modeOf(s.Livemode),
	}
	switch s.Status {
	case "open":
		if validRedirect(s.URL) {
			f.NextAction = &payment.NextAction{Type: "redirect", URL: s.URL}
		}
	case "complete":
		return g.completeFacts(s, f)
	}
	f.Reason = whyState(f.State, s.Status)
	return []payment.Fact{f}, nil
}

// completeFacts returns what a session says that the shopper has been through.
// Its intent knows more, and can no longer be tried again.
func (g *Gateway) completeFacts(s *sessionObject, f payment.Fact) ([]payment.Fact, error) {
	f.State = stateIn(completeStates, s.PaymentStatus)
	f.Reason = whyState(f.State, s.PaymentStatus)
	if s.PaymentIntent.Object == nil {
		return []payment.Fact{f}, nil
	}
	facts, err := g.intentFacts(s.PaymentIntent.Object, f.Source)
	if err != nil || facts[0].Reference != f.Reference {
		return nil, errUnreadable
	}
	facts[0].GatewayReference = s.ID
	if facts[0].State != payment.ActionRequired {
		return facts, nil
	}
	facts[0].State, facts[0].NextAction = payment.Pending, nil // a voucher that is printed, or a transfer to come
	if s.PaymentIntent.Object.Status == "requires_payment_method" {
		facts[0].State = payment.Declined
		if facts[0].Reason.Code == "" {
			facts[0].Reason.Code = "payment_failed"
		}
	}
	return facts, nil
}

// intentFacts returns what an intent of ours says: first of the payment itself,
// then of what was reserved on top, taken, let go and given back, as far as its
// charge is there.
func (g *Gateway) intentFacts(p *intentObject, source payment.Source) ([]payment.Fact, error) {
	if !p.echoes() || !gateways.PlainID(p.Metadata[metaReference]) {
		return nil, errUnreadable
	}
	return g.anyIntentFacts(p, source)
}

// anyIntentFacts does so for an intent that may be of another program.
func (g *Gateway) anyIntentFacts(p *intentObject, source payment.Source) ([]payment.Fact, error) {
	whole, err := fromStripe(p.Amount, p.Currency)
	if err != nil || p.Livemode == nil || !gateways.PlainID(p.ID) {
		return nil, errUnreadable
	}
	first := payment.Fact{
		Source: source, Reference: p.Metadata[metaReference], GatewayReference: p.ID, State: stateIn(intentStates, p.Status),
		Amount: &whole, Account: g.ourAccount(""), Mode: modeOf(p.Livemode),
	}
	switch {
	case p.Status == "requires_capture", p.Status == "succeeded", p.Status == "canceled" && p.wasReserved():
		return p.reservedFacts(first)
	case p.Status == "canceled" && p.CancellationReason != "":
		first.Reason = gateways.PlainReason(p.CancellationReason, "", "")
	case first.State == payment.ActionRequired:
		first.NextAction = g.clientAction(p)
		if p.LastPaymentError != nil {
			first.Reason = reasonOf(*p.LastPaymentError)
		}
	}
	if first.Reason.Code == "" {
		first.Reason = whyState(first.State, p.Status)
	}
	return []payment.Fact{first}, nil
}

// wasReserved tells of a canceled intent whether its money was reserved before.
func (p *intentObject) wasReserved() bool {
	c := p.LatestCharge.Object
	return p.CaptureMethod == captureManual && c != nil && c.Status == "succeeded"
}

// isVague tells of a canceled intent that its charge is needed to say whether its
// money was reserved before.
func (p *intentObject) isVague() bool {
	return p.Status == "canceled" && p.CaptureMethod == captureManual && p.LatestCharge.Object == nil
}

// clientAction lets the shop's page go on with an intent, if it is the page's.
func (g *Gateway) clientAction(p *intentObject) *payment.NextAction {
	if p.Metadata[metaMethod] == "" || onCheckout(p.Metadata[metaMethod]) || !gateways.PlainID(p.ClientSecret) {
		return nil
	}
	data, err := json.Marshal(map[string]string{
		"kind": clientKind, "publishable_key": g.config().PublishableKey, "client_secret": p.ClientSecret,
	}, json.Deterministic(true))
	if err != nil {
		return nil
	}
	return &payment.NextAction{Type: "client", Data: data}
}

func modeOf(livemode *bool) payment.Mode {
	if *livemode {
		return payment.ModeLive
	}
	return payment.ModeTest
}

func timeOf(unix int64) time.Time {
	if unix <= 0 {
		return time.Time{}
	}
	return time.Unix(unix, 0).UTC()
}

// whyState returns why something is in its state, where nobody said.
func whyState(state payment.State, word string) payment.Reason {
	switch state {
	case payment.Declined, payment.Reversed:
		return gateways.PlainReason(word, "", "")
	case payment.Unknown:
		return payment.Reason{Code: "unknown_state", Message: "The payment provider reported a state that is not known."}
	default:
		return payment.Reason{}
	}
}

// validRedirect keeps browsers from anything but a web page.
func validRedirect(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
