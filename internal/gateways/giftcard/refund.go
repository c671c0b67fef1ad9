package giftcard

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// Refund implements gateways.Refunder: the money goes back to the card that it came
// from, in as many parts as there are.
func (g *Gateway) Refund(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	cards, err := g.cards()
	if err != nil {
		return []payment.Fact{g.failed(r.Reference, err)}
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	entry, err := cards.ReturnToGiftCard(ctx, payment.GiftCardReturning{
		Store: r.Order.Store, Amount: r.Amount, Reference: r.Reference, TakenReference: r.Initial().Reference,
		Order: r.Order.ID, At: g.deps.Now(),
	})
	if err != nil {
		return []payment.Fact{g.failed(r.Reference, err)}
	}
	return []payment.Fact{g.moved(entry, payment.SourceAnswer)}
}
