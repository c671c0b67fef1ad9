package main

import (
	"context"
	"fmt"

	"github.com/paysvc/paysvc/internal/gateways/giftcard"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// giftCards are those of the store, where no code is looked up behind the guard's
// back.
type giftCards struct {
	*store.Store
	guard *giftcard.Guard
}

// GiftCardByCode implements api.GiftCards.
func (g giftCards) GiftCardByCode(ctx context.Context, l payment.GiftCardLookup) (payment.GiftCard, error) {
	return g.guard.GiftCardByCode(ctx, l)
}

// giftCardKey is what the codes of gift cards are hashed with; none without
// PAYSVC_SECRET_KEY.
func giftCardKey(secrets outbound.Secrets) (payment.GiftCardKey, error) {
	if !secrets.Ready() {
		return payment.GiftCardKey{}, nil
	}
	secret, err := secrets.Key("gift cards")
	if err != nil {
		return payment.GiftCardKey{}, fmt.Errorf("the key of gift cards: %w", err)
	}
	return payment.NewGiftCardKey(secret)
}
