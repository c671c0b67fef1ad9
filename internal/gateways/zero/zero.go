// Package zero is the gateway of orders that cost nothing: it approves them at
// once. It offers itself to no other order; the service offers nothing else to
// these.
package zero

import (
	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Name is the gateway's name in settings.
const Name = "zero"

const method = "zero"

// Gateway implements gateways.Gateway without a PSP.
type Gateway struct {
	account string
	mode    payment.Mode
}

var (
	_ gateways.Gateway      = (*Gateway)(nil)
	_ gateways.Decider      = (*Gateway)(nil)
	_ gateways.MethodFilter = (*Gateway)(nil)
)

// New opens the gateway. It has no settings.
func New(d gateways.Deps) *Gateway { return &Gateway{account: d.Account, mode: d.Mode} }

// Describe implements gateways.Gateway.
func (*Gateway) Describe() gateways.Description {
	return gateways.Description{Name: Name, Methods: map[string]gateways.Method{method: {
		Title: "Nothing to pay", Type: gateways.Standard,
		Capabilities: gateways.Capabilities{Recurring: gateways.RecurringNotSupported},
	}}}
}

// Decide approves nothing at once, and declines anything more.
func (g *Gateway) Decide(r payment.PayRequest) payment.Fact {
	f := payment.Fact{
		Source: payment.SourceGateway, Reference: r.Reference, State: payment.Approved,
		Amount: &r.Amount, Account: g.account, Mode: g.mode,
	}
	if !r.Amount.IsZero() {
		f.State = payment.Declined
		f.Reason = payment.Reason{Code: "total_not_zero", Message: "There is something to pay.", Decline: "hard"}
	}
	return f
}

// Exclude implements gateways.MethodFilter.
func (*Gateway) Exclude(_ string, o *payment.Order) (reason string) {
	if o.Total.IsZero() {
		return ""
	}
	return "Only for orders that cost nothing."
}
