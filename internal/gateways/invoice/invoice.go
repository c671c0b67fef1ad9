// Package invoice is the gateway of payments that reach the shop outside of it:
// by bank transfer, cheque or cash. It has no PSP and decides by its settings.
package invoice

import (
	"strings"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Name is the gateway's name in settings.
const Name = "invoice"

const method = "invoice"

// Gateway implements gateways.Gateway without a PSP.
type Gateway struct {
	config  Config
	account string
	mode    payment.Mode
}

var (
	_ gateways.Gateway        = (*Gateway)(nil)
	_ gateways.Decider        = (*Gateway)(nil)
	_ gateways.PipelineEditor = (*Gateway)(nil)
)

// New opens the gateway.
func New(c Config, d gateways.Deps) (*Gateway, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Gateway{config: c, account: d.Account, mode: d.Mode}, nil
}

// Describe implements gateways.Gateway.
func (g *Gateway) Describe() gateways.Description {
	return gateways.Description{Name: Name, Methods: map[string]gateways.Method{method: {
		Title: g.config.Title, Type: gateways.Standard, AuthorizeOnly: g.config.ModeOnOrder == Authorized,
		Capabilities: gateways.Capabilities{Recurring: gateways.RecurringNotSupported},
	}}}
}

// Decide implements gateways.Decider.
func (g *Gateway) Decide(r payment.PayRequest) payment.Fact {
	f := payment.Fact{
		Source: payment.SourceGateway, Reference: r.Reference, State: payment.Pending,
		Amount: &r.Amount, Account: g.account, Mode: g.mode,
	}
	if g.config.ModeOnOrder != Pending {
		f.State = payment.Approved
	}
	if g.config.Instructions != "" {
		f.NextAction = &payment.NextAction{Type: "display", Kind: "instructions", Content: g.instructions(r)}
	}
	return f
}

// instructions fills in the placeholders, all at once: a number of an order
// that looks like one stays as it is.
func (g *Gateway) instructions(r payment.PayRequest) string {
	return strings.NewReplacer(
		"{number}", r.Order.Number, "{total}", r.Amount.String(), "{currency}", r.Amount.Currency().String(),
	).Replace(g.config.Instructions)
}

// EditPipelines implements gateways.PipelineEditor: an order that waits for its
// money is accepted without looking paid.
func (g *Gateway) EditPipelines(string) []pipeline.Edit {
	if g.config.ModeOnOrder != Pending {
		return nil
	}
	return []pipeline.Edit{{
		Pipeline: pipeline.Internal, Op: pipeline.Replace, Target: "pay-order", Step: pipeline.Use{Name: "pending-order"},
	}}
}
