package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// collect runs one query on a connection and collects its rows.
func collect[T any](
	ctx context.Context, s *Store, scan pgx.RowToFunc[T], query string, args ...any,
) (found []T, err error) {
	err = s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, _ := conn.Query(ctx, query, args...) // its error is also that of the rows
		found, err = pgx.CollectRows(rows, scan)
		return err
	})
	return found, err
}

// lease runs a statement that takes due rows ($1 now, $3 how many) and pushes
// their due time to $2. It waits for no lock, and repeating it after a lost
// answer only leaves some rows to the next round.
func lease[T any](
	ctx context.Context, s *Store, statement string, scan pgx.RowToFunc[T], now, until time.Time, limit int,
) ([]T, error) {
	return collect(ctx, s, scan, statement, now, until, bounded(limit))
}

// scanLeased reads what belongs to an order, and the store of that.
func scanLeased(row pgx.CollectableRow) (id payment.ChildID, store string, err error) {
	var order [16]byte
	err = row.Scan(&order, &id.N, &store)
	id.Order = order
	return id, store, err
}

// put runs one statement that may be repeated without harm, and returns how many
// rows it wrote.
func (s *Store) put(ctx context.Context, statement string, args ...any) (int, error) {
	var tag pgconn.CommandTag
	err := s.retry(ctx, payment.ID{}, func(ctx context.Context, _ bool) error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) (err error) {
			tag, err = conn.Exec(ctx, statement, args...)
			return err
		})
	})
	return int(tag.RowsAffected()), err
}

// change runs one transaction of several statements, or of one that must not be
// repeated. It is tried again as long as COMMIT was not sent; when the answer to
// COMMIT is lost, it may have happened, and the error says so.
func (s *Store) change(ctx context.Context, work func(ctx context.Context, tx pgx.Tx) error) error {
	return s.retry(ctx, payment.ID{}, func(ctx context.Context, _ bool) error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) error {
			tx, err := conn.Begin(ctx)
			if err != nil {
				return err
			}
			defer func() { _ = tx.Rollback(context.WithoutCancel(ctx)) }() // after COMMIT it does nothing
			if err := work(ctx, tx); err != nil {
				return err
			}
			err = tx.Commit(ctx)
			if _, answered := errors.AsType[*pgconn.PgError](err); err != nil && !answered {
				return fmt.Errorf("commit, outcome unknown: %v", err) //nolint:errorlint // hides that it would pass
			}
			return err
		})
	})
}

// send runs writes that need nothing read first as one transaction and one
// round trip. They must be harmless to repeat: a lost answer to COMMIT repeats
// them.
func (s *Store) send(ctx context.Context, queue func(batch *pgx.Batch) error) error {
	return s.retry(ctx, payment.ID{}, func(ctx context.Context, _ bool) error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) error {
			batch := &pgx.Batch{}
			batch.Queue("begin")
			if err := queue(batch); err != nil {
				return err
			}
			return commit(ctx, conn, batch, nil)
		})
	})
}

// lockOrder locks an order of a store; of any store when store is "".
func lockOrder(ctx context.Context, tx pgx.Tx, store string, id payment.OrderID) error {
	var found bool
	err := tx.QueryRow(ctx, "select true from orders where id = $1 and ($2 = '' or store = $2) for update",
		[16]byte(id), store).Scan(&found)
	if errors.Is(err, pgx.ErrNoRows) {
		return payment.ErrOrderNotFound
	}
	return err
}
