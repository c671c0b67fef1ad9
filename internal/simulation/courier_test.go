package simulation

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/riverqueue/river"

	"github.com/paysvc/paysvc/internal/payment"
)

// kindRound is what the queue calls a round of deliveries to one target.
const kindRound = "deliver"

// couriers is how many have events delivered, each by whatever instance: so two may
// be about the same endpoint.
const couriers = 2

// enqueueRound puts a round into the queue, unless it waits there.
func (h *history) enqueueRound(args river.JobArgs) error {
	var named struct {
		Store    string `json:"store"`
		Endpoint string `json:"endpoint"`
	}
	text, err := json.Marshal(args)
	if err == nil {
		err = json.Unmarshal(text, &named)
	}
	if err != nil {
		return err
	}
	id, err := payment.ParseEndpointID(named.Endpoint)
	if err != nil {
		return err
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := (payment.Target{Store: named.Store, Endpoint: id}); !slices.Contains(h.targets, t) {
		h.targets = append(h.targets, t)
	}
	return nil
}

// deliverNowAndThen has events delivered while a history goes on.
func (h *history) deliverNowAndThen(ctx context.Context) {
	rng := h.rng(whoIn(ctx))
	for n := 1; ; n++ {
		pause(rng, 30*time.Second)
		if h.evening.Load() || h.sched.healed.Load() {
			return
		}
		if rng.IntN(3) == 0 {
			h.spawn(fmt.Sprintf("twin %d of %s", n, whoIn(ctx)), h.deliver)
		}
		h.deliver(ctx)
	}
}

// deliver has one instance look who is to get something, and another one, perhaps,
// deliver it.
func (h *history) deliver(ctx context.Context) {
	who := whoIn(ctx)
	if i := h.alive(who); i != nil && h.sched.pass(&gate{who: who, what: "pump", at: i}, nil) != died && i.pumping.CompareAndSwap(false, true) {
		_ = i.jobs.Pump(ctx) // what it did not find is there the next time
		i.pumping.Store(false)
	}
	h.mu.Lock()
	targets := h.targets
	h.targets = nil
	h.mu.Unlock()
	for _, t := range targets {
		i := h.alive(who)
		if i == nil || h.sched.pass(&gate{who: who, what: "round", at: i}, nil) == died {
			continue // a job of an instance that dies is lost
		}
		i.jobs.Round(ctx, t)
	}
}

// DueTargets implements jobs.Outbox.
func (d desk) DueTargets(ctx context.Context, now time.Time, limit int) ([]payment.Target, error) {
	due, err := d.Store.DueTargets(ctx, now, limit)
	return sorted(due), err
}

// LeaseDeliveries implements jobs.Outbox. What was leased is in question until it is
// noted what came of it.
func (d desk) LeaseDeliveries(
	ctx context.Context, t payment.Target, now, until time.Time, limit int,
) (payment.Batch, bool, error) {
	b, leased, err := d.Store.LeaseDeliveries(ctx, t, now, until, limit)
	for _, due := range b.Due {
		if leased {
			d.i.h.question(t, due.Event.ID(), 1)
		}
	}
	return b, leased, err
}

// FinishDeliveries implements jobs.Outbox.
func (d desk) FinishDeliveries(ctx context.Context, t payment.Target, r payment.Result, at time.Time) error {
	err := d.Store.FinishDeliveries(ctx, t, r, at)
	for _, o := range r.Outcomes {
		if err == nil {
			d.i.h.question(t, o.Event, -1)
		}
	}
	return err
}

func (h *history) question(t payment.Target, id payment.EventID, n int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.unsure[[2]string{t.Endpoint.String(), id.String()}] += n
}

// nextDelivery is when something is to be delivered next: what is to be tried again,
// or what happened behind a cursor.
const nextDelivery = `select extract(epoch from min(greatest(at, w.resting_until, w.leased_until))) from webhook_endpoints w cross join lateral (
	select next_at as at from webhook_deliveries d where d.store = w.store and d.endpoint = w.id and next_at is not null
	union all select '2000-01-01Z'::timestamptz from events e
		where e.store = w.store and e.sequence > w.since and (e.sequence <= coalesce(w.until, e.sequence) or e.sequence > w.resume)) due
	where w.active`

// deliverAll turns all endpoints on, and delivers until nothing is left, with nothing
// that goes wrong.
func (h *history) deliverAll(ctx context.Context) {
	for _, e := range h.endpoints {
		if e.id != "" {
			h.send(ctx, http.MethodPatch, "/v1/webhook-endpoints/"+e.id, "", map[string]any{"active": true})
		}
	}
	for range roundsMax {
		at, ok := h.timeOf(nextDelivery)
		if !ok {
			return
		}
		time.Sleep(max(0, time.Until(at)) + 2*time.Second)
		h.deliver(ctx)
	}
	h.violate("E2", "the deliveries do not end: %s", fmt.Sprint(h.targets))
}
