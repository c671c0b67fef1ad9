package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// ofCode are the cards of a code ($2: its hashes), whichever key hashed it. Should two
// instances that begin with different keys have issued a code at once, it is always
// the same one of the two.
const ofCode = `c.store = $1 and c.code_hash = any($2) order by array_position($2, c.code_hash) limit 1`

// rehash hashes the code of a card with another key, if it still is under the one that
// it was found under: whoever was there first has done it.
const rehash = `update gift_cards set code_hash = $3, code_key = $4 where store = $1 and id = $2 and code_key = $5`

// GiftCardByCode finds the card of a code. One that is under an older key is under the
// newest afterwards.
func (s *Store) GiftCardByCode(ctx context.Context, l payment.GiftCardLookup) (payment.GiftCard, error) {
	if !s.cardKeys.ready() {
		return payment.GiftCard{}, payment.ErrGiftCardsOff
	}
	var key string
	hashes := s.cardKeys.hashes(l.Store, l.Code)
	found, err := collect(ctx, s, func(row pgx.CollectableRow) (payment.GiftCard, error) {
		return scanCard(ahead{row, []any{&key}})
	}, `select `+cardColumns+`, c.code_key from gift_cards c where `+ofCode, l.Store, hashes)
	card, err := oneCard("find", found, err)
	if err != nil {
		return card, s.unlessKeyed(ctx, l.Store, err)
	}
	if newest := s.cardKeys.newest(); key != newest {
		// Whoever asks has the answer: one who pays at this moment does it else, or the next one.
		_, _ = s.put(ctx, rehash, l.Store, [16]byte(card.ID), hashes[0], newest, key)
	}
	return card, nil
}

// lockCardOf locks the card of a code and returns it, and how many entries it has. One
// that is under an older key is under the newest once the transaction commits.
func (s *Store) lockCardOf(ctx context.Context, tx pgx.Tx, store string, code payment.GiftCardCode) (payment.GiftCard, int, error) {
	hashes := s.cardKeys.hashes(store, code)
	card, err := lockCard(ctx, tx, ofCode, store, hashes)
	if newest := s.cardKeys.newest(); err == nil && card.key != newest {
		_, err = tx.Exec(ctx, rehash, store, [16]byte(card.ID), hashes[0], newest, card.key)
	}
	return card.GiftCard, card.entries, err
}
