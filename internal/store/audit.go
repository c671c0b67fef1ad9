package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// AppendAudit adds an entry to the audit of its store: its position and hash are
// filled in.
func (s *Store) AppendAudit(ctx context.Context, e payment.AuditEntry) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error { return appendAudit(ctx, tx, e) })
	if err != nil {
		return fmt.Errorf("audit of %s: %w", e.Action, err)
	}
	return nil
}

// appendAudit adds an entry in the transaction of what it is about.
func appendAudit(ctx context.Context, tx pgx.Tx, e payment.AuditEntry) error {
	head, err := lockHead(ctx, tx, e.Store, true)
	if err != nil {
		return err
	}
	return extend(ctx, tx, head, []payment.AuditEntry{e})
}

// chainHead is the end of a store's chain.
type chainHead struct {
	store    string
	position int64
	hash     []byte
	sequence int64
}

// lockHead locks the end of a chain, which begins with nothing. Without wait it
// returns nil where somebody else has it.
func lockHead(ctx context.Context, tx pgx.Tx, store string, wait bool) (*chainHead, error) {
	_, err := tx.Exec(ctx, `insert into audit_heads (store, position, hash, sequence) values ($1, 0, '', 0) on conflict do nothing`, store)
	if err != nil {
		return nil, err
	}
	skip := " skip locked"
	if wait {
		skip = ""
	}
	head := &chainHead{store: store}
	err = tx.QueryRow(ctx, `select position, hash, sequence from audit_heads where store = $1 for update`+skip, store).
		Scan(&head.position, &head.hash, &head.sequence)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	return head, err
}

// extend chains entries behind the head and writes both.
func extend(ctx context.Context, tx pgx.Tx, head *chainHead, entries []payment.AuditEntry) error {
	batch := &pgx.Batch{}
	for i := range entries {
		e := &entries[i]
		head.position++
		e.Store, e.Position, e.At = head.store, head.position, e.At.UTC().Truncate(time.Microsecond)
		e.Hash = e.Chained(head.hash)
		head.hash = e.Hash
		batch.Queue(`insert into audit (store, position, at, actor, source, action, subject, order_id, amount, currency, status,
				detail, event, sequence, digest, hash)
			values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, nullif($13, 0), nullif($14::bigint, 0), $15, $16)`,
			e.Store, e.Position, e.At, e.Actor, e.Source, e.Action, e.Subject, nullOrder(e.Order), e.Amount, e.Currency,
			e.Status, e.Detail, e.Event, e.Sequence, e.Digest, e.Hash)
	}
	batch.Queue(`update audit_heads set position = $2, hash = $3, sequence = $4 where store = $1`,
		head.store, head.position, head.hash, head.sequence)
	return tx.SendBatch(ctx, batch).Close()
}

func nullOrder(id payment.OrderID) *[16]byte {
	if id == (payment.OrderID{}) {
		return nil
	}
	return (*[16]byte)(&id)
}

// UnauditedStores names those of the stores that have events which the audit has
// not taken over.
func (s *Store) UnauditedStores(ctx context.Context, stores []string) ([]string, error) {
	found, err := collect(ctx, s, pgx.RowTo[string], `select s.store from unnest($1::text[]) as s (store)
		where exists (select from events e where e.store = s.store and e.`+settledEvents+`
			and e.sequence > coalesce((select h.sequence from audit_heads h where h.store = s.store), 0))`, stores)
	if err != nil {
		return nil, fmt.Errorf("look for events to audit: %w", err)
	}
	return found, nil
}

// AuditEvents takes the next events of a store over into its audit, in their
// settled order; more tells that there may be more of them. While another instance
// does the same it does nothing.
func (s *Store) AuditEvents(ctx context.Context, store string, limit int) (more bool, err error) {
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		more = false
		head, err := lockHead(ctx, tx, store, false)
		if err != nil || head == nil {
			return err
		}
		rows, _ := tx.Query(ctx, `select `+eventColumns+`, e.actor, e.source, sha256(convert_to(e.body::text, 'UTF8')) from events e
			where e.store = $1 and e.sequence > $2 and e.`+settledEvents+` order by e.sequence limit $3`,
			store, head.sequence, bounded(limit))
		read, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (payment.AuditEntry, error) { return scanAudited(row, store) })
		if err != nil || len(read) == 0 {
			return err
		}
		more, head.sequence = len(read) == limit, read[len(read)-1].Sequence
		var entries []payment.AuditEntry
		for _, e := range read {
			if audited(e.Action) {
				entries = append(entries, e)
			}
		}
		return extend(ctx, tx, head, entries)
	})
	if err != nil {
		return false, fmt.Errorf("audit the events of %s: %w", store, err)
	}
	return more, nil
}

// audited tells whether events of a type are about money, an order or a case; the
// others are about what is done beside.
func audited(eventType string) bool {
	subject, _, _ := strings.Cut(eventType, ".")
	switch subject {
	case "order", "payment", "transaction", "case":
		return true
	}
	return false
}

// auditedTypes is audited in SQL, of an event e.
const auditedTypes = `split_part(e.type, '.', 1) in ('order', 'payment', 'transaction', 'case')`

func scanAudited(row pgx.CollectableRow, store string) (payment.AuditEntry, error) {
	var sequence int64
	var order [16]byte
	var n int
	var body, digest []byte
	var actor, source string
	if err := row.Scan(&sequence, &order, &n, &body, &actor, &source, &digest); err != nil {
		return payment.AuditEntry{}, err
	}
	e, err := decodeEvent(body)
	e.Sequence, e.Order, e.N, e.Actor, e.Source = sequence, order, n, actor, source
	return payment.AuditOf(store, e, digest), err
}
