package jobs

import (
	"context"
	"time"

	"github.com/riverqueue/river"

	"github.com/paysvc/paysvc/internal/mail"
	"github.com/paysvc/paysvc/internal/payment"
)

// mailDelays is how long a mail waits after each failed try: about three days in
// all, which outlasts a weekend's outage of a mail server.
var mailDelays = []time.Duration{
	10 * time.Second, 30 * time.Second, 2 * time.Minute, 10 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour,
	4 * time.Hour, 8 * time.Hour, 12 * time.Hour, 12 * time.Hour, 16 * time.Hour, 16 * time.Hour,
}

// mailMax is longer than a mail server may take.
const mailMax = 75 * time.Second

// mailLost is when a mail is looked at again whose job is gone without a trace.
// It is later than the job's last try.
const mailLost = 4 * 24 * time.Hour

// sendMail is the mail of an effect of an order. It holds ids only: the text is
// made when it is sent.
type sendMail struct {
	Store  string `json:"store"`
	Order  string `json:"order" river:"unique"`
	Effect string `json:"effect" river:"unique"`
}

// Kind implements river.JobArgs.
func (sendMail) Kind() string { return "send-mail" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sendMail) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		Queue: queueMails, MaxAttempts: len(mailDelays) + 1,
		UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()},
	}
}

func (m sendMail) about() metadata { return metadata{Store: m.Store, Order: m.Order} }

func (j *Jobs) mailKind() *kind[sendMail] {
	return &kind[sendMail]{
		jobs:    j,
		work:    j.sendMail,
		timeout: mailMax,
		backoff: func(failed int) time.Duration {
			return mailDelays[min(max(failed, 1), len(mailDelays))-1]
		},
		gaveUp: func(ctx context.Context, args sendMail) error {
			id, err := payment.ParseOrderID(args.Order)
			if err != nil {
				return err
			}
			return j.Effects.FinishEffect(ctx, id, args.Effect, j.Now(), "the mail could not be handed over", time.Time{})
		},
	}
}

// mailLater hands a mail to the queue. The effect stays due until its job is
// done, so a queue that was lost loses no mail.
func (j *Jobs) mailLater(ctx context.Context, e payment.DueEffect) error {
	if err := j.Enqueue(ctx, sendMail{Store: e.Store, Order: e.Order.String(), Effect: e.Key}); err != nil {
		return err
	}
	return j.Effects.PostponeEffect(ctx, e.Order, e.Key, j.Now().Add(mailLost))
}

// sendMail sends one mail, unless an earlier try has.
func (j *Jobs) sendMail(ctx context.Context, args sendMail) error {
	id, err := payment.ParseOrderID(args.Order)
	if err != nil {
		return refused(err)
	}
	o, err := j.Orders.ReadOrder(ctx, "", id)
	if err != nil {
		return err
	}
	if e := o.Effects[args.Effect]; e == nil || e.State == payment.EffectDone {
		return nil
	}
	m, err := j.OrderMail(o, args.Effect, j.Now())
	if err != nil {
		return err // a broken template, which somebody may put right
	}
	if err := j.Mailer.Send(ctx, m); mail.Permanent(err) {
		return refused(err)
	} else if err != nil {
		return err
	}
	return j.Effects.FinishEffect(ctx, id, args.Effect, j.Now(), "", time.Time{})
}
