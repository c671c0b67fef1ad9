package jobs

import (
	"context"
	"fmt"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// mailRetry is how long a mail that could not be sent waits.
const mailRetry = time.Minute

// effects carries out effects that are due: those in our tables in one
// transaction with their mark, mails in between two.
func (j *Jobs) effects(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Effects.DueEffects(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	for _, e := range due {
		if err := j.effect(ctx, e); err != nil {
			j.Log.Error().Err(err).Stringer("order", e.Order).Str("effect", e.Key).Msg("effect failed; it stays due")
		}
	}
	return len(due) == batchMax, nil
}

func (j *Jobs) effect(ctx context.Context, e payment.DueEffect) error {
	if e.Kind != payment.SendOrderMail {
		return j.Effects.ApplyEffect(ctx, e.Order, e.Key, j.Now())
	}
	o, err := j.Orders.ReadOrder(ctx, "", e.Order)
	if err != nil {
		return err
	}
	failure := ""
	if err := j.Mailer.Send(ctx, orderMail(o, e.Key, j.MailFrom(o.Store), j.Now())); err != nil {
		failure = "the mail could not be handed over"
		j.Log.Error().Err(err).Stringer("order", e.Order).Msg("send order mail")
	}
	if err := j.Effects.FinishEffect(ctx, e.Order, e.Key, j.Now(), failure, j.Now().Add(mailRetry)); err != nil {
		return fmt.Errorf("finish effect %s of %s: %w", e.Key, e.Order, err)
	}
	return nil
}
