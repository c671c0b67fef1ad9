package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

const cardColumns = `c.id, c.store, c.last4, c.currency, c.initial, c.balance, c.active, c.expires_at, c.metadata,
	c.created_at, c.updated_at`

// cardEntriesMax bounds how much of a ledger is read.
const cardEntriesMax = 200

// IssueGiftCard keeps a new card with the hash of its code and its first entry, takes the idempotency key
// and keeps the answer, and who issued the card in the audit, all in one commit. A key
// that was taken before is a *payment.Claimed, and a code that the store has already a
// conflict.
func (s *Store) IssueGiftCard(
	ctx context.Context, c payment.GiftCard, code payment.GiftCardCode, claim *payment.Claim, reply payment.Reply, by payment.AuditEntry,
) error {
	if err := s.checkCardKeys(ctx, c.Store); err != nil {
		return fmt.Errorf("issue gift card %s: %w", c.ID, err)
	}
	metadata, err := json.Marshal(c.Metadata)
	if err != nil {
		return fmt.Errorf("issue gift card %s: %w", c.ID, err)
	}
	hashes, key := s.cardKeys.hashes(c.Store, code), s.cardKeys.newest()
	err = s.send(ctx, func(batch *pgx.Batch) error {
		batch.Queue(`insert into idempotency_keys (store, operation, key, fingerprint, created_at, finished, status, body)
			values ($1, $2, $3, $4, $5, true, $6, $7)`,
			claim.Store, claim.Operation, claim.Key, claim.Fingerprint, claim.At, reply.Status, reply.Body)
		if older := hashes[1:]; len(older) > 0 { // so that a card of this code is in the way of a second one
			batch.Queue(`update gift_cards set code_hash = $2, code_key = $3 where store = $1 and code_hash = any($4)`,
				c.Store, hashes[0], key, older)
		}
		batch.Queue(`insert into gift_cards (store, id, code_hash, code_key, last4, currency, initial, balance, entries, expires_at, metadata,
				created_at, updated_at)
			values ($1, $2, $3, $10, $4, $5, $6, $6, 1, $7, $8, $9, $9)`,
			c.Store, [16]byte(c.ID), hashes[0], c.Last4, c.Initial.Currency().String(), c.Initial.Minor(), nullTime(c.ExpiresAt),
			metadata, c.CreatedAt, key)
		batch.Queue(`insert into gift_card_entries (store, card, n, kind, amount, before, balance, at)
			values ($1, $2, 1, 'issue', $3, 0, $3, $4)`, c.Store, [16]byte(c.ID), c.Initial.Minor(), c.CreatedAt)
		by.Store, by.Action, by.Subject = c.Store, "gift_card.issued", c.ID.String()
		by.Amount, by.Currency = c.Initial.String(), c.Initial.Currency().String()
		queueAudit(batch, by)
		return nil
	})
	switch violated(err) {
	case "idempotency_keys_pkey":
		return s.claimed(ctx, claim)
	case "gift_cards_code_key":
		return payment.Errorf(payment.KindConflict, "gift_card_code_taken", "the store has a gift card with this code")
	}
	if err != nil {
		return fmt.Errorf("issue gift card %s: %w", c.ID, err)
	}
	return nil
}

// GiftCard reads a card of a store and the latest entries of its ledger, the
// newest first.
func (s *Store) GiftCard(
	ctx context.Context, store string, id payment.GiftCardID,
) (payment.GiftCard, []payment.GiftCardEntry, error) {
	type line struct {
		card  payment.GiftCard
		entry payment.GiftCardEntry
	}
	lines, err := collect(ctx, s, func(row pgx.CollectableRow) (line, error) {
		card, entry, err := scanEntryAndCard(row)
		return line{card, entry}, err
	}, entryQuery+" where c.store = $1 and c.id = $2 order by e.n desc limit $3", store, [16]byte(id), cardEntriesMax)
	if err == nil && len(lines) == 0 {
		err = payment.ErrGiftCardNotFound
	}
	if err != nil {
		return payment.GiftCard{}, nil, fmt.Errorf("read gift card %s: %w", id, err)
	}
	entries := make([]payment.GiftCardEntry, len(lines))
	for i, l := range lines {
		entries[i] = l.entry
	}
	return lines[0].card, entries, nil
}

// ListGiftCards returns a page of a store's cards, newest first, and the cursor of
// the next page, "" for none.
func (s *Store) ListGiftCards(ctx context.Context, store string, page payment.Page) ([]payment.GiftCard, string, error) {
	w := &where{}
	w.add("store = ?", store)
	if page.After != "" {
		id, err := payment.ParseGiftCardID(page.After)
		if err != nil {
			return nil, "", errCursor
		}
		w.add("id < ?", [16]byte(id))
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanCard, fmt.Sprintf(`select %s from gift_cards c where %s order by id desc limit %d`,
		cardColumns, w, limit+1), w.args...)
	if err != nil {
		return nil, "", fmt.Errorf("list gift cards: %w", err)
	}
	list, next := paged(found, limit, func(c payment.GiftCard) string { return c.ID.String() })
	return list, next, nil
}

// ActivateGiftCard says whether a card can be paid with. Who changed that is kept in
// the audit.
func (s *Store) ActivateGiftCard(
	ctx context.Context, store string, id payment.GiftCardID, active bool, by payment.AuditEntry,
) (payment.GiftCard, error) {
	by.Store, by.Action, by.Subject = store, "gift_card.activated", id.String()
	if !active {
		by.Action = "gift_card.deactivated"
	}
	var found []payment.GiftCard
	err := s.repeatable(ctx, func(ctx context.Context, tx pgx.Tx) (err error) {
		tag, err := tx.Exec(ctx, `update gift_cards set active = $3, updated_at = $4 where store = $1 and id = $2 and active <> $3`,
			store, [16]byte(id), active, by.At)
		if err == nil && tag.RowsAffected() == 1 {
			err = appendAudit(ctx, tx, by)
		}
		if err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, `select `+cardColumns+` from gift_cards c where store = $1 and id = $2`, store, [16]byte(id))
		found, err = pgx.CollectRows(rows, scanCard)
		return err
	})
	return oneCard("activate", found, err)
}

func oneCard(what string, found []payment.GiftCard, err error) (payment.GiftCard, error) {
	if err == nil && len(found) == 0 {
		err = payment.ErrGiftCardNotFound
	}
	if err != nil {
		return payment.GiftCard{}, fmt.Errorf("%s gift card: %w", what, err)
	}
	return found[0], nil
}

func scanCard(row pgx.CollectableRow) (payment.GiftCard, error) {
	var c payment.GiftCard
	var id [16]byte
	var code string
	var initial, balance int64
	var expires *time.Time
	var metadata []byte
	err := row.Scan(&id, &c.Store, &c.Last4, &code, &initial, &balance, &c.Active, &expires, &metadata,
		&c.CreatedAt, &c.UpdatedAt)
	if err != nil {
		return c, err
	}
	currency, err := payment.ParseCurrency(code)
	if err != nil {
		return c, fmt.Errorf("stored currency: %w", err)
	}
	c.ID, c.ExpiresAt, c.CreatedAt, c.UpdatedAt = id, timeOf(expires), c.CreatedAt.UTC(), c.UpdatedAt.UTC()
	c.Initial, c.Balance = payment.FromMinor(initial, currency), payment.FromMinor(balance, currency)
	if err := json.Unmarshal(metadata, &c.Metadata); err != nil {
		return c, fmt.Errorf("stored metadata: %w", err)
	}
	return c, nil
}
