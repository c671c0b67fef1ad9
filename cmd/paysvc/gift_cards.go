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

// giftCardKeys are what the codes of gift cards are hashed with: the newest, which
// is none without PAYSVC_SECRET_KEY, and the others.
func giftCardKeys(secrets outbound.Secrets) (newest payment.GiftCardKey, others []payment.GiftCardKey, err error) {
	if !secrets.Ready() {
		return newest, nil, nil
	}
	derived, err := secrets.Keys("gift cards")
	if err != nil {
		return newest, nil, fmt.Errorf("the keys of gift cards: %w", err)
	}
	keys := make([]payment.GiftCardKey, len(derived))
	for i, secret := range derived {
		if keys[i], err = payment.NewGiftCardKey(secret); err != nil {
			return newest, nil, err
		}
	}
	return keys[0], keys[1:], nil
}
