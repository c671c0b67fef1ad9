package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// AuditedStores names the stores that have an audit; "" is the service as a whole.
func (s *Store) AuditedStores(ctx context.Context) ([]string, error) {
	stores, err := collect(ctx, s, pgx.RowTo[string], `select store from audit_heads order by store`)
	if err != nil {
		return nil, fmt.Errorf("list audits: %w", err)
	}
	return stores, nil
}

// AuditHead returns where the audit of a store says that it ends.
func (s *Store) AuditHead(ctx context.Context, store string) (position int64, hash []byte, err error) {
	type end struct {
		position int64
		hash     []byte
	}
	found, err := collect(ctx, s, func(row pgx.CollectableRow) (e end, err error) {
		err = row.Scan(&e.position, &e.hash)
		return e, err
	}, `select position, hash from audit_heads where store = $1`, store)
	if err != nil || len(found) == 0 {
		return 0, nil, err
	}
	return found[0].position, found[0].hash, nil
}

const auditColumns = `store, position, at, actor, source, action, subject, order_id, amount, currency, status, detail,
	coalesce(event, 0), coalesce(sequence, 0), digest, hash`

// ListAudit returns entries of a store behind a position, in their order, of one
// order or, for the zero id, of all.
func (s *Store) ListAudit(
	ctx context.Context, store string, order payment.OrderID, after int64, limit int,
) ([]payment.AuditEntry, error) {
	entries, err := collect(ctx, s, scanAudit, `select `+auditColumns+` from audit
		where store = $1 and position > $2 and ($3::uuid is null or order_id = $3) order by position limit $4`,
		store, after, nullOrder(order), bounded(limit))
	if err != nil {
		return nil, fmt.Errorf("read the audit of %q: %w", store, err)
	}
	return entries, nil
}

func scanAudit(row pgx.CollectableRow) (payment.AuditEntry, error) {
	var e payment.AuditEntry
	var at time.Time
	var order *[16]byte
	err := row.Scan(&e.Store, &e.Position, &at, &e.Actor, &e.Source, &e.Action, &e.Subject, &order, &e.Amount, &e.Currency,
		&e.Status, &e.Detail, &e.Event, &e.Sequence, &e.Digest, &e.Hash)
	e.At = at.UTC()
	if order != nil {
		e.Order = *order
	}
	return e, err
}

// UnfitAudit compares the audit of a store with the events that it took over, and
// returns the sequences of those that differ: events that were changed or taken out
// since, and events that were put in behind the end of the audit. At most limit of
// each.
func (s *Store) UnfitAudit(ctx context.Context, store string, limit int) (changed, inserted []int64, err error) {
	changed, err = collect(ctx, s, pgx.RowTo[int64], `select a.sequence from audit a
		left join events e on e.store = a.store and e.sequence = a.sequence
		where a.store = $1 and a.sequence is not null and (e.sequence is null
			or sha256(convert_to(e.body::text, 'UTF8')) <> a.digest or e.type <> a.action or e.order_id <> a.order_id)
		order by a.sequence limit $2`, store, bounded(limit))
	if err == nil {
		inserted, err = collect(ctx, s, pgx.RowTo[int64], `select e.sequence from events e
			join audit_heads h on h.store = e.store and e.sequence <= h.sequence
			where e.store = $1 and `+auditedTypes+`
				and not exists (select from audit a where a.store = e.store and a.sequence = e.sequence)
			order by e.sequence limit $2`, store, bounded(limit))
	}
	if err != nil {
		return nil, nil, fmt.Errorf("compare the audit of %q: %w", store, err)
	}
	return changed, inserted, nil
}
