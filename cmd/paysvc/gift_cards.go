package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rs/zerolog"

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

// tellOldKeys logs what an operator wants to know before dropping a key: which cards
// still need it, and whether one is missing that some need.
func tellOldKeys(ctx context.Context, books *store.Store, now time.Time, log zerolog.Logger) {
	used, err := books.OldGiftCardKeys(store.InBackground(ctx), now)
	if err != nil {
		log.Warn().Err(err).Msg("the gift cards under older keys are not counted")
		return
	}
	for _, u := range used {
		line := log.Info()
		message := "gift cards under an older key of PAYSVC_SECRET_KEY"
		if u.Place == 0 {
			line, message = log.Warn(), "gift cards need a key that PAYSVC_SECRET_KEY does not have"
		}
		line.Str("key", u.Key).Int("place", u.Place).Int("cards", u.Cards).Int("payable", u.Payable).Msg(message)
	}
}
