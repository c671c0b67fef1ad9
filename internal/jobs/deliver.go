package jobs

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/riverqueue/river"

	"github.com/paysvc/paysvc/internal/payment"
)

// deliver is a round of deliveries to one target: an endpoint, or a store's own
// system. There is one at a time for each, whatever its backlog, so a target that
// hangs holds one of the queue's places and no other target's deliveries; and it
// gives that up after a while, and rests.
type deliver struct {
	Store    string `json:"store" river:"unique"`
	Endpoint string `json:"endpoint" river:"unique"`
}

// Kind implements river.JobArgs.
func (deliver) Kind() string { return "deliver" }

// InsertOpts implements river.JobArgsWithInsertOpts. A round is tried once: what
// it leaves is due, and the pump begins another.
func (deliver) InsertOpts() river.InsertOpts {
	return river.InsertOpts{
		Queue: queueDeliveries, MaxAttempts: 1, UniqueOpts: river.UniqueOpts{ByArgs: true, ByState: unfinished()},
	}
}

// The bounds of a round. The longest takes beginMax, roundMax and the time of an
// exchange, which is less than a job may.
const (
	// roundMax is when the last batch begins: others wait for the place.
	roundMax = 14 * time.Second
	// beginMax is when the last delivery of a batch begins.
	beginMax = 4 * time.Second
	// batchLeast is how many deliveries a round begins with. To a target that takes a
	// batch within quick the next is larger by batchGrowth, up to batchMost, since each
	// has its price; to one that does not it is smaller by as much.
	batchLeast  = 32
	batchMost   = 3000
	batchGrowth = 4
	quick       = 2 * time.Second
	// Under way are one of so many of the batch, at least and at most so many.
	atOnceLeast = 4
	atOnceMost  = 64 // as many as the client keeps connections
	atOnceOf    = 16
	// While requests need the machine, rounds pause between batches for busyPause,
	// unless the batch was later than lateMax.
	busyPause = 250 * time.Millisecond
	lateMax   = time.Second
)

func (j *Jobs) deliverKind() *kind[deliver] {
	return &kind[deliver]{
		jobs: j,
		work: func(ctx context.Context, args deliver) error {
			t := payment.Target{Store: args.Store}
			if args.Endpoint != payment.Storefront.String() {
				id, err := payment.ParseEndpointID(args.Endpoint)
				if err != nil {
					return refused(err)
				}
				t.Endpoint = id
			}
			j.Round(ctx, t)
			return nil // what failed is due, and comes round by the pump
		},
	}
}

// Round delivers what is due to a target, batch by batch.
func (j *Jobs) Round(ctx context.Context, t payment.Target) {
	if j.Out.Books == nil {
		return
	}
	defer j.kickPump() // there may be more
	defer j.rounds.end(t)
	begun, limit := j.Now(), batchLeast
	j.rounds.begin(t, begun)
	for more := true; more && ctx.Err() == nil && !j.isDraining() && j.Now().Sub(begun) < roundMax; {
		at, late := j.Now(), false
		err := guarded(func() (err error) {
			more, late, err = j.deliverBatch(ctx, t, limit)
			return err
		})
		if err != nil {
			j.Log.Error().Err(err).Str("store", t.Store).Stringer("endpoint", t.Endpoint).Msg("deliveries fail; they stay due")
			return
		}
		limit = nextLimit(limit, j.Now().Sub(at))
		if more && !late && j.busy() {
			j.pause(ctx, busyPause)
		}
	}
}

// nextLimit is how many deliveries the next batch leases, after one of so many that
// took so long.
func nextLimit(limit int, took time.Duration) int {
	if took >= quick {
		return max(limit/batchGrowth, batchLeast)
	}
	return min(limit*batchGrowth, batchMost)
}

// batch is what is delivered together.
type batch struct {
	jobs     *Jobs
	target   payment.Target
	endpoint payment.Endpoint
	url      string
	secrets  []string
	ended    time.Time // when nothing more is begun

	mu       sync.Mutex
	stopped  bool
	outcomes []payment.Outcome
	health   payment.Health
}

// deliverBatch delivers some of what is due, and tells whether there may be more, and
// whether this was late already.
func (j *Jobs) deliverBatch(ctx context.Context, t payment.Target, limit int) (more, late bool, err error) {
	now := j.Now()
	leased, ok, err := j.Out.Books.LeaseDeliveries(ctx, t, now, now.Add(lease), limit)
	if err != nil || !ok {
		return false, false, err
	}
	b := &batch{jobs: j, target: t, endpoint: leased.Endpoint, ended: now.Add(beginMax)}
	b.url, b.secrets = j.address(leased.Endpoint, now)
	each(byOrder(leased.Due), min(max(limit/atOnceOf, atOnceLeast), atOnceMost), func(ofOne []payment.Delivery) {
		for _, d := range ofOne {
			b.deliver(ctx, d)
		}
	})
	late = slices.ContainsFunc(leased.Due, func(d payment.Delivery) bool {
		return d.Tries == 0 && now.Sub(d.Event.At) > lateMax
	})
	more = leased.More || len(leased.Due) > 0 && (leased.Endpoint.Failures > 0 || t.Endpoint == payment.Storefront)
	return more && !b.stopped, late, b.finish(context.WithoutCancel(ctx), leased.Cursor)
}

// byOrder groups deliveries: what happened to one order is told one after the other.
func byOrder(due []payment.Delivery) [][]payment.Delivery {
	var groups [][]payment.Delivery
	place := make(map[payment.OrderID]int, len(due))
	for _, d := range due {
		about := d.Event.ID().Order // or a case without one
		i, known := place[about]
		if !known {
			i = len(groups)
			place[about], groups = i, append(groups, nil)
		}
		groups[i] = append(groups[i], d)
	}
	return groups
}

// address is where deliveries to an endpoint go, and what signs them.
func (j *Jobs) address(e payment.Endpoint, now time.Time) (url string, secrets []string) {
	if e.ID == payment.Storefront {
		front := j.storefronts()[e.Store]
		return front.URL, front.Secrets
	}
	secrets, err := j.Out.Secrets.Signing(e.ID.String(), e.SecretVersions(now))
	if err != nil {
		return e.URL, nil // without a secret the poster refuses
	}
	return e.URL, secrets
}

// deliver tries one delivery, unless the batch has ended.
func (b *batch) deliver(ctx context.Context, d payment.Delivery) {
	b.mu.Lock()
	skip := b.stopped || !b.jobs.Now().Before(b.ended) || b.jobs.isDraining()
	b.mu.Unlock()
	var v verdict
	if !skip {
		v = b.attempt(ctx, d)
	}
	if skip || v.untried {
		v = verdict{outcome: payment.Outcome{State: payment.DeliveryPending, NextAt: b.jobs.Now(), Untried: true}}
	}
	v.outcome.Event, v.outcome.Sequence = d.Event.ID(), d.Event.Sequence
	b.add(ctx, d, v)
}

// add keeps what came of a delivery. A command is noted at once, with its effect.
func (b *batch) add(ctx context.Context, d payment.Delivery, v verdict) {
	b.mu.Lock()
	b.stopped = b.stopped || v.stop
	b.health.Succeeded = b.health.Succeeded || v.health.Succeeded
	b.health.Failed = b.health.Failed || v.health.Failed
	b.health.RestUntil = latest(b.health.RestUntil, v.health.RestUntil)
	b.health.Disable = cmp.Or(b.health.Disable, v.health.Disable)
	b.mu.Unlock()
	if b.target.Endpoint == payment.Storefront && !v.outcome.Untried {
		err := b.jobs.Out.Commands.FinishCommand(context.WithoutCancel(ctx), b.target.Store, d.Event.Effect, v.outcome, b.jobs.Now())
		if err == nil {
			return
		}
		b.jobs.Log.Error().Err(err).Stringer("event", v.outcome.Event).Msg("the answer to a command is lost; it is sent again")
		v.outcome = payment.Outcome{
			Event: v.outcome.Event, Sequence: d.Event.Sequence, State: payment.DeliveryPending, NextAt: b.jobs.Now().Add(lease), Untried: true,
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes = append(b.outcomes, v.outcome)
}

func latest(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// finish notes all that came of the batch.
func (b *batch) finish(ctx context.Context, cursor int64) error {
	now := b.jobs.Now()
	h := b.health
	if h.Succeeded {
		h.Failed, h.RestUntil = false, time.Time{}
	}
	if since := b.endpoint.FailingSince; h.Failed && h.Disable == "" && !since.IsZero() && now.Sub(since) >= failingMax {
		h.Disable = payment.DisabledFailing
	}
	if h.Disable != "" {
		b.jobs.Log.Warn().Str("store", b.target.Store).Stringer("endpoint", b.target.Endpoint).Str("reason", string(h.Disable)).
			Msg("a webhook endpoint gets no events any more")
	}
	return b.jobs.Out.Books.FinishDeliveries(ctx, b.target, payment.Result{Outcomes: b.outcomes, Cursor: cursor, Health: h}, now)
}

// rounds is which targets have a job of this instance, so that the pump does not ask
// the queue for what it has.
type rounds struct {
	mu    sync.Mutex
	until map[payment.Target]time.Time // when to ask again
}

// roundLost is when a job that was put into the queue should have begun. The queue
// lets in no second one, nor one whose predecessor it has not marked done yet.
const roundLost = time.Second

func (r *rounds) mayBegin(t payment.Target, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if now.Before(r.until[t]) {
		return false
	}
	if r.until == nil || len(r.until) >= targetsMax {
		r.until = make(map[payment.Target]time.Time)
	}
	r.until[t] = now.Add(roundLost)
	return true
}

// begin notes that a round is at work here.
func (r *rounds) begin(t payment.Target, now time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.until != nil {
		r.until[t] = now.Add(workMax)
	}
}

func (r *rounds) end(t payment.Target) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.until, t)
}
