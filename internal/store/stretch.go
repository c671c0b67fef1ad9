package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// parkedRetry is when a notification that fits no transaction is first matched
// again.
const parkedRetry = 30 * time.Second

// Stretch is one transaction: it locks and loads an order, lets work change it
// in memory, writes all that changed, and commits. It takes two round trips, one
// for an order that is new. Work must only compute: it is called again, on a
// fresh load, when the database asks for a retry.
//
// A lost answer to COMMIT is resolved by reading our own token back, so a nil
// error means that the stretch is durable and any other that it is not.
func (s *Store) Stretch(
	ctx context.Context, open payment.Opening, work func(*payment.Order) (payment.Closing, error),
) error {
	var id payment.OrderID // of the order, once it is known
	err := s.retry(ctx, open.Token, func(ctx context.Context, again bool) error {
		if again && id != (payment.OrderID{}) {
			if done, err := s.committed(ctx, id, open); err != nil || done {
				return err
			}
		}
		return s.withConn(ctx, func(conn *pgxpool.Conn) error {
			if open.New != nil {
				id = open.New.ID
				return s.create(ctx, conn, open, work)
			}
			return s.advance(ctx, conn, open, &id, work)
		})
	})
	return s.opened(ctx, open, err)
}

// advance is a stretch of an order that exists.
func (s *Store) advance(
	ctx context.Context, conn *pgxpool.Conn, open payment.Opening, id *payment.OrderID,
	work func(*payment.Order) (payment.Closing, error),
) error {
	o, err := lock(ctx, conn, open)
	if err != nil {
		return rollback(ctx, conn, err)
	}
	if o == nil { // a notification that fits nothing is all that is kept
		if _, err := conn.Exec(ctx, "commit"); err != nil {
			return err
		}
		return payment.ErrParked
	}
	*id = o.ID
	closing, err := work(o)
	if err == nil {
		o.Settled(closing.Notification)
		err = s.workCases(ctx, conn, o)
	}
	if err == nil {
		err = settleOrphan(ctx, conn, o, closing.Notification)
	}
	if err != nil {
		return rollback(ctx, conn, err)
	}
	batch := &pgx.Batch{}
	if err := queueChanges(batch, o, closing); err != nil {
		return rollback(ctx, conn, err)
	}
	return commit(ctx, conn, batch, closing.Reply)
}

// create is the first stretch of an order: nothing has to be read, so all of it
// goes out at once.
func (s *Store) create(
	ctx context.Context, conn *pgxpool.Conn, open payment.Opening, work func(*payment.Order) (payment.Closing, error),
) error {
	o := *open.New
	o.Effects, o.Payments, o.Staged = nil, nil, payment.Staged{}
	o.Attributes = make(map[string]payment.Attribute)
	closing, err := work(&o)
	if err == nil {
		err = s.workCases(ctx, conn, &o)
	}
	if err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue("begin")
	if open.Claim != nil {
		queueClaimOfNew(batch, open.Claim, &o, closing)
		closing.Claim = nil
	}
	if err := queueOrder(batch, &o); err != nil {
		return err
	}
	if err := queueChildren(batch, &o, closing); err != nil {
		return err
	}
	return commit(ctx, conn, batch, nil)
}

// lock opens the transaction, writes what is durable whatever follows, and
// locks and loads the order. It returns nil for a notification that fits none.
func lock(ctx context.Context, conn *pgxpool.Conn, open payment.Opening) (*payment.Order, error) {
	batch := &pgx.Batch{}
	batch.Queue("begin")
	if open.Claim != nil {
		queueClaim(batch, open.Claim)
	}
	if open.Notification != nil {
		if err := queueNotification(batch, open.Notification); err != nil {
			return nil, err
		}
	}
	if open.Journal != nil {
		batch.Queue("select token = $3 from runs where order_id = $1 and n = $2",
			[16]byte(open.Order), open.Journal.N, [16]byte(open.Journal.Token))
	}
	queueLoad(batch, open)
	results := conn.SendBatch(ctx, batch)
	o, err := readOpening(results, open)
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	if errors.Is(err, pgx.ErrNoRows) {
		if open.Notification != nil {
			return nil, nil
		}
		return nil, payment.ErrOrderNotFound
	}
	return o, err
}

func readOpening(results pgx.BatchResults, open payment.Opening) (*payment.Order, error) {
	writes := 1
	if open.Claim != nil {
		writes++
	}
	if open.Notification != nil {
		writes++
	}
	if _, err := execAll(results, writes); err != nil {
		return nil, err
	}
	if open.Journal != nil {
		var mine bool
		if err := results.QueryRow().Scan(&mine); err != nil {
			return nil, err
		}
		if !mine {
			return nil, payment.ErrStale
		}
	}
	o, err := readOrder(results)
	if err == nil && open.Attributes {
		err = readAttributes(results, o)
	}
	return o, err
}

// commit sends the writes together with COMMIT. The last of them keeps the reply,
// where there is one.
func commit(ctx context.Context, conn *pgxpool.Conn, batch *pgx.Batch, reply *payment.Reply) error {
	writes := batch.Len()
	batch.Queue("commit")
	results := conn.SendBatch(ctx, batch)
	last, err := execAll(results, writes)
	if reply != nil && err == nil {
		reply.Superseded = last.RowsAffected() == 0
	}
	var tag pgconn.CommandTag
	if err == nil {
		tag, err = results.Exec()
	}
	if closeErr := results.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return rollback(ctx, conn, err)
	}
	if tag.String() != "COMMIT" {
		return errRolledBack
	}
	return nil
}

// execAll reads the results of n statements, and returns that of the last.
func execAll(results pgx.BatchResults, n int) (last pgconn.CommandTag, err error) {
	for range n {
		if last, err = results.Exec(); err != nil {
			return last, err
		}
	}
	return last, nil
}

// rollback ends a transaction that came to nothing and passes its cause on.
func rollback(ctx context.Context, conn *pgxpool.Conn, cause error) error {
	if cause == nil || conn.Conn().IsClosed() || conn.Conn().PgConn().TxStatus() == 'I' {
		return cause
	}
	if _, err := conn.Exec(context.WithoutCancel(ctx), "rollback"); err != nil {
		_ = conn.Conn().Close(context.WithoutCancel(ctx)) // the pool throws it away
	}
	return cause
}
