package store

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// attemptsMax bounds how often one transaction is tried.
const attemptsMax = 5

// errRolledBack is a COMMIT that the server answered with ROLLBACK.
var errRolledBack = errors.New("the database rolled back")

// errUnavailable is what callers see of a database that is down: a later repeat
// is safe, since nothing was changed.
var errUnavailable = payment.Errorf(payment.KindUnavailable, "database_unavailable", "the database is not available; try again")

// retry repeats a transaction that the database could not finish for reasons
// that pass: deadlocks, lost connections, restarts. The delays grow, and spread
// by the token.
func (s *Store) retry(ctx context.Context, token payment.ID, attempt func(ctx context.Context, again bool) error) error {
	var err error
	for try := range attemptsMax {
		if try > 0 {
			delay := time.Duration(1<<try) * 10 * time.Millisecond
			delay += time.Duration(token[15]) * time.Millisecond / 8
			if wait(ctx, delay) != nil {
				return err
			}
		}
		if err = attempt(ctx, try > 0); err == nil || !passing(err) {
			return err
		}
	}
	return errors.Join(errUnavailable, err)
}

// read runs one read-only transaction, a single statement or batch, on a connection.
func (s *Store) read(ctx context.Context, query func(ctx context.Context, conn *pgxpool.Conn) error) error {
	return s.retry(ctx, payment.ID{}, func(ctx context.Context, _ bool) error {
		return s.withConn(ctx, func(conn *pgxpool.Conn) error { return query(ctx, conn) })
	})
}

// withConn lends a connection; waiting for one is bounded.
func (s *Store) withConn(ctx context.Context, use func(conn *pgxpool.Conn) error) error {
	acquire, cancel := context.WithTimeout(ctx, s.acquireMax)
	conn, err := s.poolOf(ctx).Acquire(acquire)
	cancel()
	if err != nil {
		if ctx.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
			return errUnavailable
		}
		return err
	}
	defer conn.Release()
	return use(conn)
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// passing tells whether the same transaction may work when it is tried again.
func passing(err error) bool {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok {
		switch pg.Code {
		case "40001", "40P01", "55P03", // serialization, deadlock, lock not available
			"57P01", "57P02", "57P03", "53300", // shutdown, crash, starting up, too many connections
			"25006", "0A000", "26000": // read-only after failover, stale plans
			return true
		}
		return strings.HasPrefix(pg.Code, "08")
	}
	return broken(err)
}

// broken tells whether the connection failed rather than the statement.
func broken(err error) bool {
	var network net.Error
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.ECONNREFUSED) || errors.Is(err, syscall.EPIPE) ||
		errors.Is(err, errRolledBack) || pgconn.SafeToRetry(err) ||
		errors.As(err, &network) && !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled)
}

// committed resolves a lost answer to COMMIT. Locking the order waits for a
// transaction of ours that the server has not finished with.
func (s *Store) committed(ctx context.Context, id payment.OrderID, open payment.Opening) (bool, error) {
	var done bool
	err := s.withConn(ctx, func(conn *pgxpool.Conn) error {
		return pgx.BeginFunc(ctx, conn, func(tx pgx.Tx) error {
			var exists bool
			err := tx.QueryRow(ctx, "select true from orders where id = $1 for update", [16]byte(id)).Scan(&exists)
			if errors.Is(err, pgx.ErrNoRows) {
				return nil
			}
			if err != nil {
				return err
			}
			if open.New != nil {
				done = true
				return nil
			}
			return tx.QueryRow(ctx, "select exists (select from runs where order_id = $1 and token = $2)",
				[16]byte(id), [16]byte(open.Token)).Scan(&done)
		})
	})
	return done, err
}
