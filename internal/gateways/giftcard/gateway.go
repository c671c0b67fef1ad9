// Package giftcard is the gateway of gift cards that the service keeps itself. It
// behaves as a gateway to a PSP does, with calls that may fail or be lost and an
// inquiry that says what became of them; its PSP is our own tables, which are
// handed in as gateways.GiftCards.
package giftcard

import (
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Name is the gateway's name in settings.
const Name = "gift-card"

// method is the only kind of payment.
const method = "gift-card"

const (
	// timeout bounds a call in total.
	timeout = 10 * time.Second
	// finality is longer than a call can be under way: what is not in the ledger by
	// then never will be.
	finality = 30 * time.Second
)

// Gateway implements gateways.Gateway for an account of a store. Which cards it
// takes from is decided by the order's store: accounts share them.
type Gateway struct{ deps gateways.Deps }

var (
	_ gateways.Gateway       = (*Gateway)(nil)
	_ gateways.Payer         = (*Gateway)(nil)
	_ gateways.Refunder      = (*Gateway)(nil)
	_ gateways.Inquirer      = (*Gateway)(nil)
	_ gateways.DataValidator = (*Gateway)(nil)
)

// New opens the gateway. It has no settings.
func New(d gateways.Deps) *Gateway { return &Gateway{deps: d} }

// Describe implements gateways.Gateway.
func (*Gateway) Describe() gateways.Description {
	return gateways.Description{Name: Name, Finality: finality, Methods: map[string]gateways.Method{method: {
		Title: "Gift card", Type: gateways.Standard, RequiresInteraction: true, Reversal: gateways.ReversalOurs,
		Widget: map[string]any{"kind": "form", "fields": []any{map[string]any{"name": "code", "required": true}}},
		Capabilities: gateways.Capabilities{
			Refund: true, PartialRefund: true, Recurring: gateways.RecurringNotSupported,
		},
	}}}
}

// cards returns where the cards are, or an error that says that nothing was done.
func (g *Gateway) cards() (gateways.GiftCards, error) {
	if g.deps.GiftCards != nil {
		if cards := g.deps.GiftCards(); cards != nil {
			return cards, nil
		}
	}
	return nil, errNoCards
}

var errNoCards = payment.Errorf(payment.KindUnavailable, "gift_cards_unavailable", "there are no gift cards here")
