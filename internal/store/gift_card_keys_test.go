package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// keyed opens the same books with keys for codes, the newest first.
func (b *bundle) keyed(newest byte, older ...byte) *store.Store {
	b.t.Helper()
	o := store.Options{NewID: b.ids.New, ConnectionsMax: 12, AcquireMax: time.Minute, Tracer: b.tracer, GiftCardKey: cardKey(b.t, newest)}
	for _, of := range older {
		o.GiftCardKeysOld = append(o.GiftCardKeysOld, cardKey(b.t, of))
	}
	s, err := store.Open(b.t.Context(), b.url, o)
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	return s
}

// keyOf is which of the first keys the card is under.
func (b *bundle) keyOf(c payment.GiftCard) byte {
	b.t.Helper()
	name := value[string](b, "select code_key from gift_cards where id = $1", [16]byte(c.ID))
	for of := range byte(9) {
		if cardKey(b.t, of).Name() == name {
			return of
		}
	}
	return 0
}

func (b *bundle) find(in *store.Store, code payment.GiftCardCode) (payment.GiftCard, error) {
	return in.GiftCardByCode(b.t.Context(), payment.GiftCardLookup{Store: "demo", Code: code})
}

// The operator puts a new key before the old one. Shoppers notice nothing, and whoever
// uses a card brings it under the new key.
func TestCardsMoveToANewKeyAsTheyAreUsed(t *testing.T) {
	t.Parallel()
	b := setup(t) // under key 1
	ctx := t.Context()
	paid, paidCode := b.issue("50.00", "EUR", nil)
	looked, lookedCode := b.issue("50.00", "EUR", nil)
	kept, keptCode := b.issue("50.00", "EUR", nil)
	short, shortCode := b.issue("1.00", "EUR", nil)

	both := b.keyed(2, 1)
	taken := b.taking(paidCode, "20.00")
	entry, err := both.TakeFromGiftCard(ctx, taken)
	require.NoError(t, err)
	again, err := both.TakeFromGiftCard(ctx, taken)
	require.NoError(t, err)
	require.Equal(t, entry, again, "one reference takes once, under whichever key")
	require.EqualValues(t, 2, b.keyOf(paid))
	found, err := b.find(both, lookedCode)
	require.NoError(t, err)
	require.Equal(t, looked, found)
	require.EqualValues(t, 2, b.keyOf(looked))
	require.EqualValues(t, 1, b.keyOf(kept), "a code that nobody types cannot be hashed anew")
	_, err = both.TakeFromGiftCard(ctx, b.taking(shortCode, "2.00"))
	require.ErrorIs(t, err, payment.ErrGiftCardShort)
	require.EqualValues(t, 1, b.keyOf(short), "what was refused has changed nothing")
	made, madeCode, err := b.imported(both, "GIFT-0001-NEW1")
	require.NoError(t, err)
	require.EqualValues(t, 2, b.keyOf(made))

	sent := b.tracer.during(func() { _, err = b.find(both, lookedCode) })
	require.NoError(t, err)
	require.Len(t, sent, 1, "once it has moved, a card costs what it did")

	after := b.keyed(2)
	for _, code := range []payment.GiftCardCode{paidCode, lookedCode, madeCode} {
		_, err = after.TakeFromGiftCard(ctx, b.taking(code, "1.00"))
		require.NoError(t, err, "the old key is not needed for it any more")
	}
	_, err = after.ReturnToGiftCard(ctx, b.returning(taken.Reference, "20.00"))
	require.NoError(t, err)
	_, err = b.keyed(2, 1).TakeFromGiftCard(ctx, b.taking(keptCode, "1.00"))
	require.NoError(t, err, "it waits as long as the old key is set")
	b.ledger(paid)
}

// A key that a card still needs is gone: no shopper is told that the card is none, and
// nobody issues it a second time. The cards under the keys that are there go on.
func TestAKeyThatWasDroppedTooEarlyIsNoticed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	_, old, err := b.imported(b.Store, "GIFT-0001-OLD1")
	require.NoError(t, err)
	both := b.keyed(2, 1)
	_, young, err := b.imported(both, "GIFT-0001-NEW1")
	require.NoError(t, err)

	dropped := b.keyed(2)
	_, err = b.find(dropped, old)
	require.ErrorIs(t, err, payment.ErrGiftCardsKeyed)
	_, err = dropped.TakeFromGiftCard(ctx, b.taking(old, "1.00"))
	require.ErrorIs(t, err, payment.ErrGiftCardsKeyed)
	_, _, err = b.imported(dropped, "GIFT-0001-OLD1")
	require.ErrorIs(t, err, payment.ErrGiftCardsKeyed)
	_, err = dropped.TakeFromGiftCard(ctx, b.taking(young, "1.00"))
	require.NoError(t, err)

	_, err = both.TakeFromGiftCard(ctx, b.taking(old, "1.00"))
	require.NoError(t, err, "put back, it is as if nothing had been")
	_, err = b.find(dropped, b.ids.GiftCardCode())
	require.ErrorIs(t, err, payment.ErrGiftCardNotFound, "nothing needs it any more")
}

// An instance that has not heard of the new key yet calls no card of it unknown.
func TestAnInstanceThatIsBehindRefusesRatherThanDenies(t *testing.T) {
	t.Parallel()
	b := setup(t)
	card, code := b.issue("50.00", "EUR", nil)
	_, err := b.keyed(2, 1).TakeFromGiftCard(t.Context(), b.taking(code, "1.00"))
	require.NoError(t, err)
	_, err = b.TakeFromGiftCard(t.Context(), b.taking(code, "1.00"))
	require.ErrorIs(t, err, payment.ErrGiftCardsKeyed)
	_, err = b.keyed(1, 2).TakeFromGiftCard(t.Context(), b.taking(code, "1.00"))
	require.NoError(t, err, "told of it, in whatever order, it takes part")
	require.EqualValues(t, 1, b.keyOf(card))
}

func TestACodeIsIssuedOnceUnderAllKeys(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old, code, err := b.imported(b.Store, "GIFT-0001-OLD1")
	require.NoError(t, err)
	both := b.keyed(2, 1)
	_, _, err = b.imported(both, "GIFT-0001-OLD1")
	require.Equal(t, "gift_card_code_taken", payment.CodeOf(err))
	require.EqualValues(t, 1, b.keyOf(old), "what was refused has changed nothing")
	found, err := b.find(both, code)
	require.NoError(t, err)
	require.Equal(t, old.ID, found.ID)
	_, _, err = b.imported(both, "GIFT-0001-OLD1")
	require.Equal(t, "gift_card_code_taken", payment.CodeOf(err))
	require.Equal(t, 1, value[int](b, "select count(*) from gift_cards"))
}

// Two instances that begin with different keys have issued one code at once. Everybody
// means the same card by it, and nobody's payment fails.
func TestOfTwoCardsOfOneCodeItIsAlwaysTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old, code, err := b.imported(b.Store, "GIFT-0001-OLD1")
	require.NoError(t, err)
	both := b.keyed(2, 1)
	young, _, err := b.imported(both, "GIFT-0001-NEW1")
	require.NoError(t, err)
	b.exec("update gift_cards set code_hash = $1 where id = $2", cardKey(t, 2).Hash("demo", code), [16]byte(young.ID))
	for range 3 {
		found, err := b.find(both, code)
		require.NoError(t, err)
		require.Equal(t, young.ID, found.ID)
		entry, err := both.TakeFromGiftCard(t.Context(), b.taking(code, "1.00"))
		require.NoError(t, err)
		require.Equal(t, young.ID, entry.Card)
	}
	require.EqualValues(t, 1, b.keyOf(old))
}

// Payments and looks at one card, on instances that begin with different keys.
func TestACardThatMovesWhileManyPayIsNeverLostOrOverdrawn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	card, code := b.issue("50.00", "EUR", nil)
	instances := []*store.Store{b.keyed(2, 1), b.keyed(1, 2)}
	takings := make([]payment.GiftCardTaking, 40)
	for i := range takings {
		takings[i] = b.taking(code, "2.00")
	}
	errs := make([]error, len(takings))
	together(len(takings), func(i int) {
		if _, err := b.find(instances[i%2], code); err != nil {
			errs[i] = err
			return
		}
		_, errs[i] = instances[i%2].TakeFromGiftCard(t.Context(), takings[i])
	})
	taken := 0
	for _, err := range errs {
		if err == nil {
			taken++
			continue
		}
		require.ErrorIs(t, err, payment.ErrGiftCardShort)
	}
	require.Equal(t, 25, taken)
	b.ledger(card)
}

// What the operator reads before dropping a key.
func TestTheCardsUnderOlderKeysAreCounted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	_, code := b.issue("50.00", "EUR", nil)
	_, err := b.TakeFromGiftCard(ctx, b.taking(code, "50.00"))
	require.NoError(t, err)
	b.issue("50.00", "EUR", func(c *payment.GiftCard) { c.ExpiresAt = b.now() })
	b.issue("50.00", "EUR", func(c *payment.GiftCard) { c.ExpiresAt = b.now().Add(time.Second) })
	b.issue("50.00", "EUR", func(c *payment.GiftCard) { c.Store = "small" })
	counted := func(s *store.Store) []store.GiftCardKeyUse {
		used, err := s.OldGiftCardKeys(ctx, b.now())
		require.NoError(t, err)
		return used
	}
	first, third := cardKey(t, 1).Name(), cardKey(t, 3).Name()
	require.Empty(t, counted(b.Store))
	require.Equal(t, []store.GiftCardKeyUse{{first, 2, 4, 2}}, counted(b.keyed(2, 1)))
	require.Equal(t, []store.GiftCardKeyUse{{first, 3, 4, 2}, {third, 2, 0, 0}}, counted(b.keyed(2, 3, 1)), "nothing needs the one between")
	require.Equal(t, []store.GiftCardKeyUse{{first, 0, 4, 2}}, counted(b.keyed(2)), "dropped too early")
	require.Empty(t, counted(b.with(payment.GiftCardKey{})))
}

func TestKeysInUseAreFoundWithoutReadingTheCards(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`with cards as (
			insert into gift_cards (store, id, code_hash, code_key, last4, currency, initial, balance, entries, metadata, created_at, updated_at)
			select 'demo', gen_random_uuid(), sha256(i::text::bytea), case when i % 3 = 0 then $2 else $3 end, '', 'EUR', 100, 100, 1,
				'{}', $1, $1 from generate_series(1, 20000) i returning store, id)
		insert into gift_card_entries (store, card, n, kind, amount, before, balance, at)
		select store, id, 1, 'issue', 100, 0, 100, $1 from cards`, b.now(), cardKey(t, 1).Name(), cardKey(t, 2).Name())
	b.exec("analyze gift_cards")
	both := b.keyed(2, 1)
	sent := b.tracer.during(func() {
		_, err := b.find(both, b.ids.GiftCardCode())
		require.ErrorIs(t, err, payment.ErrGiftCardNotFound)
	})
	require.Len(t, sent, 2)
	b.requireCheap(sent[:1], "by a code under two keys")
	require.Empty(t, excesses(b.explain(sent[1])), "which keys there are")
	sent = b.tracer.during(func() { _, _ = both.TakeFromGiftCard(t.Context(), b.taking(b.ids.GiftCardCode(), "1.00")) })
	b.requireCheap(sent, "take by a code under two keys")
}
