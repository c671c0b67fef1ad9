package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// DueClocks leases payments whose reserved money somebody has to look at: nobody
// else gets them until leaseUntil.
func (s *Store) DueClocks(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueClock, error) {
	due, err := lease(ctx, s, `with due as materialized (
			select order_id, n from payments where clock_due_at <= $1 order by clock_due_at limit $3 for update skip locked)
		update payments p set clock_due_at = $2 from due where p.order_id = due.order_id and p.n = due.n
		returning p.order_id, p.n, p.clock_due_at`,
		func(row pgx.CollectableRow) (d payment.DueClock, err error) {
			var order [16]byte
			err = row.Scan(&order, &d.ID.N, &d.Lease)
			d.ID.Order, d.Lease = order, d.Lease.UTC()
			return d, err
		}, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease clocks of payments: %w", err)
	}
	return due, nil
}

// PostponeClock says when a leased payment is looked at again, never for the zero
// time. It does nothing when the clock was leased again, or set anew, meanwhile.
func (s *Store) PostponeClock(ctx context.Context, d payment.DueClock, again time.Time) error {
	_, err := s.put(ctx, `update payments set clock_due_at = $4 where order_id = $1 and n = $2 and clock_due_at = $3`,
		[16]byte(d.ID.Order), d.ID.N, d.Lease, nullTime(again))
	if err != nil {
		return fmt.Errorf("put off the clock of %s: %w", d.ID, err)
	}
	return nil
}
