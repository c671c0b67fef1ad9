package store

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// DueOrders leases pending orders whose time may be over: nobody else gets them
// until leaseUntil. Those that are not pending any more are settled by the way,
// and only counted: seen is how many there were of both.
func (s *Store) DueOrders(
	ctx context.Context, now, leaseUntil time.Time, limit int,
) (due []payment.DueOrder, seen int, err error) {
	found, err := lease(ctx, s, `with due as materialized (
			select id from orders where expiry_due_at <= $1 order by expiry_due_at limit $3 for update skip locked)
		update orders o set expiry_due_at = case when o.status = 'pending' then $2::timestamptz end from due where o.id = due.id
		returning o.store, o.id, o.expiry_due_at`,
		func(row pgx.CollectableRow) (d payment.DueOrder, err error) {
			var id [16]byte
			var leased *time.Time
			err = row.Scan(&d.Store, &id, &leased)
			d.ID, d.Lease = id, timeOf(leased)
			return d, err
		}, now, leaseUntil, limit)
	if err != nil {
		return nil, 0, fmt.Errorf("lease orders that expire: %w", err)
	}
	seen = len(found)
	return slices.DeleteFunc(found, func(d payment.DueOrder) bool { return d.Lease.IsZero() }), seen, nil
}

// PostponeExpiry says when a leased order is to be looked at again, never for the
// zero time. It does nothing when the order was leased again, or given another
// time, meanwhile.
func (s *Store) PostponeExpiry(ctx context.Context, d payment.DueOrder, again time.Time) error {
	_, err := s.put(ctx, `update orders set expiry_due_at = $3 where id = $1 and expiry_due_at = $2`,
		[16]byte(d.ID), d.Lease, nullTime(again))
	if err != nil {
		return fmt.Errorf("put off the expiry of %s: %w", d.ID, err)
	}
	return nil
}
