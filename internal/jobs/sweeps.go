package jobs

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// inquiries asks the PSPs about transactions whose time has come.
func (j *Jobs) inquiries(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Transactions.DueTransactions(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	each(due, sweepAtOnce, func(d payment.DueTransaction) {
		err := item(ctx, func(ctx context.Context) error { return j.Moments.Inquire(ctx, d.Store, d.ID) })
		if err != nil {
			j.Log.Warn().Err(err).Stringer("transaction", d.ID).Msg("inquiry learnt nothing")
		}
	})
	return len(due) == batchMax, nil
}

// runs takes up runs that failed or were left by a crash, several at once: one may
// ask a shop that does not answer, and the others are not to wait for it.
func (j *Jobs) runs(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Runs.DueRuns(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	each(due, sweepAtOnce, func(d payment.DueRun) {
		err := item(ctx, func(ctx context.Context) error {
			record, err := j.Runs.Run(ctx, d.Store, d.ID)
			if err != nil {
				return err
			}
			return j.Moments.Resume(ctx, d.Store, d.ID, record)
		})
		if err != nil {
			j.Log.Error().Err(err).Stringer("run", d.ID).Msg("run failed again")
		}
	})
	return len(due) == batchMax, nil
}

// notifications applies kept notifications again, several at once as runs. Some
// may be unreadable, which is an error beside those that are not.
func (j *Jobs) notifications(ctx context.Context) (bool, error) {
	now := j.Now()
	due, unreadable := j.Notifications.DueNotifications(ctx, now, now.Add(lease), batchMax)
	each(due, sweepAtOnce, func(n *payment.Notification) {
		err := item(ctx, func(ctx context.Context) error { return j.Moments.Replay(ctx, n) })
		if err != nil {
			j.Log.Error().Err(err).Stringer("notification", n.ID).Msg("notification failed again")
		}
	})
	return len(due) == batchMax, unreadable
}

// expiryBroken is when an order is looked at again that even looking at breaks.
const expiryBroken = time.Hour

// expiry ends orders whose time is over. Several are asked about at once.
func (j *Jobs) expiry(ctx context.Context) (bool, error) {
	now := j.Now()
	due, seen, err := j.Expiries.DueOrders(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	each(due, sweepAtOnce, func(d payment.DueOrder) {
		again := now.Add(expiryBroken)
		err := item(ctx, func(ctx context.Context) (err error) {
			again, err = j.Moments.Expire(ctx, d.Store, d.ID)
			return err
		})
		err = errors.Join(err, item(ctx, func(ctx context.Context) error { return j.Expiries.PostponeExpiry(ctx, d, again) }))
		if err != nil {
			j.Log.Error().Err(err).Stringer("order", d.ID).Msg("an order could not expire; it stays due")
		}
	})
	return seen == batchMax, nil
}

// each works on so many at once, and returns when all are done.
func each[T any](all []T, atOnce int, work func(T)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, atOnce)
	for _, one := range all {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			work(one)
		})
	}
	group.Wait()
}

// keys forgets idempotency keys that are old.
func (j *Jobs) keys(ctx context.Context) (bool, error) {
	reaped, err := j.Claims.ReapClaims(ctx, j.Now().Add(-keyLifetime), batchMax*10)
	return reaped == batchMax*10, err
}

// checkouts forgets what storefronts kept for checkouts that are over.
func (j *Jobs) checkouts(ctx context.Context) (bool, error) {
	reaped, err := j.Claims.ReapCheckoutState(ctx, batchMax*10)
	return reaped == batchMax*10, err
}
