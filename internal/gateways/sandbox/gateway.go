// Package sandbox is the gateway to the PSP simulator of development and tests.
// It is written as a gateway to a real PSP is: it knows the simulator's protocol
// and nothing of its program.
package sandbox

import (
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Name is the gateway's name in settings.
const Name = "sandbox"

// The gateway's methods.
const (
	methodCard       = "card"        // the money is taken at once
	methodCardManual = "card-manual" // the money is reserved, and taken later
	methodWallet     = "wallet"      // the shopper pays on a page of the PSP
)

// authorizationLife is how long the PSP keeps money reserved.
const authorizationLife = 7 * 24 * time.Hour

// Gateway implements gateways.Gateway for one account at the simulator.
type Gateway struct {
	// config is a function so that nothing can print the secrets in it.
	config func() *Config
	deps   gateways.Deps
	client *gateways.Client
}

var (
	_ gateways.Gateway                = (*Gateway)(nil)
	_ gateways.Payer                  = (*Gateway)(nil)
	_ gateways.Capturer               = (*Gateway)(nil)
	_ gateways.Refunder               = (*Gateway)(nil)
	_ gateways.Voider                 = (*Gateway)(nil)
	_ gateways.Increaser              = (*Gateway)(nil)
	_ gateways.Lister                 = (*Gateway)(nil)
	_ gateways.Inquirer               = (*Gateway)(nil)
	_ gateways.Closer                 = (*Gateway)(nil)
	_ gateways.NotificationReader     = (*Gateway)(nil)
	_ gateways.DataValidator          = (*Gateway)(nil)
	_ gateways.OperationDataValidator = (*Gateway)(nil)
)

// New opens the gateway for an account.
func New(c Config, d gateways.Deps) (*Gateway, error) {
	c = c.withDefaults()
	if err := c.check(); err != nil {
		return nil, err
	}
	return &Gateway{
		config: func() *Config { return &c }, deps: d,
		client: gateways.NewClient(Name, d, gateways.Limits{Timeout: c.Timeout}),
	}, nil
}

// Describe implements gateways.Gateway.
func (g *Gateway) Describe() gateways.Description {
	widget := map[string]any{"kind": "scenario", "scenarios": scenarios()}
	sale := gateways.Capabilities{Refund: true, PartialRefund: true, Recurring: gateways.RecurringNotSupported}
	manual := gateways.Capabilities{
		Capture: true, PartialCapture: true, MultipleCaptures: true, ReleasesRest: true,
		Refund: true, PartialRefund: true, Void: true, VoidRest: true, Increase: true,
		Recurring: gateways.RecurringNotSupported,
	}
	return gateways.Description{Name: Name, Finality: g.config().Finality, Methods: map[string]gateways.Method{
		methodCard: {
			Title: "Card", Type: gateways.Standard, RequiresInteraction: true,
			Reversal: gateways.ReversalRefund, Widget: widget, Capabilities: sale,
		},
		methodCardManual: {
			Title: "Card, charged on dispatch", Type: gateways.Standard, RequiresInteraction: true, AuthorizeOnly: true,
			AuthorizationLife: authorizationLife, Reversal: gateways.ReversalVoid, Widget: widget, Capabilities: manual,
		},
		methodWallet: {
			Title: "Wallet", Type: gateways.Redirection, RequiresInteraction: true,
			Reversal: gateways.ReversalRefund, Capabilities: sale,
		},
	}}
}

// ourAccount returns our name of the account that the PSP names. Another one
// than the gateway's gets a name that no account of ours has.
func (g *Gateway) ourAccount(theirs string) string {
	switch theirs {
	case "":
		return ""
	case g.config().Account:
		return g.deps.Account
	}
	return "not ours: " + theirs
}

// unknown is the fact of a request that left and of which the answer proves nothing.
func unknown(reference, code, message string) payment.Fact {
	return payment.Fact{
		Source: payment.SourceAnswer, Reference: reference, State: payment.Unknown,
		Reason: payment.Reason{Code: code, Message: message},
	}
}
