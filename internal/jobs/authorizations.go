package jobs

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// authorizations looks at reserved money whose clock is due.
func (j *Jobs) authorizations(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Clocks.DueClocks(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	each(due, sweepAtOnce, func(d payment.DueClock) {
		err := item(ctx, func(ctx context.Context) error { return j.Moments.KeepClock(ctx, d) })
		if err != nil {
			j.Log.Warn().Err(err).Stringer("payment", d.ID).Msg("the clock of reserved money learnt nothing")
		}
	})
	return len(due) == batchMax, nil
}
