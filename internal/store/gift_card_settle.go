package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// errFound ends a transaction that found what it did before.
var errFound = errors.New("found")

// found is the error of a work that has read what it did before.
func found(err error) error {
	if err == nil {
		return errFound
	}
	return err
}

// repeatable runs one transaction that finds, behind the lock that it takes, what
// it did before, and returns found then. So it is repeated when the answer to COMMIT is lost, and waits then
// for what the server has not finished with. An error of kind unavailable means
// that nothing was changed; one without a kind that this could not be found out.
func (s *Store) repeatable(ctx context.Context, work func(ctx context.Context, tx pgx.Tx) error) error {
	lost := false // a COMMIT was sent, and nothing that came after it says what became of it
	err := s.retry(ctx, payment.ID{}, func(ctx context.Context, _ bool) error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) error {
			tx, err := conn.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after COMMIT it does nothing
			if err := work(ctx, tx); err != nil {
				return err // rolled back; of what was found, nothing is lost
			}
			err = tx.Commit(ctx)
			if errors.Is(err, pgx.ErrTxCommitRollback) {
				return errRolledBack
			}
			if _, answered := errors.AsType[*pgconn.PgError](err); err != nil && !answered {
				lost = true
			}
			return err
		})
	})
	if errors.Is(err, errFound) {
		return nil
	}
	_, decided := errors.AsType[*payment.Error](err)
	decided = decided && !errors.Is(err, errUnavailable)
	switch {
	case err == nil, decided:
		return err
	case lost:
		return fmt.Errorf("commit, outcome unknown: %v", err) //nolint:errorlint // hides that nothing was changed
	}
	return errors.Join(errUnavailable, err)
}
