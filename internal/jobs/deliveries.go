package jobs

import (
	"context"
	"time"

	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

// Out is what deliveries of events and commands work with. Without Books none go
// out.
type Out struct {
	Books    Outbox
	Commands Commands
	Poster   Poster
	// Secrets signs for endpoints.
	Secrets outbound.Secrets
	// Storefronts are the stores that carry out effects themselves, by name.
	Storefronts func() map[string]Storefront
	// Lent, when set, counts what requests took of the database so far. While that
	// is much, deliveries take it slowly: they may be late, payments may not.
	Lent func() int64
}

// Outbox is what events and their deliveries are read from.
type Outbox interface {
	DueTargets(ctx context.Context, now time.Time, limit int) ([]payment.Target, error)
	LeaseDeliveries(ctx context.Context, t payment.Target, now, until time.Time, limit int) (b payment.Batch, leased bool, err error)
	FinishDeliveries(ctx context.Context, t payment.Target, r payment.Result, at time.Time) error
	ReapDeliveries(ctx context.Context, before time.Time, limit int) (int, error)
}

// Commands keeps what stores' own systems are told to do.
type Commands interface {
	Storefronts(ctx context.Context) ([]string, error)
	SetStorefront(ctx context.Context, store string, types []string, at time.Time) error
	CommandsWaiting(ctx context.Context, limit int) ([]string, error)
	StageCommands(ctx context.Context, store string, at time.Time, limit int) (more bool, err error)
	StageCommand(ctx context.Context, order payment.OrderID, key string, at time.Time) error
	FinishCommand(ctx context.Context, store, key string, o payment.Outcome, at time.Time) error
}

// Poster posts messages. *outbound.Client is one.
type Poster interface {
	Post(ctx context.Context, m outbound.Message) (outbound.Answer, error)
}

// Storefront is a store's own system that carries out effects.
type Storefront struct {
	URL     string
	Secrets []string
	Kinds   []payment.EffectKind
}

// The bounds of the pump, which looks for who has something due.
const (
	pumpEvery = time.Second
	// pumpGap gathers what several commits left.
	pumpGap     = 100 * time.Millisecond
	stageMax    = 500 // events at once
	stageRounds = 20  // at once; what is left comes with the next look
	storesMax   = 1000
	targetsMax  = 1000
	// deliveriesKept is longer than events are promised to be kept.
	deliveriesKept = 35 * 24 * time.Hour
)

// pumps looks for events every second, and soon after whoever kicks. It is no
// sweep of River's: looking costs two statements that read, which is less than a
// job that looks.
func (j *Jobs) pumps(ctx context.Context) {
	if j.Out.Books == nil {
		return
	}
	ticker := time.NewTicker(pumpEvery)
	defer ticker.Stop()
	for !j.isDraining() && ctx.Err() == nil {
		j.pumpOff(ctx)
		kick := j.pumpKick
		if j.busy() {
			kick = nil
		}
		select {
		case <-ctx.Done():
		case <-j.draining:
		case <-ticker.C:
		case <-kick:
			j.pause(ctx, pumpGap)
		}
	}
}

// pumpOff is Pump with its failures logged, once an outage.
func (j *Jobs) pumpOff(ctx context.Context) {
	bounded, cancel := j.batchTime(ctx)
	defer cancel()
	err := guarded(func() error { return j.Pump(bounded) })
	switch j.outages.note("deliveries", err != nil) {
	case outageBegan:
		j.Log.Error().Err(err).Msg("events are not handed on; they stay due")
	case outageOver:
		j.Log.Info().Msg("events are handed on again")
	case outageSame:
	}
}

// Pump hands on what happened: it puts a job into the queue for each target that has
// something due.
func (j *Jobs) Pump(ctx context.Context) error {
	if err := j.syncStorefronts(ctx); err != nil {
		return err
	}
	stores, err := j.Out.Commands.CommandsWaiting(ctx, storesMax)
	if err != nil {
		return err
	}
	for _, store := range stores {
		if err := j.stageCommands(ctx, store); err != nil {
			return err
		}
	}
	targets, err := j.Out.Books.DueTargets(ctx, j.Now(), targetsMax)
	if err != nil {
		return err
	}
	for _, t := range targets {
		if !j.rounds.mayBegin(t, j.Now()) {
			continue // a job of it is at work, or just about to be
		}
		if err := j.Enqueue(ctx, deliver{Store: t.Store, Endpoint: t.Endpoint.String()}); err != nil {
			return err
		}
	}
	return nil
}

// stageCommands turns the events of a store that are commands into deliveries.
func (j *Jobs) stageCommands(ctx context.Context, store string) error {
	for range stageRounds {
		more, err := j.Out.Commands.StageCommands(ctx, store, j.Now(), stageMax)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// kickPump tells that there may be events, or targets with something due.
func (j *Jobs) kickPump() {
	select {
	case j.pumpKick <- struct{}{}:
	default:
	}
}

func (j *Jobs) pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-j.draining:
	case <-timer.C:
	}
}

// reapDeliveries forgets deliveries that are old.
func (j *Jobs) reapDeliveries(ctx context.Context) (bool, error) {
	if j.Out.Books == nil {
		return false, nil
	}
	reaped, err := j.Out.Books.ReapDeliveries(ctx, j.Now().Add(-deliveriesKept), batchMax*10)
	return reaped == batchMax*10, err
}
