package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// DueReleases leases payments whose money is to be given back, and payments of a
// tender that nobody sent in time: nobody else gets them until leaseUntil.
func (s *Store) DueReleases(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DuePayment, error) {
	due, err := lease(ctx, s, `with due as materialized (
			select order_id, n from payments where release_due_at <= $1 order by release_due_at limit $3 for update skip locked)
		update payments p set release_due_at = $2 from due, orders o
		where p.order_id = due.order_id and p.n = due.n and o.id = p.order_id
		returning p.order_id, p.n, o.store`,
		func(row pgx.CollectableRow) (d payment.DuePayment, err error) {
			id, store, err := scanLeased(row)
			return payment.DuePayment{ID: payment.PaymentID(id), Store: store}, err
		}, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease releases: %w", err)
	}
	return due, nil
}
