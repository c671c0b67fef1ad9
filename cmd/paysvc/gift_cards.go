package main

import (
	"fmt"

	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

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
