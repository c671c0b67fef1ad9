package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// floor sends recorded requests to the database again, with other values, and
// does nothing else: no service of ours can be faster than that.
type floor struct {
	pool     *pgxpool.Pool
	recorded *recordings
	ids      *payment.IDs
	numbers  atomic.Int64
}

func newFloor(pool *pgxpool.Pool, recorded *recordings) *floor {
	return &floor{pool: pool, recorded: recorded, ids: payment.NewIDs(time.Now, rand.Reader)}
}

// send carries out one recorded request.
func (f *floor) send(ctx context.Context, r *recording, v *values) error {
	var conn *pgxpool.Conn
	defer func() {
		if conn != nil {
			conn.Release()
		}
	}()
	for i := range r.steps {
		s := &r.steps[i]
		if conn == nil { // one for each transaction, as the service does
			var err error
			if conn, err = f.pool.Acquire(ctx); err != nil {
				return err
			}
		}
		if err := r.trip(ctx, conn, s, v); err != nil {
			return err
		}
		if s.ends() {
			conn.Release()
			conn = nil
		}
	}
	return nil
}

// trip is one round trip. The server must say of each statement what it said
// when the statement was recorded, or the floor would measure something else.
func (r *recording) trip(ctx context.Context, conn *pgxpool.Conn, s *step, v *values) error {
	if !s.batch {
		q := &s.queries[0]
		rows, err := conn.Query(ctx, q.sql, r.fill(q, v)...)
		if err != nil {
			return err
		}
		rows.Close()
		return q.check(rows.CommandTag().String(), rows.Err())
	}
	batch := &pgx.Batch{}
	for i := range s.queries {
		batch.Queue(s.queries[i].sql, r.fill(&s.queries[i], v)...)
	}
	results := conn.SendBatch(ctx, batch)
	for i := range s.queries {
		tag, err := results.Exec()
		if err := s.queries[i].check(tag.String(), err); err != nil {
			_ = results.Close() // what happened first is what matters
			return err
		}
	}
	return results.Close()
}

func (q *query) check(tag string, err error) error {
	if err == nil && tag != q.tag {
		err = fmt.Errorf("the server answered %s, and %s when it was recorded", tag, q.tag)
	}
	if err != nil {
		return fmt.Errorf("replay %.60q: %w", q.sql, err)
	}
	return nil
}

// pay makes an order and pays it.
func (f *floor) pay(ctx context.Context) error {
	number := "F-" + strconv.FormatInt(f.numbers.Add(1), 10)
	r := f.recorded.pay
	return f.send(ctx, r, r.fresh(f.ids, number, number+"-key", f.ids.Reference()))
}

// prepared is an order that something can be done with.
type prepared struct {
	order     payment.OrderID
	reference string // of its first transaction
}

// prepareClients fill the shop with orders as fast as the database takes them.
const prepareClients = 16

// prepare makes orders for a change: those whose payment waits for a notification,
// or whose money is reserved or taken.
func (f *floor) prepare(ctx context.Context, c *change, n int) ([]prepared, error) {
	made := make([]prepared, n)
	var next atomic.Int64
	slot := c.made.order(c.order)
	err := together(prepareClients, func(int) error {
		for {
			i := int(next.Add(1)) - 1
			if i >= n {
				return nil
			}
			number := "W-" + strconv.FormatInt(f.numbers.Add(1), 10)
			v := c.made.fresh(f.ids, number, number+"-key", f.ids.Reference())
			v.later = 24 * time.Hour // nobody asks the sandbox about an order that it never saw
			if err := f.send(ctx, c.made, v); err != nil {
				return err
			}
			made[i] = prepared{order: v.uuids[slot], reference: v.texts[2]}
		}
	})
	return made, err
}

// confirm takes in the notification that a waiting order is paid.
func (f *floor) confirm(ctx context.Context, p prepared) error {
	return f.change(ctx, f.recorded.changes[opConfirm], p, p.reference, eventOf(p.reference))
}

// operate captures, refunds or voids what the payment of an order holds.
func (f *floor) operate(ctx context.Context, operation string, p prepared) error {
	return f.change(ctx, f.recorded.changes[operation], p, "key-of-"+p.reference, f.ids.Reference())
}

func (f *floor) change(ctx context.Context, c *change, p prepared, texts ...string) error {
	v := c.done.fresh(f.ids, texts...)
	v.uuids[c.done.order(c.order)] = p.order
	v.later = 24 * time.Hour
	return f.send(ctx, c.done, v)
}

// status reads where an order stands.
func (f *floor) status(ctx context.Context, p prepared) error {
	r := f.recorded.status
	v := &values{uuids: [][16]byte{p.order}}
	return f.send(ctx, r, v)
}

// together runs work in n goroutines and returns the first error.
func together(n int, work func(worker int) error) error {
	errs := make(chan error, n)
	var group sync.WaitGroup
	for i := range n {
		group.Go(func() { errs <- work(i) })
	}
	group.Wait()
	for range n {
		if err := <-errs; err != nil {
			return err
		}
	}
	return nil
}
