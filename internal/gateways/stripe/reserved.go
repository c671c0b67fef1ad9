package stripe

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// reservedFacts returns what an intent says of which money was reserved or taken.
// first is about all of it.
func (p *intentObject) reservedFacts(first payment.Fact) ([]payment.Fact, error) {
	if p.Status == "succeeded" && p.CaptureMethod != captureManual {
		return p.takenFacts([]payment.Fact{first}, *first.Amount)
	}
	whole := *first.Amount
	first.State, first.CaptureBefore = payment.Approved, p.captureBefore()
	increases, err := p.increaseFacts(first)
	if err != nil {
		return nil, err
	}
	asked := whole
	for _, f := range increases {
		asked = asked.Sub(*f.Amount)
	}
	if !asked.IsPositive() {
		return nil, errUnreadable
	}
	first.Amount = &asked
	switch p.Status {
	case "succeeded":
		return p.takenFacts(append([]payment.Fact{first}, increases...), whole)
	case "canceled":
		first.Type = payment.Authorize
		void := follow(first, payment.Void, whole)
		void.Reason = whyLetGo(p.CancellationReason)
		return append(append([]payment.Fact{first}, increases...), void), nil
	}
	first.Type = payment.Authorize
	return append([]payment.Fact{first}, increases...), nil
}

// takenFacts adds what an intent says of which the money was taken, to what it says
// of all that was reserved.
func (p *intentObject) takenFacts(facts []payment.Fact, whole payment.Money) ([]payment.Fact, error) {
	received, err := fromStripe(&p.AmountReceived, p.Currency)
	if err != nil {
		return nil, errUnreadable
	}
	first := facts[0]
	if p.CaptureMethod != captureManual {
		first.Amount = &received
		facts[0] = first
	} else {
		capture := follow(first, payment.Capture, received)
		if ours := p.Metadata[metaCapture]; gateways.OurReference(ours) {
			capture.Reference = ours
		}
		facts = append(facts, capture)
		if rest := whole.Sub(received); rest.IsPositive() {
			facts = append(facts, follow(capture, payment.Void, rest)) // Stripe lets go of what was not taken
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

// increaseFacts returns what was reserved on top. Only an increase that Stripe
// made left its mark.
func (p *intentObject) increaseFacts(first payment.Fact) ([]payment.Fact, error) {
	var facts []payment.Fact
	for _, key := range slices.Sorted(maps.Keys(p.Metadata)) {
		reference, found := strings.CutPrefix(key, metaIncrease)
		if !found || !gateways.OurReference(reference) {
			continue
		}
		minor, err := strconv.ParseInt(p.Metadata[key], 10, 64)
		if err != nil {
			return nil, errUnreadable
		}
		amount, err := fromStripe(&minor, p.Currency)
		if err != nil || !amount.IsPositive() {
			return nil, errUnreadable
		}
		f := follow(first, payment.Authorize, amount)
		f.Reference, f.GatewayReference = reference, p.ID+":"+reference
		facts = append(facts, f)
	}
	return facts, nil
}

// captureBefore is until when the money is reserved, where the charge tells.
func (p *intentObject) captureBefore() time.Time {
	if c := p.LatestCharge.Object; c != nil && p.Status == "requires_capture" {
		return timeOf(c.Details.Card.CaptureBefore)
	}
	return time.Time{}
}

// released tells of a refund that nothing was given back by it: Stripe writes one
// too for what was reserved and not taken. No money moved, so no balance changed.
func (c *chargeObject) released(r refundObject) bool {
	if gateways.OurReference(r.Metadata[metaReference]) {
		return false // we asked for it
	}
	return !c.Captured || r.BalanceTransaction.ID == "" && r.Status == "succeeded" &&
		r.Amount != nil && *r.Amount > 0 && *r.Amount == c.Amount-c.AmountCaptured
}

// follow returns the fact of something that Stripe did with a payment's money and
// gives no name: there is one of a type, so it gets the intent's.
func follow(first payment.Fact, typ payment.Type, amount payment.Money) payment.Fact {
	first.Type, first.State, first.Amount = typ, payment.Approved, &amount
	first.NextAction, first.Reason, first.CaptureBefore = nil, payment.Reason{}, time.Time{}
	return first
}

// reasonExpired is that of money that nobody took in time.
const reasonExpired = "authorization_expired"

// whyLetGo says why reserved money was let go, by Stripe's word.
func whyLetGo(word string) payment.Reason {
	if word == "automatic" || word == "expired" {
		return payment.Reason{Code: reasonExpired, Message: "The money was not taken in time."}
	}
	return gateways.PlainReason(word, "", "")
}
