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

// The stores that have events, found store by store: there are few of them, and
// many events.
const storesOfEvents = `with recursive stores (store) as (
		select min(store) from events
		union all
		select (select min(e.store) from events e where e.store > s.store) from stores s where s.store is not null)`

// countedAnew tells of a head that is in front of whatever may be written now: the
// server counts its transactions anew, and new events sort before old ones.
const countedAnew = `sequence > (pg_snapshot_xmax(pg_current_snapshot())::text::bigint << 12 | 4095)`

var errCountedAnew = errors.New("the database counts transactions anew, as one does that was restored from a dump: " +
	"new events would sort before old ones")

// UnauditedStores names the stores that have events which the audit has not taken
// over, and those whose events it cannot take over.
func (s *Store) UnauditedStores(ctx context.Context) ([]string, error) {
	found, err := collect(ctx, s, pgx.RowTo[string], storesOfEvents+`
		select s.store from stores s where s.store is not null and exists (
			select from events e where e.store = s.store and e.`+settledEvents+`
				and e.sequence > coalesce((select h.sequence from audit_heads h where h.store = s.store), 0))
		or (select h.`+countedAnew+` from audit_heads h where h.store = s.store)`)
	if err != nil {
		return nil, fmt.Errorf("look for events to audit: %w", err)
	}
	return found, nil
}

// AuditEvents takes the next events of a store over into its audit, in their
// settled order; last is when the last of them happened, and more tells that there may
// be more. While another instance does the same it does nothing.
func (s *Store) AuditEvents(ctx context.Context, store string, limit int) (last time.Time, more bool, err error) {
	limit = bounded(limit)
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		more = false
		head, err := lockHead(ctx, tx, store)
		if err != nil || head == nil {
			return err
		}
		rows, _ := tx.Query(ctx, `select e.type, e.at, `+eventColumns+`, e.actor, e.source, `+eventDigest+` from events e
			where e.store = $1 and e.sequence > $2 and e.`+settledEvents+` order by e.sequence limit $3`,
			store, head.Sequence, limit)
		read, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (payment.AuditEntry, error) { return scanAudited(row, store) })
		if err != nil || len(read) == 0 {
			return err
		}
		latest := &read[len(read)-1]
		last, more, head.Sequence = latest.At, len(read) == limit, latest.Sequence
		var entries []payment.AuditEntry
		for _, e := range read {
			if audited(e.Action) {
				entries = append(entries, e)
			}
		}
		return extend(ctx, tx, head, entries)
	})
	if err != nil {
		return last, false, fmt.Errorf("audit the events of %s: %w", store, err)
	}
	return last, more, nil
}

// lockHead locks the end of a chain, which begins with nothing. It returns nil where
// somebody else has it.
func lockHead(ctx context.Context, tx pgx.Tx, store string) (*payment.AuditHead, error) {
	head := &payment.AuditHead{Store: store}
	var anew bool
	err := tx.QueryRow(ctx, `select position, hash, sequence, `+countedAnew+` from audit_heads where store = $1
		for update skip locked`, store).Scan(&head.Position, &head.Hash, &head.Sequence, &anew)
	if anew {
		return nil, errCountedAnew
	}
	if !errors.Is(err, pgx.ErrNoRows) {
		return head, err
	}
	tag, err := tx.Exec(ctx, `insert into audit_heads (store, position, hash, sequence) values ($1, 0, '', 0)
		on conflict do nothing`, store)
	if err != nil || tag.RowsAffected() == 0 {
		return nil, err
	}
	return head, nil
}

// extend chains entries behind the head and writes both, in one round trip.
func extend(ctx context.Context, tx pgx.Tx, head *payment.AuditHead, entries []payment.AuditEntry) error {
	columns := make([][]any, 15)
	for i := range entries {
		e := &entries[i]
		head.Position++
		e.Position, e.At = head.Position, e.At.UTC().Truncate(time.Microsecond)
		e.Hash = e.Chained(head.Hash)
		head.Hash = e.Hash
		for c, v := range []any{
			e.Position, e.At, e.Actor, e.Source, e.Action, e.Subject, [16]byte(e.Order), e.Amount, e.Currency, e.Status,
			e.Detail, e.Event, e.Sequence, e.Digest, e.Hash,
		} {
			columns[c] = append(columns[c], v)
		}
	}
	batch := &pgx.Batch{}
	if len(entries) > 0 {
		args := []any{head.Store}
		for _, column := range columns {
			args = append(args, column)
		}
		batch.Queue(`insert into audit (store, position, at, actor, source, action, subject, order_id, amount, currency, status,
				detail, event, sequence, digest, hash)
			select $1, * from unnest($2::bigint[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::uuid[],
				$9::text[], $10::text[], $11::text[], $12::text[], $13::int[], $14::bigint[], $15::bytea[], $16::bytea[])`, args...)
	}
	batch.Queue(`update audit_heads set position = $2, hash = $3, sequence = $4 where store = $1`,
		head.Store, head.Position, head.Hash, head.Sequence)
	return tx.SendBatch(ctx, batch).Close()
}

// audited tells whether events of a type are about money, an order or a case; the
// others are about what is done beside, or say the same again.
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

// eventDigest is the hash of all that an event e says, byte for byte.
const eventDigest = `sha256(convert_to(json_build_array(e.order_id, e.n, e.type, e.actor, e.source,
	(extract(epoch from e.at) * 1000000)::bigint, e.body)::text, 'UTF8'))`

// scanAudited makes the entry of an event. One whose body cannot be read is not left
// out: its columns say what it was.
func scanAudited(row pgx.CollectableRow, store string) (payment.AuditEntry, error) {
	var columns payment.Event
	var key [16]byte
	var body, digest []byte
	err := row.Scan(&columns.Type, &columns.At, &columns.Sequence, &key, &columns.N, &body, &columns.Actor, &columns.Source, &digest)
	if err != nil {
		return payment.AuditEntry{}, err
	}
	e, err := decodeEvent(body)
	if err != nil {
		e = payment.Event{}
	}
	e.Type, e.At, e.Sequence, e.Order, e.N = columns.Type, columns.At, columns.Sequence, keptUnder(key, e), columns.N
	e.Actor, e.Source = columns.Actor, columns.Source
	return payment.AuditOf(store, e, digest), nil
}
