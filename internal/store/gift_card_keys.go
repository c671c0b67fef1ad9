package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// cardKeys are what codes of gift cards are hashed with. The first hashes new ones;
// under the others cards are found that were issued while each was the first.
type cardKeys []payment.GiftCardKey

func cardKeysOf(o Options) cardKeys {
	if !o.GiftCardKey.Ready() {
		return nil
	}
	return append(cardKeys{o.GiftCardKey}, o.GiftCardKeysOld...)
}

func (k cardKeys) ready() bool { return len(k) > 0 }

// newest names the key that new codes are hashed with.
func (k cardKeys) newest() string { return k[0].Name() }

// hashes are those of a code under each key, in their order.
func (k cardKeys) hashes(store string, code payment.GiftCardCode) [][]byte {
	hashes := make([][]byte, len(k))
	for i, key := range k {
		hashes[i] = key.Hash(store, code)
	}
	return hashes
}

// place counts the keys from 1; 0 is a key that is not among them.
func (k cardKeys) place(name string) int {
	return 1 + slices.IndexFunc(k, func(key payment.GiftCardKey) bool { return key.Name() == name })
}

// keysInUse jumps from key to key of a store's cards: its cost is the number of keys,
// not of cards.
const keysInUse = `with recursive used as (
		select min(code_key) as name from gift_cards where store = $1
		union all
		select (select min(code_key) from gift_cards where store = $1 and code_key > used.name) from used where used.name is not null)
	select name from used where name <> ''`

// checkCardKeys refuses to go on where the store has cards under a key that is not
// among ours: their codes would not be found, and could be taken for new ones.
func (s *Store) checkCardKeys(ctx context.Context, store string) error {
	if !s.cardKeys.ready() {
		return payment.ErrGiftCardsOff
	}
	names, err := collect(ctx, s, pgx.RowTo[string], keysInUse, store)
	if err != nil {
		return fmt.Errorf("read the keys of gift cards: %w", err)
	}
	if slices.ContainsFunc(names, func(name string) bool { return s.cardKeys.place(name) == 0 }) {
		return payment.ErrGiftCardsKeyed
	}
	return nil
}

// unlessKeyed is the error of a code that was looked up, unless there is a better
// reason for not finding it: nobody is told that a card does not exist because the
// operator has dropped its key.
func (s *Store) unlessKeyed(ctx context.Context, store string, err error) error {
	if !errors.Is(err, payment.ErrGiftCardNotFound) && !errors.Is(err, payment.ErrGiftCardInvalid) {
		return err
	}
	if other := s.checkCardKeys(ctx, store); errors.Is(other, payment.ErrGiftCardsKeyed) {
		return other
	}
	return err
}

// GiftCardKeyUse tells which cards need a key that is not the newest.
type GiftCardKeyUse struct {
	// Key is its name, and Place where it stands among the keys that are set, from 1;
	// 0 is a key that is not set.
	Key   string
	Place int
	// Cards are all that are hashed with it, and Payable those of them that have money
	// on them and have not expired.
	Cards, Payable int
}

// OldGiftCardKeys counts the cards of all stores that are hashed with another key
// than the newest: for each key that is set, and each that is not and has cards.
func (s *Store) OldGiftCardKeys(ctx context.Context, now time.Time) ([]GiftCardKeyUse, error) {
	if !s.cardKeys.ready() {
		return nil, nil
	}
	used, err := collect(ctx, s, func(row pgx.CollectableRow) (u GiftCardKeyUse, err error) {
		err = row.Scan(&u.Key, &u.Cards, &u.Payable)
		u.Place = s.cardKeys.place(u.Key)
		return u, err
	}, `select code_key, count(*), count(*) filter (where balance > 0 and (expires_at is null or expires_at > $2))
		from gift_cards where code_key <> '' and code_key <> $1 group by code_key order by code_key`, s.cardKeys.newest(), now)
	if err != nil {
		return nil, fmt.Errorf("count the gift cards under older keys: %w", err)
	}
	for i, key := range s.cardKeys[1:] {
		if !slices.ContainsFunc(used, func(u GiftCardKeyUse) bool { return u.Key == key.Name() }) {
			used = append(used, GiftCardKeyUse{Key: key.Name(), Place: i + 2})
		}
	}
	return used, nil
}
