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
	"github.com/paysvc/paysvc/internal/store"
)

// turnstile stands in front of each piece of work of a sweep, of which several are
// done at once: each gets a name of its own, and they begin one by one.
type turnstile struct {
	*moments.Service
	i *instance
}

// desk is the turnstile in front of the books, for work that needs nothing else.
type desk struct {
	*store.Store
	i *instance
}

var errDead = errors.New("the instance is dead")

func (i *instance) enter(ctx context.Context, format string, args ...any) (context.Context, error) {
	who := whoIn(ctx) + " " + fmt.Sprintf(format, args...)
	if i.h.sched.pass(&gate{who: who, what: "begins", at: i}, nil) == died {
		return ctx, errDead
	}
	return as(ctx, who), nil
}

// Inquire implements jobs.Moments.
func (t turnstile) Inquire(ctx context.Context, store string, id payment.TransactionID) error {
	ctx, err := t.i.enter(ctx, "inquire %s", id)
	if err != nil {
		return err
	}
	return t.Service.Inquire(ctx, store, id)
}

// Resume implements jobs.Moments. The turnstile is in front of Run.
func (t turnstile) Resume(ctx context.Context, store string, id payment.RunID, record *payment.RunRecord) error {
	ctx, err := t.i.enter(ctx, "resume %s", id)
	if err != nil {
		return err
	}
	return t.Service.Resume(ctx, store, id, record)
}

// Replay implements jobs.Moments.
func (t turnstile) Replay(ctx context.Context, n *payment.Notification) error {
	ctx, err := t.i.enter(ctx, "replay %s", n.ID)
	if err != nil {
		return err
	}
	return t.Service.Replay(ctx, n)
}

// Expire implements jobs.Moments.
func (t turnstile) Expire(ctx context.Context, store string, id payment.OrderID) (time.Time, error) {
	ctx, err := t.i.enter(ctx, "expire %s", id)
	if err != nil {
		return time.Now().Add(time.Minute), err
	}
	return t.Service.Expire(ctx, store, id)
}

// Release implements jobs.Moments.
func (t turnstile) Release(ctx context.Context, store string, id payment.PaymentID) error {
	ctx, err := t.i.enter(ctx, "release %s", id)
	if err != nil {
		return err
	}
	return t.Service.Release(ctx, store, id)
}

// Reconcile implements jobs.Moments.
func (t turnstile) Reconcile(ctx context.Context, c payment.Comparison) (bool, error) {
	ctx, err := t.i.enter(ctx, "compare %s", c.Account)
	if err != nil {
		return false, err
	}
	return t.Service.Reconcile(ctx, c)
}

// DueComparisons implements jobs.Comparisons.
func (d desk) DueComparisons(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.Comparison, error) {
	due, err := d.Store.DueComparisons(ctx, now, leaseUntil, limit)
	return sorted(due), err
}

// DueRuns implements jobs.Runs.
func (d desk) DueRuns(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueRun, error) {
	due, err := d.Store.DueRuns(ctx, now, leaseUntil, limit)
	return sorted(due), err
}

// Run implements jobs.Runs.
func (d desk) Run(ctx context.Context, store string, id payment.RunID) (*payment.RunRecord, error) {
	ctx, err := d.i.enter(ctx, "read %s", id)
	if err != nil {
		return nil, err
	}
	return d.Store.Run(ctx, store, id)
}

// DueEffects implements jobs.Effects.
func (d desk) DueEffects(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueEffect, error) {
	due, err := d.Store.DueEffects(ctx, now, leaseUntil, limit)
	return sorted(due), err
}

// ApplyEffect implements jobs.Effects.
func (d desk) ApplyEffect(ctx context.Context, order payment.OrderID, key string, at time.Time) error {
	ctx, err := d.i.enter(ctx, "effect %s %s", order, key)
	if err != nil {
		return err
	}
	return d.Store.ApplyEffect(ctx, order, key, at)
}

// PostponeExpiry implements jobs.Expiries.
func (d desk) PostponeExpiry(ctx context.Context, due payment.DueOrder, again time.Time) error {
	ctx, err := d.i.enter(ctx, "postpone %s", due.ID)
	if err != nil {
		return err
	}
	return d.Store.PostponeExpiry(ctx, due, again)
}

// sorted puts what is due in an order of its own: that of the database is its
// business, and not the same each time.
func sorted[T any](due []T) []T {
	slices.SortFunc(due, func(a, b T) int { return cmp.Compare(fmt.Sprint(a), fmt.Sprint(b)) })
	return due
}
