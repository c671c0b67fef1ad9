package simulation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// turnstile stands in front of each piece of work of a sweep, of which several are
// done at once: each gets a name of its own, and they begin one by one.
type turnstile struct {
	i       *instance
	moments *moments.Service
}

var errDead = errors.New("the instance is dead")

func (t turnstile) enter(ctx context.Context, format string, args ...any) (context.Context, error) {
	who := whoIn(ctx) + " " + fmt.Sprintf(format, args...)
	if t.i.h.sched.pass(&gate{who: who, what: "begins", at: t.i}, nil) == died {
		return ctx, errDead
	}
	return as(ctx, who), nil
}

// Inquire implements jobs.Moments.
func (t turnstile) Inquire(ctx context.Context, store string, id payment.TransactionID) error {
	ctx, err := t.enter(ctx, "inquire %s", id)
	if err != nil {
		return err
	}
	return t.moments.Inquire(ctx, store, id)
}

// Resume implements jobs.Moments. The turnstile is in front of Run.
func (t turnstile) Resume(ctx context.Context, store string, id payment.RunID, record *payment.RunRecord) error {
	ctx, err := t.enter(ctx, "resume %s", id)
	if err != nil {
		return err
	}
	return t.moments.Resume(ctx, store, id, record)
}

// Replay implements jobs.Moments.
func (t turnstile) Replay(ctx context.Context, n *payment.Notification) error {
	ctx, err := t.enter(ctx, "replay %s", n.ID)
	if err != nil {
		return err
	}
	return t.moments.Replay(ctx, n)
}

// Expire implements jobs.Moments.
func (t turnstile) Expire(ctx context.Context, store string, id payment.OrderID) (time.Time, error) {
	ctx, err := t.enter(ctx, "expire %s", id)
	if err != nil {
		return time.Now().Add(time.Minute), err
	}
	return t.moments.Expire(ctx, store, id)
}

// Release implements jobs.Moments.
func (t turnstile) Release(ctx context.Context, store string, id payment.PaymentID) error {
	ctx, err := t.enter(ctx, "release %s", id)
	if err != nil {
		return err
	}
	return t.moments.Release(ctx, store, id)
}

// DueRuns implements jobs.Runs.
func (t turnstile) DueRuns(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueRun, error) {
	due, err := t.i.store.DueRuns(ctx, now, leaseUntil, limit)
	return sorted(due), err
}

// Run implements jobs.Runs.
func (t turnstile) Run(ctx context.Context, store string, id payment.RunID) (*payment.RunRecord, error) {
	ctx, err := t.enter(ctx, "read %s", id)
	if err != nil {
		return nil, err
	}
	return t.i.store.Run(ctx, store, id)
}

// DueEffects implements jobs.Effects.
func (t turnstile) DueEffects(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueEffect, error) {
	due, err := t.i.store.DueEffects(ctx, now, leaseUntil, limit)
	return sorted(due), err
}

// ApplyEffect implements jobs.Effects.
func (t turnstile) ApplyEffect(ctx context.Context, order payment.OrderID, key string, at time.Time) error {
	ctx, err := t.enter(ctx, "effect %s %s", order, key)
	if err != nil {
		return err
	}
	return t.i.store.ApplyEffect(ctx, order, key, at)
}

// FinishEffect implements jobs.Effects.
func (t turnstile) FinishEffect(
	ctx context.Context, order payment.OrderID, key string, at time.Time, failure string, retryAt time.Time,
) error {
	return t.i.store.FinishEffect(ctx, order, key, at, failure, retryAt)
}

// PostponeEffect implements jobs.Effects.
func (t turnstile) PostponeEffect(ctx context.Context, order payment.OrderID, key string, due time.Time) error {
	return t.i.store.PostponeEffect(ctx, order, key, due)
}

// DueOrders implements jobs.Expiries.
func (t turnstile) DueOrders(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueOrder, int, error) {
	return t.i.store.DueOrders(ctx, now, leaseUntil, limit)
}

// PostponeExpiry implements jobs.Expiries.
func (t turnstile) PostponeExpiry(ctx context.Context, d payment.DueOrder, again time.Time) error {
	ctx, err := t.enter(ctx, "postpone %s", d.ID)
	if err != nil {
		return err
	}
	return t.i.store.PostponeExpiry(ctx, d, again)
}

// sorted puts what is due in an order of its own: that of the database is its
// business, and not the same each time.
func sorted[T any](due []T) []T {
	slices.SortFunc(due, func(a, b T) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return due
}
