package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// GiftCardByCode finds the card of a code.
func (s *Store) GiftCardByCode(ctx context.Context, l payment.GiftCardLookup) (payment.GiftCard, error) {
	if !s.cardKey.Ready() {
		return payment.GiftCard{}, payment.ErrGiftCardsOff
	}
	found, err := collect(ctx, s, scanCard, `select `+cardColumns+` from gift_cards c where store = $1 and code_hash = $2`,
		l.Store, s.cardKey.Hash(l.Store, l.Code))
	card, err := oneCard("find", found, err)
	return card, s.unlessKeyed(ctx, l.Store, err)
}

// checkCardKey refuses a key that is not the one that the store's latest card was
// issued with: no code would be found any more, and of new cards and old ones only
// the one or the other.
func (s *Store) checkCardKey(ctx context.Context, store string) error {
	if !s.cardKey.Ready() {
		return payment.ErrGiftCardsOff
	}
	names, err := collect(ctx, s, pgx.RowTo[string],
		`select code_key from gift_cards where store = $1 and code_key <> '' order by id desc limit 1`, store)
	if err != nil {
		return fmt.Errorf("read the key of gift cards: %w", err)
	}
	if len(names) > 0 && names[0] != s.cardKey.Name() {
		return payment.ErrGiftCardsKeyed
	}
	return nil
}

// unlessKeyed is the error of a code that was looked up, unless there is a better
// reason for not finding it: nobody is told that a card does not exist because the
// operator has changed the key.
func (s *Store) unlessKeyed(ctx context.Context, store string, err error) error {
	if !errors.Is(err, payment.ErrGiftCardNotFound) && !errors.Is(err, payment.ErrGiftCardInvalid) {
		return err
	}
	if other := s.checkCardKey(ctx, store); errors.Is(other, payment.ErrGiftCardsKeyed) {
		return other
	}
	return err
}
