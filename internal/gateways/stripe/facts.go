package stripe

import (
	"net/url"
	"slices"
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

// intentFacts returns what an intent says: first of the payment itself, then of
// what was taken, let go and given back, as far as its charge is there.
func (g *Gateway) intentFacts(p *intentObject, source payment.Source) ([]payment.Fact, error) {
	amount, err := fromStripe(p.Amount, p.Currency)
	reference := p.Metadata[metaReference]
	if err != nil || !p.echoes() || !gateways.PlainID(p.ID) || !gateways.PlainID(reference) {
		return nil, errUnreadable
	}
	first := payment.Fact{
		Source: source, Reference: reference, GatewayReference: p.ID, State: stateIn(intentStates, p.Status),
		Amount: &amount, Account: g.ourAccount(""), Mode: modeOf(p.Livemode),
	}
	switch {
	case p.Status == "canceled" && p.wasReserved():
		first.State, first.Type = payment.Approved, payment.Authorize
		return []payment.Fact{first, follow(first, payment.Void, amount)}, nil
	case p.Status == "canceled" && p.CancellationReason != "":
		first.Reason = gateways.PlainReason(p.CancellationReason, "", "")
	case first.State == payment.ActionRequired:
		first.NextAction = g.clientAction(p)
		if p.LastPaymentError != nil {
			first.Reason = reasonOf(*p.LastPaymentError)
		}
	case p.Status == "requires_capture":
		first.Type = payment.Authorize
	case p.Status == "succeeded":
		return g.takenFacts(p, first)
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

// takenFacts returns what an intent says of which the money was taken.
func (g *Gateway) takenFacts(p *intentObject, first payment.Fact) ([]payment.Fact, error) {
	received, err := fromStripe(&p.AmountReceived, p.Currency)
	if err != nil {
		return nil, errUnreadable
	}
	if p.CaptureMethod != captureManual {
		first.Amount = &received
	}
	facts := []payment.Fact{first}
	if p.CaptureMethod == captureManual {
		facts = append(facts, follow(first, payment.Capture, received))
		if rest := first.Amount.Sub(received); rest.IsPositive() {
			facts = append(facts, follow(first, payment.Void, rest)) // Stripe lets go of what was not taken
		}
	}
	charge := p.LatestCharge.Object
	if charge == nil || charge.Refunds == nil {
		return facts, nil
	}
	for _, r := range slices.Backward(charge.Refunds.Data) { // Stripe lists the newest first
		if charge.released(r) {
			continue
		}
		f, err := refundFact(first, r)
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
	}
	return facts, nil
}

// released tells of a refund that nothing was given back by it: Stripe writes one
// too for what was reserved and not taken. No money moved, so no balance changed.
func (c *chargeObject) released(r refundObject) bool {
	return !c.Captured || r.BalanceTransaction.ID == "" && r.Status == "succeeded" &&
		r.Amount != nil && *r.Amount > 0 && *r.Amount == c.Amount-c.AmountCaptured
}

// follow returns the fact of something that Stripe did with all of a payment's
// money and gives no name: there is one of a type, so it gets the intent's.
func follow(first payment.Fact, typ payment.Type, amount payment.Money) payment.Fact {
	first.Type, first.State, first.Amount = typ, payment.Approved, &amount
	first.NextAction, first.Reason = nil, payment.Reason{}
	return first
}

// refundFact returns what a refund says. One that we asked for is named by our
// reference, any other by that of the payment it acts upon.
func refundFact(of payment.Fact, r refundObject) (payment.Fact, error) {
	amount, err := fromStripe(r.Amount, r.Currency)
	if err != nil || !gateways.PlainID(r.ID) {
		return payment.Fact{}, errUnreadable
	}
	f := payment.Fact{
		Source: of.Source, Reference: of.Reference, Type: payment.Refund, GatewayReference: r.ID,
		State: stateIn(refundStates, r.Status), Amount: &amount, Account: of.Account, Mode: of.Mode, At: timeOf(r.Created),
	}
	f.Reason = whyState(f.State, r.Status)
	if r.Reason != "" {
		f.Reason = gateways.PlainReason(r.Reason, "", "")
	}
	if own := r.Metadata[metaReference]; gateways.OurReference(own) {
		f.Reference = own
	}
	return f, nil
}

// disputeFact returns what a dispute says. An open one does not say whether the
// money is gone; told is what the event about it says, or "".
func disputeFact(of payment.Fact, d disputeObject, told payment.State) (payment.Fact, error) {
	amount, err := fromStripe(d.Amount, d.Currency)
	if err != nil || !gateways.PlainID(d.ID) {
		return payment.Fact{}, errUnreadable
	}
	f := payment.Fact{
		Source: of.Source, Reference: of.Reference, Type: payment.Chargeback, GatewayReference: d.ID,
		State: stateIn(disputeStates, d.Status), Amount: &amount, Account: of.Account, Mode: of.Mode, At: timeOf(d.Created),
		Reason: gateways.PlainReason(d.Reason, "", ""),
	}
	if f.State == payment.Pending && len(d.BalanceTransactions) > 0 {
		f.State = payment.Approved
	}
	if d.Status != "lost" && told != "" {
		f.State = told // a lost dispute may bring a part back, and remains one
	}
	return f, nil
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
