package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// afterDue is how long after its due time a thing is settled at the latest: a
// sweep comes round every half a minute at least, and one that was under way on
// an instance that died is taken up after half a minute more.
const afterDue = 90 * time.Second

// calm waits until everything is settled, or the horizon is over: the last due
// time that was written down while there was trouble, and what follows from it.
// It returns how long it waited, and the horizon.
func (r *rig) calm(ctx context.Context, most time.Duration) (took, horizon time.Duration, err error) {
	for _, i := range r.instances {
		i.over() // one that could not start without its database is started again
		if err := i.start(); err != nil {
			return 0, 0, err
		}
		if err := i.awaitReady(ctx); err != nil {
			return 0, 0, err
		}
	}
	conn, err := r.db.connect(ctx)
	if err != nil {
		return 0, 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	begun := time.Now()
	for first := true; ; first = false {
		left, due, err := unfinished(ctx, conn)
		if err != nil {
			return time.Since(begun), horizon, err
		}
		if first {
			horizon = min(most, max(0, time.Until(due))+afterDue)
			fmt.Fprintf(os.Stderr, "calm: %d things are not settled; the horizon is %s\n", left, horizon.Round(time.Second))
		}
		if left == 0 || time.Since(begun) > horizon {
			return time.Since(begun), horizon, nil
		}
		if err := pause(ctx, 500*time.Millisecond); err != nil {
			return time.Since(begun), horizon, err
		}
	}
}

func unfinished(ctx context.Context, conn *pgx.Conn) (left int, due time.Time, err error) {
	var at *time.Time
	if err = conn.QueryRow(ctx, countUnfinished).Scan(&left, &at); err == nil && at != nil {
		due = *at
	}
	return left, due, err
}

// repeatsMax bounds how many requests are repeated once all is settled.
const repeatsMax = 1000

// repeatAll asks for what was asked for again, under the same keys: nothing may
// move, and every answer that was final has to come again.
func (r *rig) repeatAll(ctx context.Context) error {
	for n, request := range r.shop.testimony.settled() {
		if n == repeatsMax {
			return nil
		}
		if _, ok := r.shop.post(ctx, request); !ok && ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return nil
}
