// Package offline is the gateway of payments that reach the shop outside of it:
// by bank transfer, in cash, by a debit that the shop makes itself. It has no
// PSP. What an order is worth before its money came is in the settings; that the
// money came is what an operator says.
package offline

import (
	"strings"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Name is the gateway's name in settings.
const Name = "offline"

// The methods.
const (
	invoice             = "invoice"
	prepayment          = "prepayment"
	cashOnDelivery      = "cash-on-delivery"
	payInStore          = "pay-in-store"
	directDebit         = "direct-debit"
	purchaseOrderNumber = "purchase-order-number"
	manual              = "manual"
)

// titles are what shoppers read where settings say nothing else.
var titles = map[string]string{
	invoice: "Invoice", prepayment: "Payment in advance", cashOnDelivery: "Cash on delivery", payInStore: "Pay in store",
	directDebit: "Direct debit", purchaseOrderNumber: "Purchase order", manual: "Manual payment",
}

// Gateway implements gateways.Gateway without a PSP.
type Gateway struct {
	methods map[string]Method
	unique  Unique
	account string
	mode    payment.Mode
}

var (
	_ gateways.Gateway        = (*Gateway)(nil)
	_ gateways.Decider        = (*Gateway)(nil)
	_ gateways.DataValidator  = (*Gateway)(nil)
	_ gateways.Reserver       = (*Gateway)(nil)
	_ gateways.PipelineEditor = (*Gateway)(nil)
)

// New opens the gateway.
func New(c Config, d gateways.Deps) (*Gateway, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Gateway{methods: c.methods(), unique: c.unique(), account: d.Account, mode: d.Mode}, nil
}

// Describe implements gateways.Gateway.
func (g *Gateway) Describe() gateways.Description {
	methods := make(map[string]gateways.Method, len(g.methods))
	for name, m := range g.methods {
		methods[name] = gateways.Method{
			Title: m.Title, Type: gateways.Standard, RequiresInteraction: len(inputsOf(name)) > 0,
			AuthorizeOnly: m.ModeOnOrder == Authorized, Widget: form(name),
			Capabilities: onAWord(),
		}
	}
	return gateways.Description{Name: Name, Methods: methods}
}

// onAWord is what can be done with a payment: whatever somebody says was done.
// There is nobody to ask, so nothing is released along with a capture.
func onAWord() gateways.Capabilities {
	return gateways.Capabilities{
		Capture: true, PartialCapture: true, MultipleCaptures: true, Refund: true, PartialRefund: true,
		Void: true, VoidRest: true, Recurring: gateways.RecurringNotSupported,
	}
}

// Decide implements gateways.Decider.
func (g *Gateway) Decide(r payment.PayRequest) payment.Fact {
	f := payment.Fact{
		Source: payment.SourceGateway, Reference: r.Reference, State: payment.Pending,
		Amount: &r.Amount, Account: g.account, Mode: g.mode,
	}
	entered, err := read(r.Method, r.Data)
	if err != nil { // checked before; whoever did not is told now
		f.State = payment.Declined
		f.Reason = payment.Reason{Code: "data_invalid", Message: "The payment data is not valid.", Decline: "soft"}
		return f
	}
	f.Details = entered
	m := g.methods[r.Method]
	if m.ModeOnOrder != Pending {
		f.State = payment.Approved
	}
	if m.Instructions != "" {
		f.NextAction = &payment.NextAction{Type: "display", Kind: "instructions", Content: m.instructions(r)}
	}
	return f
}

// instructions fills in the placeholders, all at once: a number of an order
// that looks like one stays as it is.
func (m Method) instructions(r payment.PayRequest) string {
	return strings.NewReplacer(
		"{number}", r.Order.Number, "{total}", r.Amount.String(), "{currency}", r.Amount.Currency().String(),
	).Replace(m.Instructions)
}

// EditPipelines implements gateways.PipelineEditor: an order that waits for its
// money is accepted without looking paid.
func (g *Gateway) EditPipelines(method string) []pipeline.Edit {
	if g.methods[method].ModeOnOrder != Pending {
		return nil
	}
	return []pipeline.Edit{{
		Pipeline: pipeline.Internal, Op: pipeline.Replace, Target: "pay-order", Step: pipeline.Use{Name: "pending-order"},
	}}
}
