package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// AuditedStores names the stores that have an audit, or events for one; "" is the
// service as a whole.
func (s *Store) AuditedStores(ctx context.Context) ([]string, error) {
	stores, err := collect(ctx, s, pgx.RowTo[string], storesOfEvents+`, chains (store) as (
			select min(store) from audit
			union all
			select (select min(a.store) from audit a where a.store > c.store) from chains c where c.store is not null)
		select store from audit_heads union select store from stores where store is not null
		union select store from chains where store is not null order by 1`)
	if err != nil {
		return nil, fmt.Errorf("list audits: %w", err)
	}
	return stores, nil
}

// AuditHeads returns the ends of all audits.
func (s *Store) AuditHeads(ctx context.Context) ([]payment.AuditHead, error) {
	heads, err := collect(ctx, s, scanHead, `select store, position, hash, sequence from audit_heads order by store`)
	if err != nil {
		return nil, fmt.Errorf("read the heads of the audits: %w", err)
	}
	return heads, nil
}

// AuditHead returns where the audit of a store says that it ends; at nothing, where
// there is none.
func (s *Store) AuditHead(ctx context.Context, store string) (payment.AuditHead, error) {
	found, err := collect(ctx, s, scanHead, `select store, position, hash, sequence from audit_heads where store = $1`, store)
	if err != nil {
		return payment.AuditHead{}, fmt.Errorf("read the head of the audit of %q: %w", store, err)
	}
	if len(found) == 0 {
		return payment.AuditHead{Store: store}, nil
	}
	return found[0], nil
}

func scanHead(row pgx.CollectableRow) (payment.AuditHead, error) {
	var h payment.AuditHead
	err := row.Scan(&h.Store, &h.Position, &h.Hash, &h.Sequence)
	return h, err
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
