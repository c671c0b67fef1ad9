// Package jobs does the work that nobody waits for: it carries out effects, asks
// PSPs about open transactions, takes up runs and notifications that failed, and
// reaps old idempotency keys. Several instances may run side by side: work is
// claimed in the database by pushing its due time, so a crash only delays it.
package jobs

import (
	"context"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/payment"
)

// Work is a kind of background work.
type work struct {
	name  string
	every time.Duration
	// step does some of what is due and tells whether there may be more.
	step func(ctx context.Context) (more bool, err error)
}

// Transactions finds transactions that a PSP is to be asked about.
type Transactions interface {
	DueTransactions(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueTransaction, error)
}

// Runs finds runs to take up.
type Runs interface {
	DueRuns(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueRun, error)
	Run(ctx context.Context, store string, id payment.RunID) (*payment.RunRecord, error)
}

// Notifications finds kept notifications to apply again.
type Notifications interface {
	DueNotifications(ctx context.Context, now, leaseUntil time.Time, limit int) ([]*payment.Notification, error)
}

// Effects finds and carries out effects.
type Effects interface {
	DueEffects(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueEffect, error)
	ApplyEffect(ctx context.Context, order payment.OrderID, key string, at time.Time) error
	FinishEffect(ctx context.Context, order payment.OrderID, key string, at time.Time, failure string, retryAt time.Time) error
}

// Claims reaps idempotency keys.
type Claims interface {
	ReapClaims(ctx context.Context, before time.Time, limit int) (int, error)
}

// Moments is what jobs ask of the moments of a payment.
type Moments interface {
	Inquire(ctx context.Context, store string, id payment.TransactionID) error
	Resume(ctx context.Context, store string, id payment.RunID, record *payment.RunRecord) error
	Replay(ctx context.Context, n *payment.Notification) error
}

// Orders reads orders for mails.
type Orders interface {
	ReadOrder(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error)
}

// Deps are what the jobs work with.
type Deps struct {
	Transactions  Transactions
	Runs          Runs
	Notifications Notifications
	Effects       Effects
	Claims        Claims
	Moments       Moments
	Orders        Orders
	Mailer        Mailer
	// MailFrom is the sender of a store's mails.
	MailFrom func(store string) string
	Now      func() time.Time
	Log      zerolog.Logger
}

// Jobs is the background work of one instance.
type Jobs struct {
	Deps
	kick chan struct{}
}

// The bounds of the background work of one instance.
const (
	batchMax    = 100
	inquiryMax  = 8 // inquiries under way at once
	lease       = time.Minute
	keyLifetime = 72 * time.Hour
	stepMax     = time.Minute
)

// New returns the jobs; Run does them.
func New(d Deps) *Jobs { return &Jobs{Deps: d, kick: make(chan struct{}, 1)} }

// Kick tells that effects wait. It never blocks.
func (j *Jobs) Kick() {
	select {
	case j.kick <- struct{}{}:
	default:
	}
}

// Run works until ctx ends, and returns once what was begun is finished.
func (j *Jobs) Run(ctx context.Context) {
	var group sync.WaitGroup
	for _, w := range []work{
		{name: "effects", every: time.Second, step: j.effects},
		{name: "inquiries", every: time.Second, step: j.inquiries},
		{name: "runs", every: 5 * time.Second, step: j.runs},
		{name: "notifications", every: 5 * time.Second, step: j.notifications},
		{name: "idempotency keys", every: 10 * time.Minute, step: j.keys},
	} {
		group.Go(func() { j.loop(ctx, w) })
	}
	group.Wait()
}

// loop does one kind of work at its interval, and at once while there is more.
func (j *Jobs) loop(ctx context.Context, w work) {
	ticker := time.NewTicker(w.every)
	defer ticker.Stop()
	kick := j.kick
	if w.name != "effects" {
		kick = nil
	}
	failing := false
	for ctx.Err() == nil {
		err := j.drain(ctx, w)
		if err != nil && !failing { // once an outage
			j.Log.Error().Err(err).Str("job", w.name).Msg("background work fails; it stays due")
		}
		if err == nil && failing {
			j.Log.Info().Str("job", w.name).Msg("background work goes on")
		}
		failing = err != nil
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-kick:
		}
	}
}

// drain works off what is due, until the instance stops.
func (j *Jobs) drain(ctx context.Context, w work) error {
	for ctx.Err() == nil {
		// What was begun is finished when the instance drains, within a bound.
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), stepMax)
		more, err := w.step(bounded)
		cancel()
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// inquiries asks the PSPs about transactions whose time has come.
func (j *Jobs) inquiries(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Transactions.DueTransactions(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	var group sync.WaitGroup
	slots := make(chan struct{}, inquiryMax)
	for _, d := range due {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if err := j.Moments.Inquire(ctx, d.Store, d.ID); err != nil {
				j.Log.Warn().Err(err).Stringer("transaction", d.ID).Msg("inquiry learnt nothing")
			}
		})
	}
	group.Wait()
	return len(due) == batchMax, nil
}

// runs takes up runs that failed or were left by a crash.
func (j *Jobs) runs(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Runs.DueRuns(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	for _, d := range due {
		record, err := j.Runs.Run(ctx, d.Store, d.ID)
		if err == nil {
			err = j.Moments.Resume(ctx, d.Store, d.ID, record)
		}
		if err != nil {
			j.Log.Error().Err(err).Stringer("run", d.ID).Msg("run failed again")
		}
	}
	return len(due) == batchMax, nil
}

// notifications applies kept notifications again.
func (j *Jobs) notifications(ctx context.Context) (bool, error) {
	now := j.Now()
	due, err := j.Notifications.DueNotifications(ctx, now, now.Add(lease), batchMax)
	if err != nil {
		return false, err
	}
	for _, n := range due {
		if err := j.Moments.Replay(ctx, n); err != nil {
			j.Log.Error().Err(err).Stringer("notification", n.ID).Msg("notification failed again")
		}
	}
	return len(due) == batchMax, nil
}

// keys forgets idempotency keys that are old.
func (j *Jobs) keys(ctx context.Context) (bool, error) {
	reaped, err := j.Claims.ReapClaims(ctx, j.Now().Add(-keyLifetime), batchMax*10)
	return reaped == batchMax*10, err
}
