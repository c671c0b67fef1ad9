package jobs

import (
	"context"
	"errors"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// effectLease is for how long effects are claimed: each is a matter of
// milliseconds, and carrying one out twice does nothing.
const effectLease = 15 * time.Second

// effectRetry is how long an effect of our own tables that failed waits.
const effectRetry = time.Minute

// effects carries out effects that are due: those in our tables in one
// transaction with their mark, the others by jobs of their own.
func (j *Jobs) effects(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Effects.DueEffects(ctx, now, now.Add(effectLease), batchMax)
	if err != nil {
		return false, err
	}
	for _, e := range due {
		if err := item(ctx, func(ctx context.Context) error { return j.effect(ctx, e) }); err != nil {
			j.Log.Error().Err(err).Stringer("order", e.Order).Str("effect", e.Key).Msg("effect failed; it stays due")
			j.putOff(ctx, e)
		}
	}
	return len(due) == batchMax, nil
}

func (j *Jobs) effect(ctx context.Context, e payment.DueEffect) error {
	if e.Kind == payment.SendOrderMail {
		return j.mailLater(ctx, e)
	}
	if theirs, err := j.command(ctx, e); theirs || err != nil {
		return err
	}
	return j.Effects.ApplyEffect(ctx, e.Order, e.Key, j.Now())
}

// putOff counts a failure of an effect. One that fails every time is given up
// after a while, and a person is called, instead of being tried for ever.
func (j *Jobs) putOff(ctx context.Context, e payment.DueEffect) {
	err := item(ctx, func(ctx context.Context) error {
		return j.Effects.FinishEffect(ctx, e.Order, e.Key, j.Now(), "it could not be carried out", j.Now().Add(effectRetry))
	})
	if err != nil && !errors.Is(err, context.DeadlineExceeded) {
		j.Log.Error().Err(err).Stringer("order", e.Order).Str("effect", e.Key).Msg("put off an effect")
	}
}
