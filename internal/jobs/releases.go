package jobs

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// releases gives back money that was decided to be given back.
func (j *Jobs) releases(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Releases.DueReleases(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	each(due, sweepAtOnce, func(d payment.DuePayment) {
		err := item(ctx, func(ctx context.Context) error { return j.Moments.Release(ctx, d.Store, d.ID) })
		if err != nil {
			j.Log.Error().Err(err).Stringer("payment", d.ID).Msg("money could not be given back; it stays due")
		}
	})
	return len(due) == batchMax, nil
}
