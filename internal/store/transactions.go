package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// DueTransactions leases transactions that a PSP is to be asked about.
func (s *Store) DueTransactions(
	ctx context.Context, now, leaseUntil time.Time, limit int,
) ([]payment.DueTransaction, error) {
	due, err := lease(ctx, s, `with due as materialized (
			select order_id, n from transactions where due_at <= $1 order by due_at limit $3 for update skip locked)
		update transactions t set due_at = $2 from due, orders o
		where t.order_id = due.order_id and t.n = due.n and o.id = t.order_id
		returning t.order_id, t.n, o.store`,
		func(row pgx.CollectableRow) (payment.DueTransaction, error) {
			var d payment.DueTransaction
			var order [16]byte
			err := row.Scan(&order, &d.ID.N, &d.Store)
			d.ID.Order = order
			return d, err
		}, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease transactions: %w", err)
	}
	return due, nil
}

// PostponeTransaction writes that the PSP was asked in vain and when it is asked
// next (zero: never), unless somebody else has written about it meanwhile.
func (s *Store) PostponeTransaction(ctx context.Context, id payment.TransactionID, due time.Time, expect int) error {
	_, err := s.put(ctx, `update transactions set due_at = $3, inquiries = inquiries + 1
		where order_id = $1 and n = $2 and inquiries = $4 and settled_at is null`,
		[16]byte(id.Order), id.N, nullTime(due), expect)
	if err != nil {
		return fmt.Errorf("postpone transaction %s: %w", id, err)
	}
	return nil
}
