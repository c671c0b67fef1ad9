package simulation

import (
	"context"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// sweeps are what comes round by itself, in the order in which it is done.
func sweeps() []string {
	return []string{"effects", "releases", "inquiries", "runs", "notifications", "expiry", "authorizations"}
}

// sweepNowAndThen does the background work of an instance while a history goes on,
// less often than in production: time is cheap here, and statements are not.
func (h *history) sweepNowAndThen(ctx context.Context, i *instance) {
	rng := h.rng("sweeps of " + i.name)
	for {
		time.Sleep(2*time.Second + time.Duration(rng.Int64N(int64(35*time.Second))))
		if i.isDead() || h.evening.Load() || h.sched.healed.Load() {
			return
		}
		for _, sweep := range sweeps() {
			if rng.IntN(3) > 0 {
				i.sweep(ctx, sweep)
			}
		}
		i.mails(ctx)
	}
}

// mailJob is a mail that waits in the queue.
type mailJob struct {
	Store  string `json:"store"`
	Order  string `json:"order"`
	Effect string `json:"effect"`
}

// enqueueMail puts a mail into the queue, unless it waits there.
func (h *history) enqueueMail(job mailJob) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !slices.Contains(h.queue, job) {
		h.queue = append(h.queue, job)
	}
}

// mails works off the queue, as River's worker would.
func (i *instance) mails(ctx context.Context) {
	i.h.mu.Lock()
	queue := i.h.queue
	i.h.queue = nil
	i.h.mu.Unlock()
	for _, job := range queue {
		if err := i.mail(ctx, job); err != nil {
			i.h.enqueueMail(job)
		}
	}
}

func (i *instance) mail(ctx context.Context, job mailJob) error {
	id, err := payment.ParseOrderID(job.Order)
	if err != nil {
		return err
	}
	o, err := i.store.ReadOrder(ctx, "", id)
	if err != nil {
		return err
	}
	if e := o.Effects[job.Effect]; e == nil || e.State == payment.EffectDone {
		return nil
	}
	m, err := orderMail(o, job.Effect, time.Now())
	if err == nil {
		err = i.Send(ctx, m)
	}
	if err != nil {
		return err
	}
	return i.store.FinishEffect(ctx, id, job.Effect, time.Now(), "", time.Time{})
}

// horizon is by when everything must be decided that can be, once all faults are
// healed: the last step of the schedule of inquiries and its jitter, the lease, and
// the time that orders are given.
const horizon = 5 * 24 * time.Hour

// heal ends all faults.
func (h *history) heal() {
	h.sched.healed.Store(true)
	h.trace.note("all faults are healed")
}

// nextDue is when the background work has something to do next.
const nextDue = `select extract(epoch from min(at)) from (
	select due_at as at from transactions union all select due_at from runs union all select due_at from effects
	union all select due_at from notifications union all select release_due_at from payments union all select expiry_due_at from orders) due`

// stillToCome is longer than a PSP takes to say what it has to say: a delayed
// notification, and its repetitions.
const stillToCome = 2 * time.Minute

// settle does the background work until nothing is due within a time.
func (h *history) settle(ctx context.Context, within time.Duration) {
	deadline := time.Now().Add(within)
	time.Sleep(stillToCome) // also where nothing is due: a PSP may have something to say
	for range roundsMax {
		i := h.alive(whoIn(ctx))
		if i == nil {
			time.Sleep(time.Second) // one is about to be started
			continue
		}
		i.mails(ctx)
		at, ok := h.next()
		if !ok || at.After(deadline) {
			return
		}
		time.Sleep(time.Until(at) + time.Second)
		for _, sweep := range sweeps() {
			i.sweep(ctx, sweep)
		}
	}
	h.violate("I10", "the background work does not end")
}

// roundsMax bounds the rounds of background work until nothing is due.
const roundsMax = 500

func (h *history) next() (time.Time, bool) { return h.timeOf(nextDue) }

// timeOf asks the database for a time, in seconds.
func (h *history) timeOf(sql string) (time.Time, bool) {
	rows, err := h.db.look(sql)
	if err != nil {
		h.violate("harness", "%v", err)
		return time.Time{}, false
	}
	if rows[0][0] == "" {
		return time.Time{}, false
	}
	seconds, err := time.ParseDuration(rows[0][0] + "s")
	if err != nil {
		h.violate("harness", "%v", err)
		return time.Time{}, false
	}
	return time.Unix(0, 0).Add(seconds), true
}
