package jobs

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/riverqueue/river"
)

// The bounds of sweeps.
const (
	batchMax    = 100
	sweepAtOnce = 8 // items under way
	// lease is for how long a sweep, or a batch of deliveries, claims what is due. It
	// is longer than either.
	lease       = time.Minute
	keyLifetime = 72 * time.Hour
	// itemMax bounds one piece of work of a sweep, so that one that hangs stands in
	// nobody's way for long.
	itemMax = 15 * time.Second
)

// sweep is work that comes round by itself.
type sweep struct {
	name  string
	every time.Duration
	// batch does some of what is due and tells whether there may be more. The error
	// is one of looking for work; an item that fails is logged and stays due.
	batch func(ctx context.Context) (more bool, err error)
}

// sweeps lists what comes round, the effects first. Most work is done right when
// it comes up, by whoever brought it; these find what time or a crash left.
func (j *Jobs) sweeps() []sweep {
	return []sweep{
		{name: "effects", every: 5 * time.Second, batch: j.effects},
		{name: "releases", every: 5 * time.Second, batch: j.releases},
		{name: "inquiries", every: 5 * time.Second, batch: j.inquiries},
		{name: "runs", every: 10 * time.Second, batch: j.runs},
		{name: "notifications", every: 10 * time.Second, batch: j.notifications},
		{name: "expiry", every: 30 * time.Second, batch: j.expiry},
		{name: "authorizations", every: time.Minute, batch: j.authorizations},
		{name: "reconciliation", every: time.Minute, batch: j.reconciliation},
		{name: "checkout-state", every: 10 * time.Minute, batch: j.checkouts},
		{name: "idempotency-keys", every: 10 * time.Minute, batch: j.keys},
		{name: "old-deliveries", every: 10 * time.Minute, batch: j.reapDeliveries},
		{name: "audit", every: auditEvery, batch: j.audit},
	}
}

// sweepArgs name a sweep. Unique by that, it runs on one instance at a time: for
// as long as it may take. So one whose instance died stands in no other's way
// for longer; two at once would only share the work.
type sweepArgs struct {
	Name string `json:"name" river:"unique"`
}

// Kind implements river.JobArgs.
func (sweepArgs) Kind() string { return "sweep" }

// InsertOpts implements river.JobArgsWithInsertOpts.
func (sweepArgs) InsertOpts() river.InsertOpts {
	return river.InsertOpts{Queue: queueSweeps, UniqueOpts: river.UniqueOpts{ByArgs: true, ByPeriod: workMax, ByState: unfinished()}}
}

func (j *Jobs) sweepKind() *kind[sweepArgs] {
	return &kind[sweepArgs]{
		jobs: j,
		work: func(ctx context.Context, args sweepArgs) error {
			// One that fails comes round again by itself, so it is never parked.
			_ = j.Sweep(ctx, args.Name)
			return nil
		},
		backoff: func(int) time.Duration { return time.Second }, // after its instance died
	}
}

// periodic has the leader among the instances put the sweeps into the queue.
func (j *Jobs) periodic() []*river.PeriodicJob {
	var all []*river.PeriodicJob
	for _, s := range j.sweeps() {
		all = append(all, river.NewPeriodicJob(river.PeriodicInterval(s.every),
			func() (river.JobArgs, *river.InsertOpts) { return sweepArgs{Name: s.name}, nil },
			&river.PeriodicJobOpts{ID: s.name, RunOnStart: true}))
	}
	return all
}

// Sweeps names the sweeps and how often they come round.
func (j *Jobs) Sweeps() map[string]time.Duration {
	all := make(map[string]time.Duration)
	for _, s := range j.sweeps() {
		all[s.name] = s.every
	}
	return all
}

// Sweep works off what is due of one sweep now, by the clock of Deps. It returns
// why it could not look for work; that is logged already, once an outage.
func (j *Jobs) Sweep(ctx context.Context, name string) error {
	for _, s := range j.sweeps() {
		if s.name == name {
			return j.sweepOff(ctx, s)
		}
	}
	return fmt.Errorf("there is no sweep %q", name)
}

// sweepOff does batch after batch until nothing is due or the instance drains.
func (j *Jobs) sweepOff(ctx context.Context, s sweep) error {
	more, err := true, error(nil)
	for first := true; more && err == nil && (first || ctx.Err() == nil && !j.isDraining()); first = false {
		err = guarded(func() (err error) {
			bounded, cancel := j.batchTime(ctx)
			defer cancel()
			more, err = s.batch(bounded)
			return err
		})
	}
	switch j.outages.note(s.name, err != nil) {
	case outageBegan:
		j.Log.Error().Err(err).Str("job", s.name).Msg("background work fails; it stays due")
	case outageOver:
		j.Log.Info().Str("job", s.name).Msg("background work goes on")
	case outageSame:
	}
	return err
}

// batchTime bounds a batch, and marks it as background work.
func (j *Jobs) batchTime(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(j.Background(ctx), workMax)
}

func (j *Jobs) isDraining() bool {
	select {
	case <-j.draining:
		return true
	default:
		return false
	}
}

// item does one piece of work of a sweep: bounded, and whatever it does, the
// others go on.
func item(ctx context.Context, work func(ctx context.Context) error) error {
	bounded, cancel := context.WithTimeout(ctx, itemMax)
	defer cancel()
	return guarded(func() error { return work(bounded) })
}

// outages remembers which sweeps fail, so that an outage is logged once.
type outages struct {
	mu      sync.Mutex
	failing map[string]bool
}

type change int

const (
	outageSame change = iota
	outageBegan
	outageOver
)

func (o *outages) note(name string, failing bool) change {
	o.mu.Lock()
	defer o.mu.Unlock()
	was := o.failing[name]
	if o.failing == nil {
		o.failing = make(map[string]bool)
	}
	o.failing[name] = failing
	switch {
	case failing && !was:
		return outageBegan
	case was && !failing:
		return outageOver
	}
	return outageSame
}
