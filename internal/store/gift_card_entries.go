package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// TakeFromGiftCard takes money from the card of a code, once for each reference: a
// repeat returns the entry of the first time. Why a card is not paid with is one of
// the errors of package payment; an error of kind unavailable, too, means that
// nothing was taken, and any other that it is not known.
func (s *Store) TakeFromGiftCard(ctx context.Context, t payment.GiftCardTaking) (payment.GiftCardEntry, error) {
	if !s.cardKeys.ready() {
		return payment.GiftCardEntry{}, payment.ErrGiftCardsOff
	}
	var entry payment.GiftCardEntry
	err := s.repeatable(ctx, func(ctx context.Context, tx pgx.Tx) error {
		card, entries, err := s.lockCardOf(ctx, tx, t.Store, t.Code)
		if errors.Is(err, pgx.ErrNoRows) {
			return payment.ErrGiftCardInvalid
		}
		if err != nil {
			return err
		}
		// A statement of its own: one that waited for the lock would not see what its
		// holder wrote.
		if entry, err = findEntry(ctx, tx, payment.GiftCardTaken, t.Reference); !errors.Is(err, pgx.ErrNoRows) {
			return found(err)
		}
		if err := mayTake(card, t); err != nil {
			return err
		}
		entry = payment.GiftCardEntry{
			Card: card.ID, N: entries + 1, Kind: payment.GiftCardTaken, Reference: t.Reference, Order: t.Order,
			Amount: payment.Zero(t.Amount.Currency()).Sub(t.Amount), Balance: card.Balance.Sub(t.Amount), Last4: card.Last4, At: t.At,
		}
		return addEntry(ctx, tx, t.Store, entry, "")
	})
	if err != nil {
		return payment.GiftCardEntry{}, fmt.Errorf("take %s from a gift card: %w", t.Reference, s.unlessKeyed(ctx, t.Store, err))
	}
	return entry, nil
}

// mayTake tells why a card is not paid with.
func mayTake(c payment.GiftCard, t payment.GiftCardTaking) error {
	switch {
	case !c.Active:
		return payment.ErrGiftCardInvalid
	case !c.ExpiresAt.IsZero() && !t.At.Before(c.ExpiresAt):
		return payment.ErrGiftCardExpired
	case c.Balance.Currency() != t.Amount.Currency():
		return payment.ErrGiftCardCurrency
	case c.Balance.Cmp(t.Amount) < 0:
		return payment.ErrGiftCardShort
	}
	return nil
}

// ReturnToGiftCard gives back what was taken, to the card that it came from, once
// for each reference, and all together never more than was taken. A card that is
// blocked or has expired gets it too. Its errors are like those of
// TakeFromGiftCard.
func (s *Store) ReturnToGiftCard(ctx context.Context, r payment.GiftCardReturning) (payment.GiftCardEntry, error) {
	var entry payment.GiftCardEntry
	err := s.repeatable(ctx, func(ctx context.Context, tx pgx.Tx) error {
		card, err := lockCard(ctx, tx, `(c.store, c.id) = (select store, card from gift_card_entries
			where reference = $2 and kind = 'take' and store = $1)`, r.Store, r.TakenReference)
		if errors.Is(err, pgx.ErrNoRows) {
			return payment.ErrGiftCardNotTaken
		}
		if err != nil {
			return err
		}
		if entry, err = findEntry(ctx, tx, payment.GiftCardReturn, r.Reference); !errors.Is(err, pgx.ErrNoRows) {
			return found(err)
		}
		if r.Amount.Currency() != card.Balance.Currency() {
			return payment.ErrGiftCardCurrency
		}
		left, err := leftToReturn(ctx, tx, r.Store, card.GiftCard, r.TakenReference)
		if err != nil {
			return err
		}
		if r.Amount.Cmp(left) > 0 {
			return payment.ErrGiftCardReturned
		}
		entry = payment.GiftCardEntry{
			Card: card.ID, N: card.entries + 1, Kind: payment.GiftCardReturn, Reference: r.Reference, Order: r.Order,
			Amount: r.Amount, Balance: card.Balance.Add(r.Amount), Last4: card.Last4, At: r.At,
		}
		return addEntry(ctx, tx, r.Store, entry, r.TakenReference)
	})
	if err != nil {
		return payment.GiftCardEntry{}, fmt.Errorf("return %s to a gift card: %w", r.Reference, err)
	}
	return entry, nil
}

// leftToReturn is how much of what was taken under a reference was not given back.
func leftToReturn(
	ctx context.Context, tx pgx.Tx, store string, c payment.GiftCard, taken string,
) (payment.Money, error) {
	var left int64 // an entry that takes is negative
	err := tx.QueryRow(ctx, `select -sum(amount)::bigint from gift_card_entries where store = $1 and card = $2
		and (kind = 'take' and reference = $3 or taken_reference = $3)`, store, [16]byte(c.ID), taken).Scan(&left)
	return payment.FromMinor(left, c.Balance.Currency()), err
}

// GiftCardEntry finds what was done with a card under a reference of ours. There
// is no entry where there is none of this reference and kind: nothing was moved.
func (s *Store) GiftCardEntry(
	ctx context.Context, kind payment.GiftCardKind, reference string,
) (payment.GiftCardEntry, error) {
	found, err := collect(ctx, s, scanEntry, entryQuery+entryNamed, string(kind), reference)
	if err == nil && len(found) == 0 {
		err = payment.NotFound("an entry of this reference")
	}
	if err != nil {
		return payment.GiftCardEntry{}, fmt.Errorf("find entry %s: %w", reference, err)
	}
	return found[0], nil
}

// lockedCard is a card that is locked, how many entries it has, and the name of the
// key that its code is hashed with.
type lockedCard struct {
	payment.GiftCard
	entries int
	key     string
}

// lockCard locks a card and returns it.
func lockCard(ctx context.Context, tx pgx.Tx, condition string, args ...any) (lockedCard, error) {
	rows, _ := tx.Query(ctx, `select `+cardColumns+`, c.entries, c.code_key from gift_cards c where `+condition+` for update`, args...)
	return pgx.CollectExactlyOneRow(rows, func(row pgx.CollectableRow) (l lockedCard, err error) {
		l.GiftCard, err = scanCard(ahead{row, []any{&l.entries, &l.key}})
		return l, err
	})
}

const (
	entryQuery = `select ` + cardColumns + `, e.n, e.kind, e.reference, e.order_id, e.amount, e.balance, e.at
		from gift_card_entries e join gift_cards c on c.store = e.store and c.id = e.card`
	entryNamed = ` where e.kind = $1 and e.reference = $2`
)

func findEntry(ctx context.Context, tx pgx.Tx, kind payment.GiftCardKind, reference string) (payment.GiftCardEntry, error) {
	rows, _ := tx.Query(ctx, entryQuery+entryNamed, string(kind), reference)
	return pgx.CollectExactlyOneRow(rows, scanEntry)
}

// addEntry writes an entry behind the last one of a card that is locked, and the
// balance that it leaves.
func addEntry(ctx context.Context, tx pgx.Tx, store string, e payment.GiftCardEntry, taken string) error {
	batch := &pgx.Batch{}
	batch.Queue(`insert into gift_card_entries (store, card, n, kind, reference, taken_reference, order_id, amount, before, balance, at)
		values ($1, $2, $3, $4, $5, nullif($6, ''), $7, $8, $9, $10, $11)`,
		store, [16]byte(e.Card), e.N, string(e.Kind), e.Reference, taken, [16]byte(e.Order),
		e.Amount.Minor(), e.Balance.Sub(e.Amount).Minor(), e.Balance.Minor(), e.At)
	batch.Queue(`update gift_cards set balance = $3, entries = $4, updated_at = $5 where store = $1 and id = $2`,
		store, [16]byte(e.Card), e.Balance.Minor(), e.N, e.At)
	return tx.SendBatch(ctx, batch).Close()
}

func scanEntry(row pgx.CollectableRow) (payment.GiftCardEntry, error) {
	_, entry, err := scanEntryAndCard(row)
	return entry, err
}

func scanEntryAndCard(row pgx.CollectableRow) (payment.GiftCard, payment.GiftCardEntry, error) {
	var l entryLine
	card, err := scanCard(ahead{row, []any{&l.n, &l.kind, &l.reference, &l.order, &l.amount, &l.balance, &l.at}})
	if err != nil {
		return card, payment.GiftCardEntry{}, err
	}
	return card, l.of(card), nil
}

// entryLine is an entry as it is stored, behind the columns of its card.
type entryLine struct {
	n               int
	kind            payment.GiftCardKind
	reference       *string
	order           *[16]byte
	amount, balance int64
	at              time.Time
}

func (l *entryLine) of(c payment.GiftCard) payment.GiftCardEntry {
	currency := c.Balance.Currency()
	e := payment.GiftCardEntry{
		Card: c.ID, N: l.n, Kind: l.kind, Amount: payment.FromMinor(l.amount, currency),
		Balance: payment.FromMinor(l.balance, currency), Last4: c.Last4, At: l.at.UTC(),
	}
	if l.reference != nil {
		e.Reference = *l.reference
	}
	if l.order != nil {
		e.Order = *l.order
	}
	return e
}
