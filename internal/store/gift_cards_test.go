package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// issue issues a card of store demo and returns it and its code.
func (b *bundle) issue(amount, code string, change func(c *payment.GiftCard)) (payment.GiftCard, payment.GiftCardCode) {
	b.t.Helper()
	secret := b.ids.GiftCardCode()
	c := payment.GiftCard{
		ID: payment.GiftCardID(b.ids.New()), Store: "demo", Last4: secret.Last4(), Initial: money(amount, code),
		Balance: money(amount, code), Active: true, Metadata: map[string]string{"why": "birthday"}, CreatedAt: b.now(), UpdatedAt: b.now(),
	}
	if change != nil {
		change(&c)
	}
	require.NoError(b.t, b.IssueGiftCard(b.t.Context(), c, secret, b.claim(c.Store, b.ids.Token()), payment.Reply{Status: 201, Body: []byte("{}")}, b.by()))
	return c, secret
}

func (b *bundle) claim(storeName, key string) *payment.Claim {
	return &payment.Claim{Store: storeName, Operation: "POST /v1/gift-cards", Key: key, Fingerprint: []byte("same"), At: b.now()}
}

func (b *bundle) taking(code payment.GiftCardCode, amount string) payment.GiftCardTaking {
	return payment.GiftCardTaking{
		Store: "demo", Code: code, Amount: money(amount, "EUR"), Reference: b.ids.Reference(),
		Order: payment.OrderID(b.ids.New()), At: b.now(),
	}
}

func (b *bundle) returning(taken, amount string) payment.GiftCardReturning {
	return payment.GiftCardReturning{
		Store: "demo", Amount: money(amount, "EUR"), Reference: b.ids.Reference(), TakenReference: taken, At: b.now(),
	}
}

// ledger reads a card and checks that its entries add up to its balance.
func (b *bundle) ledger(c payment.GiftCard) (payment.GiftCard, []payment.GiftCardEntry) {
	b.t.Helper()
	card, entries, err := b.GiftCard(b.t.Context(), c.Store, c.ID)
	require.NoError(b.t, err)
	sum := payment.Zero(card.Balance.Currency())
	for i, e := range entries {
		require.Equal(b.t, len(entries)-i, e.N, "newest first, and none is missing")
		sum = sum.Add(e.Amount)
	}
	require.Equal(b.t, card.Balance.String(), sum.String())
	require.Equal(b.t, card.Balance.String(), entries[0].Balance.String())
	return card, entries
}

func TestAGiftCardIsTakenFromAndGivenBackTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	issued, code := b.issue("50.00", "EUR", nil)
	got, entries := b.ledger(issued)
	require.Equal(t, issued, got)
	require.Len(t, entries, 1)
	require.Equal(t, payment.GiftCardIssue, entries[0].Kind)

	take := b.taking(code, "20.00")
	taken, err := b.TakeFromGiftCard(ctx, take)
	require.NoError(t, err)
	require.Equal(t, "-20.00", taken.Amount.String())
	require.Equal(t, "30.00", taken.Balance.String())
	b.tick(time.Minute)
	again := take
	again.At = b.now()
	repeated, err := b.TakeFromGiftCard(ctx, again)
	require.NoError(t, err)
	require.Equal(t, taken, repeated, "the same reference is the same money")
	_, err = b.TakeFromGiftCard(ctx, b.taking(code, "30.01"))
	require.ErrorIs(t, err, payment.ErrGiftCardShort)

	back := b.returning(take.Reference, "5.00")
	first, err := b.ReturnToGiftCard(ctx, back)
	require.NoError(t, err)
	require.Equal(t, "35.00", first.Balance.String())
	repeated, err = b.ReturnToGiftCard(ctx, back)
	require.NoError(t, err)
	require.Equal(t, first, repeated)
	_, err = b.ReturnToGiftCard(ctx, b.returning(take.Reference, "15.01"))
	require.ErrorIs(t, err, payment.ErrGiftCardReturned)
	_, err = b.ReturnToGiftCard(ctx, b.returning(take.Reference, "15.00"))
	require.NoError(t, err)
	_, err = b.ReturnToGiftCard(ctx, b.returning(take.Reference, "0.01"))
	require.ErrorIs(t, err, payment.ErrGiftCardReturned)
	_, err = b.ReturnToGiftCard(ctx, b.returning(back.Reference, "0.01"))
	require.ErrorIs(t, err, payment.ErrGiftCardNotTaken, "a return was not taken")
	foreign := b.returning(take.Reference, "0.01")
	foreign.Store = "other"
	_, err = b.ReturnToGiftCard(ctx, foreign)
	require.ErrorIs(t, err, payment.ErrGiftCardNotTaken, "another store took nothing")

	got, entries = b.ledger(issued)
	require.Equal(t, "50.00", got.Balance.String())
	require.Len(t, entries, 4)
	require.Equal(t, take.Order, entries[2].Order)
	found, err := b.GiftCardEntry(ctx, payment.GiftCardTaken, take.Reference)
	require.NoError(t, err)
	require.Equal(t, taken, found)
	for kind, reference := range map[payment.GiftCardKind]string{
		payment.GiftCardTaken: back.Reference, payment.GiftCardReturn: take.Reference, payment.GiftCardIssue: take.Reference,
	} {
		_, err = b.GiftCardEntry(ctx, kind, reference)
		require.Equal(t, payment.KindNotFound, payment.KindOf(err), kind)
	}
}

func TestWhenAGiftCardIsNotPaidWith(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	take := func(code payment.GiftCardCode, want error) {
		t.Helper()
		_, err := b.TakeFromGiftCard(ctx, b.taking(code, "10.00"))
		require.ErrorIs(t, err, want)
	}
	take(b.ids.GiftCardCode(), payment.ErrGiftCardInvalid)
	_, foreign := b.issue("50.00", "EUR", func(c *payment.GiftCard) { c.Store = "other" })
	take(foreign, payment.ErrGiftCardInvalid)
	_, yen := b.issue("5000", "JPY", nil)
	take(yen, payment.ErrGiftCardCurrency)

	expiring, code := b.issue("50.00", "EUR", func(c *payment.GiftCard) { c.ExpiresAt = b.now().Add(time.Hour) })
	spent := b.taking(code, "10.00")
	_, err := b.TakeFromGiftCard(ctx, spent)
	require.NoError(t, err)
	b.tick(time.Hour)
	take(code, payment.ErrGiftCardExpired)
	spent.At = b.now()
	_, err = b.TakeFromGiftCard(ctx, spent)
	require.NoError(t, err, "what was taken before is still said")
	_, err = b.ReturnToGiftCard(ctx, b.returning(spent.Reference, "10.00"))
	require.NoError(t, err, "the money goes back where it came from")
	b.ledger(expiring)

	blocked, code := b.issue("50.00", "EUR", nil)
	card, err := b.ActivateGiftCard(ctx, "demo", blocked.ID, false, payment.ByActor("key_1", b.tick(time.Minute)))
	require.NoError(t, err)
	require.False(t, card.Active)
	require.Equal(t, b.now(), card.UpdatedAt)
	take(code, payment.ErrGiftCardInvalid)
	_, err = b.ActivateGiftCard(ctx, "other", blocked.ID, true, b.by())
	require.ErrorIs(t, err, payment.ErrGiftCardNotFound)
	_, err = b.ActivateGiftCard(ctx, "demo", blocked.ID, true, b.by())
	require.NoError(t, err)
	take(code, nil)
}

func TestFiftyAtOnceNeverOverdrawAGiftCard(t *testing.T) {
	t.Parallel()
	b := setup(t)
	issued, code := b.issue("100.00", "EUR", nil)
	var mu sync.Mutex
	var taken []string
	takings := make([]payment.GiftCardTaking, 50)
	for i := range takings {
		takings[i] = b.taking(code, "7.00")
	}
	patient := b.patient()
	together(len(takings), func(i int) {
		_, err := patient.TakeFromGiftCard(t.Context(), takings[i])
		if err != nil {
			assert.ErrorIs(t, err, payment.ErrGiftCardShort, "nobody is in anybody's way")
			return
		}
		mu.Lock()
		defer mu.Unlock()
		taken = append(taken, takings[i].Reference)
	})
	require.Len(t, taken, 14)
	card, entries := b.ledger(issued)
	require.Len(t, entries, 15)
	require.Equal(t, "2.00", card.Balance.String())

	var back int
	returnings := make([]payment.GiftCardReturning, 50)
	for i := range returnings {
		returnings[i] = b.returning(taken[0], "1.00")
	}
	together(len(returnings), func(i int) {
		_, err := patient.ReturnToGiftCard(t.Context(), returnings[i])
		if err != nil {
			assert.ErrorIs(t, err, payment.ErrGiftCardReturned)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		back++
	})
	require.Equal(t, 7, back, "all that was taken, and no more")
	b.ledger(issued)
}

// patient is a store that waits as long as a slow machine needs for a connection.
func (b *bundle) patient() *store.Store {
	b.t.Helper()
	s, err := store.Open(b.t.Context(), b.url, store.Options{NewID: b.ids.New, AcquireMax: time.Minute, ConnectionsMax: 10, GiftCardKey: cardKey(b.t, 1)})
	require.NoError(b.t, err)
	b.t.Cleanup(s.Close)
	return s
}

func TestOneReferenceTakesOnceHoweverOftenItIsAskedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	issued, code := b.issue("100.00", "EUR", nil)
	take, patient := b.taking(code, "7.00"), b.patient()
	together(20, func(int) {
		entry, err := patient.TakeFromGiftCard(t.Context(), take)
		assert.NoError(t, err)
		assert.Equal(t, 2, entry.N)
	})
	card, _ := b.ledger(issued)
	require.Equal(t, "93.00", card.Balance.String())
}

func TestAGiftCardIsIssuedOnceForAKey(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	issued, code := b.issue("50.00", "EUR", nil)
	twin := issued
	twin.ID = payment.GiftCardID(b.ids.New())
	err := b.IssueGiftCard(ctx, twin, code, b.claim("demo", "twin"), payment.Reply{Status: 201}, b.by())
	require.Equal(t, "gift_card_code_taken", payment.CodeOf(err))
	free, err := b.Claimed(ctx, b.claim("demo", "twin"))
	require.NoError(t, err)
	require.Nil(t, free, "a refused request takes no key")

	twin.Store = "other"
	require.NoError(t, b.IssueGiftCard(ctx, twin, code, b.claim("other", "k"), payment.Reply{Status: 201, Body: []byte("first")}, b.by()))
	another := twin
	another.ID = payment.GiftCardID(b.ids.New())
	err = b.IssueGiftCard(ctx, another, b.ids.GiftCardCode(), b.claim("other", "k"), payment.Reply{Status: 201, Body: []byte("second")}, b.by())
	var claimed *payment.Claimed
	require.ErrorAs(t, err, &claimed)
	require.Equal(t, "first", string(claimed.Reply.Body))
	_, _, err = b.GiftCard(ctx, "other", another.ID)
	require.ErrorIs(t, err, payment.ErrGiftCardNotFound)
	_, err = b.GiftCardByCode(ctx, payment.GiftCardLookup{Store: "demo", Code: b.ids.GiftCardCode()})
	require.ErrorIs(t, err, payment.ErrGiftCardNotFound)
	found, err := b.GiftCardByCode(ctx, payment.GiftCardLookup{Store: "demo", Code: code})
	require.NoError(t, err)
	require.Equal(t, issued, found)
}

// TestTheDatabaseHoldsTheLedger writes around the store what the store never would.
func TestTheDatabaseHoldsTheLedger(t *testing.T) {
	t.Parallel()
	b := setup(t)
	issued, code := b.issue("50.00", "EUR", nil)
	_, err := b.TakeFromGiftCard(t.Context(), b.taking(code, "20.00"))
	require.NoError(t, err)
	const entry = `insert into gift_card_entries (store, card, n, kind, reference, amount, before, balance, at)
		select store, id, `
	for what, statement := range map[string]string{
		"a balance without an entry": `update gift_cards set balance = balance + 1`,
		"an entry without a balance": `with more as (update gift_cards set entries = 3) ` + entry + `3, 'take', 'r', -1, balance, balance - 1, created_at from gift_cards`,
		"a balance below zero": `with more as (update gift_cards set entries = 3, balance = -1) ` + entry +
			`3, 'take', 'r', -3001, 3000, -1, created_at from gift_cards`,
		"an entry that leaves one out":     entry + `4, 'take', 'r', -1, balance, balance - 1, created_at from gift_cards`,
		"an entry that begins elsewhere":   entry + `3, 'take', 'r', -1, balance + 1, balance, created_at from gift_cards`,
		"an entry that does not add up":    entry + `3, 'take', 'r', -1, balance, balance, created_at from gift_cards`,
		"a take that gives":                entry + `3, 'take', 'r', 1, balance, balance + 1, created_at from gift_cards`,
		"a return that nobody can relate":  entry + `3, 'return', 'r', 1, balance, balance + 1, created_at from gift_cards`,
		"a second issue":                   entry + `3, 'issue', null, 1, balance, balance + 1, created_at from gift_cards`,
		"a changed entry":                  `update gift_card_entries set amount = amount + 1, balance = balance + 1 where n = 1`,
		"a changed entry, the latest":      `update gift_card_entries set amount = amount + 1, balance = balance + 1 where n = 2`,
		"a deleted entry":                  `delete from gift_card_entries where n = 2`,
		"the same reference a second time": entry + `3, 'take', (select reference from gift_card_entries where n = 2), -1, balance, balance - 1, created_at from gift_cards`,
	} {
		_, err := b.raw.Exec(t.Context(), statement)
		var refused *pgconn.PgError
		require.ErrorAs(t, err, &refused, what)
		require.Regexp(t, "^23", refused.Code, "%s is refused by a constraint: %v", what, err)
	}
	b.ledger(issued)
}

func TestGiftCardsAreListedNewestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want, got []string
	for range 5 {
		b.tick(time.Second)
		c, _ := b.issue("10.00", "EUR", nil)
		want = append([]string{c.ID.String()}, want...)
	}
	b.issue("10.00", "EUR", func(c *payment.GiftCard) { c.Store = "other" })
	eachPage(t, 2, func(page payment.Page) (string, error) {
		list, next, err := b.ListGiftCards(t.Context(), "demo", page)
		for _, c := range list {
			got = append(got, c.ID.String())
		}
		return next, err
	})
	require.Equal(t, want, got)
	_, _, err := b.ListGiftCards(t.Context(), "demo", payment.Page{After: "gcd_nothing"})
	require.Equal(t, "cursor_invalid", payment.CodeOf(err))
}

func TestGiftCardsAreFoundByAnIndex(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.exec(`with cards as (
			insert into gift_cards (store, id, code_hash, code_key, last4, currency, initial, balance, entries, metadata, created_at, updated_at)
			select case when i % 100 = 0 then 'small' else 'demo' end, gen_random_uuid(), sha256(i::text::bytea), $2, '', 'EUR', 100, 100, 1,
				'{}', $1, $1 from generate_series(1, 20000) i returning store, id)
		insert into gift_card_entries (store, card, n, kind, amount, before, balance, at)
		select store, id, 1, 'issue', 100, 0, 100, $1 from cards`, b.now(), cardKey(t, 1).Name())
	issued, code := b.issue("50.00", "EUR", nil)
	b.exec("analyze gift_cards, gift_card_entries")
	take := b.taking(code, "10.00")
	for name, do := range map[string]func() error{
		"list": func() error { _, _, err := b.ListGiftCards(t.Context(), "small", payment.Page{}); return err },
		"read": func() error { _, _, err := b.GiftCard(t.Context(), "demo", issued.ID); return err },
		"by code": func() error {
			_, err := b.GiftCardByCode(t.Context(), payment.GiftCardLookup{Store: "demo", Code: code})
			return err
		},
	} {
		sent := b.tracer.during(func() { require.NoError(t, do(), name) })
		b.requireCheap(sent, name)
	}
	sent := b.tracer.during(func() { _, _ = b.TakeFromGiftCard(t.Context(), take) })
	b.requireCheap(sent, "take")
	sent = b.tracer.during(func() { _, _ = b.ReturnToGiftCard(t.Context(), b.returning(take.Reference, "1.00")) })
	b.requireCheap(sent, "return")
	sent = b.tracer.during(func() { _, _ = b.GiftCardEntry(t.Context(), payment.GiftCardTaken, take.Reference) })
	b.requireCheap(sent, "inquire")
	sent = b.tracer.during(func() { _, _ = b.TakeFromGiftCard(t.Context(), b.taking(b.ids.GiftCardCode(), "1.00")) })
	b.requireCheap(sent, "take by a code of no card")
}

// requireCheap explains what was sent and read.
func (b *bundle) requireCheap(sent []statement, what string) {
	b.t.Helper()
	explained := 0
	for _, s := range sent {
		if strings.HasPrefix(s.sql, "select") {
			explained++
			require.Empty(b.t, excesses(b.explain(s)), "%s: %s", what, s.sql)
		}
	}
	require.Positive(b.t, explained, what)
}
