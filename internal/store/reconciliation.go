package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// NewComparison makes sure that an account is compared: from what happens from now
// on, first at due. One that is known already stays as it is.
func (s *Store) NewComparison(ctx context.Context, store, account string, now, due time.Time) error {
	_, err := s.put(ctx, `insert into reconciliations (store, account, covered_until, due_at) values ($1, $2, $3, $4)
		on conflict (store, account) do nothing`, store, account, now, due)
	if err != nil {
		return fmt.Errorf("begin to compare account %s of %s: %w", account, store, err)
	}
	return nil
}

// DueComparisons leases comparisons whose time has come, or that are under way and
// were left: nobody else gets them until leaseUntil.
func (s *Store) DueComparisons(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.Comparison, error) {
	due, err := lease(ctx, s, `with due as materialized (
			select store, account from reconciliations where due_at <= $1 order by due_at limit $3 for update skip locked)
		update reconciliations r set due_at = $2 from due where r.store = due.store and r.account = due.account
		returning r.store, r.account, r.covered_until, r.due_at, r.run, r.until_at, r.phase, r.cursor, r.pages, r.mark,
			r.listed, r.recorded, r.orphans, r.missing`, scanComparison, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease comparisons: %w", err)
	}
	return due, nil
}

func scanComparison(row pgx.CollectableRow) (c payment.Comparison, err error) {
	var run *[16]byte
	var until *time.Time
	t := &c.Tally
	err = row.Scan(&c.Store, &c.Account, &c.CoveredUntil, &c.Lease, &run, &until, &c.Phase, &c.Cursor, &c.Pages, &c.Mark,
		&t.Listed, &t.Recorded, &t.Orphans, &t.Missing)
	if run != nil {
		c.Run = *run
	}
	c.CoveredUntil, c.Lease, c.Until = c.CoveredUntil.UTC(), c.Lease.UTC(), timeOf(until)
	return c, err
}

// SaveComparison writes how far a leased comparison is, and when it goes on. It
// tells whether the lease still held; where it did not, nothing is written.
func (s *Store) SaveComparison(ctx context.Context, c payment.Comparison, due time.Time) (bool, error) {
	var run *[16]byte
	if c.Run != (payment.ID{}) {
		run = (*[16]byte)(&c.Run)
	}
	wrote, err := s.put(ctx, `update reconciliations set covered_until = $4, due_at = $5, run = $6, until_at = $7, phase = $8,
			cursor = $9, listed = $10, recorded = $11, orphans = $12, missing = $13, pages = $14, mark = $15
		where store = $1 and account = $2 and due_at = $3`,
		c.Store, c.Account, c.Lease, c.CoveredUntil, due, run, nullTime(c.Until), string(c.Phase), c.Cursor,
		c.Tally.Listed, c.Tally.Recorded, c.Tally.Orphans, c.Tally.Missing, c.Pages, c.Mark)
	if err != nil {
		return false, fmt.Errorf("save the comparison of account %s of %s: %w", c.Account, c.Store, err)
	}
	return wrote == 1, nil
}

// KeepSeen notes which transactions a comparison has done with.
func (s *Store) KeepSeen(ctx context.Context, run payment.ID, seen []payment.TransactionID) error {
	orders, numbers := make([][16]byte, len(seen)), make([]int, len(seen))
	for i, id := range seen {
		orders[i], numbers[i] = id.Order, id.N
	}
	_, err := s.put(ctx, `insert into reconciliation_seen (run, order_id, n)
		select $1, order_id, n from unnest($2::uuid[], $3::int[]) as seen (order_id, n) on conflict do nothing`,
		[16]byte(run), orders, numbers)
	if err != nil {
		return fmt.Errorf("note what was compared: %w", err)
	}
	return nil
}

// ForgetSeen forgets what a comparison that has ended noted, and what comparisons
// left that began before another one and never ended.
func (s *Store) ForgetSeen(ctx context.Context, run, before payment.ID) error {
	_, err := s.put(ctx, `delete from reconciliation_seen where run = $1 or run < $2`, [16]byte(run), [16]byte(before))
	if err != nil {
		return fmt.Errorf("forget what was compared: %w", err)
	}
	return nil
}

// OpenCases opens cases that belong to no order. One that was opened before stays
// as it is.
func (s *Store) OpenCases(ctx context.Context, cases []payment.Case) error {
	err := s.send(ctx, func(batch *pgx.Batch) error {
		for i := range cases {
			if err := queueCase(batch, &cases[i]); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("open cases: %w", err)
	}
	return nil
}
