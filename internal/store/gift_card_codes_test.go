package store_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

func cardKey(t *testing.T, of byte) payment.GiftCardKey {
	t.Helper()
	key, err := payment.NewGiftCardKey(bytes.Repeat([]byte{of}, 32))
	require.NoError(t, err)
	return key
}

// with opens the same books with another key for codes.
func (b *bundle) with(key payment.GiftCardKey) *store.Store {
	b.t.Helper()
	s, err := store.Open(b.t.Context(), b.url, store.Options{NewID: b.ids.New, ConnectionsMax: 2, GiftCardKey: key})
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	return s
}

// imported issues a card with the code of another system.
func (b *bundle) imported(in *store.Store, typed string) (payment.GiftCard, payment.GiftCardCode, error) {
	b.t.Helper()
	code, ok := payment.ParseGiftCardCode(typed)
	require.True(b.t, ok)
	c := payment.GiftCard{
		ID: payment.GiftCardID(b.ids.New()), Store: "demo", Last4: code.Last4(), Initial: money("50.00", "EUR"),
		Balance: money("50.00", "EUR"), Active: true, CreatedAt: b.now(), UpdatedAt: b.now(),
	}
	return c, code, in.IssueGiftCard(b.t.Context(), c, code, b.claim("demo", b.ids.Token()), payment.Reply{Status: 201}, b.by())
}

// A dump has the hash, the last four characters and the store: six digits are left to
// be tried, which is nothing. (These are the hundredth part that has the right ones.)
func TestWhoHasADumpFindsNoImportedCode(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, code, err := b.imported(b.Store, "6006491260")
	require.NoError(t, err)
	kept := value[[]byte](b, "select code_hash from gift_cards where last4 = '1260'")
	for n := 600_000; n < 610_000; n++ {
		plain := sha256.Sum256(fmt.Appendf(nil, "gift card\ndemo\n%06d1260", n))
		require.False(t, bytes.Equal(kept, plain[:]), "%06d1260 is found", n)
	}
	require.Equal(t, cardKey(t, 1).Name(), value[string](b, "select code_key from gift_cards where last4 = '1260'"))
	_, err = b.TakeFromGiftCard(t.Context(), b.taking(code, "1.00"))
	require.NoError(t, err, "the shopper's card pays")
}

func TestWithoutAKeyNoCardIsIssuedOrFoundAndMoneyStillGoesBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	card, code := b.issue("50.00", "EUR", nil)
	taken := b.taking(code, "20.00")
	_, err := b.TakeFromGiftCard(ctx, taken)
	require.NoError(t, err)

	without := b.with(payment.GiftCardKey{})
	_, _, err = b.imported(without, "GIFT-0001-OLD1")
	require.ErrorIs(t, err, payment.ErrGiftCardsOff)
	_, err = without.GiftCardByCode(ctx, payment.GiftCardLookup{Store: "demo", Code: code})
	require.ErrorIs(t, err, payment.ErrGiftCardsOff)
	_, err = without.TakeFromGiftCard(ctx, b.taking(code, "1.00"))
	require.ErrorIs(t, err, payment.ErrGiftCardsOff)
	require.Equal(t, payment.KindUnavailable, payment.KindOf(err), "nothing was taken, and that is known")

	_, err = without.GiftCardEntry(ctx, payment.GiftCardTaken, taken.Reference)
	require.NoError(t, err)
	_, err = without.ReturnToGiftCard(ctx, b.returning(taken.Reference, "20.00"))
	require.NoError(t, err)
	_, _, err = without.GiftCard(ctx, "demo", card.ID)
	require.NoError(t, err)
	_, err = without.ActivateGiftCard(ctx, "demo", card.ID, false, b.by())
	require.NoError(t, err)
	b.ledger(card)
}

// Whoever restores the books without the key would else tell every shopper that their
// card does not exist, and issue cards that the right key does not find.
func TestAnotherKeyIsNoticed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	b.exec(`with card as (
			insert into gift_cards (store, id, code_hash, last4, currency, initial, balance, entries, metadata, created_at, updated_at)
			values ('demo', gen_random_uuid(), sha256('x'), '', 'EUR', 100, 100, 1, '{}', $1, $1) returning store, id)
		insert into gift_card_entries (store, card, n, kind, amount, before, balance, at)
		select store, id, 1, 'issue', 100, 0, 100, $1 from card`, b.now())
	_, code := b.issue("50.00", "EUR", nil) // one from before hashes had a key is in nobody's way
	other := b.with(cardKey(t, 2))
	_, _, err := b.imported(other, "GIFT-0001-OLD1")
	require.ErrorIs(t, err, payment.ErrGiftCardsKeyed)
	_, err = other.GiftCardByCode(ctx, payment.GiftCardLookup{Store: "demo", Code: code})
	require.ErrorIs(t, err, payment.ErrGiftCardsKeyed)
	_, err = other.TakeFromGiftCard(ctx, b.taking(code, "1.00"))
	require.ErrorIs(t, err, payment.ErrGiftCardsKeyed)
	require.Equal(t, payment.KindUnavailable, payment.KindOf(err))
	_, err = other.GiftCardByCode(ctx, payment.GiftCardLookup{Store: "small", Code: code})
	require.ErrorIs(t, err, payment.ErrGiftCardNotFound, "a store without cards begins with any key")
	_, err = b.TakeFromGiftCard(ctx, b.taking(code, "1.00"))
	require.NoError(t, err)
}
