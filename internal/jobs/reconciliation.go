package jobs

import (
	"context"
	"sync/atomic"

	"github.com/paysvc/paysvc/internal/payment"
)

// comparedAtOnce is how many accounts are compared at once, a page of each.
const comparedAtOnce = 4

// reconciliation compares our books with what PSPs list, account by account, page by
// page. A page has the time of a batch: the PSP may be slow.
func (j *Jobs) reconciliation(ctx context.Context) (bool, error) {
	now := j.Now()
	for a, due := range j.Moments.Listed() {
		if err := j.Comparisons.NewComparison(ctx, a.Store, a.Account, now, due); err != nil {
			return false, err
		}
	}
	due, err := j.Comparisons.DueComparisons(ctx, now, now.Add(lease), comparedAtOnce)
	if err != nil {
		return false, err
	}
	var left atomic.Bool
	each(due, comparedAtOnce, func(c payment.Comparison) {
		err := guarded(func() error {
			more, err := j.Moments.Reconcile(ctx, c)
			if more {
				left.Store(true)
			}
			return err
		})
		if err != nil {
			j.Log.Warn().Err(err).Str("store", c.Store).Str("account", c.Account).Msg("a page of the PSP's list could not be compared")
		}
	})
	return left.Load() || len(due) == comparedAtOnce, nil
}
