package jobs_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

// outbox is the deliveries to one target, and the clock that they go by.
type outbox struct {
	mu         sync.Mutex
	now        time.Time
	endpoint   payment.Endpoint
	deliveries []*payment.Delivery
	health     []payment.Health
	limits     []int // of the batches
	cursor     int64 // of the last batch
	refused    bool  // somebody else delivers
	untried    int
	commands   []string
	waiting    []string // stores with events that may be commands
	events     int      // that are left of them
	types      map[string][]string
}

func (o *outbox) clock() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.now
}

func (o *outbox) CommandsWaiting(context.Context, int) ([]string, error) { return o.waiting, nil }

func (o *outbox) StageCommands(_ context.Context, store string, _ time.Time, limit int) (bool, error) {
	o.commands = append(o.commands, "staged those of "+store)
	o.events -= limit
	return o.events > 0, nil
}

func (o *outbox) DueTargets(context.Context, time.Time, int) ([]payment.Target, error) {
	return []payment.Target{{Store: "demo", Endpoint: o.endpoint.ID}}, nil
}

func (o *outbox) LeaseDeliveries(
	_ context.Context, _ payment.Target, now, until time.Time, limit int,
) (payment.Batch, bool, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.limits = append(o.limits, limit)
	b := payment.Batch{Endpoint: o.endpoint, Cursor: 7}
	for _, d := range o.deliveries {
		if d.State == payment.DeliveryPending && !d.NextAt.After(now) && len(b.Due) < limit {
			b.Due = append(b.Due, *d)
			d.NextAt = until
		}
	}
	b.More = len(b.Due) == limit
	return b, !o.refused, nil
}

func (o *outbox) FinishDeliveries(_ context.Context, _ payment.Target, r payment.Result, at time.Time) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.health = append(o.health, r.Health)
	o.cursor = r.Cursor
	for _, out := range r.Outcomes {
		d := o.deliveries[out.Event.N-1]
		if out.Untried {
			o.untried++
			d.NextAt = at.Add(time.Hour) // not in this test
			continue
		}
		d.State, d.Status, d.Error, d.NextAt, d.Tries = out.State, out.Status, out.Error, out.NextAt, d.Tries+1
	}
	return nil
}

func (o *outbox) ReapDeliveries(context.Context, time.Time, int) (int, error) { return 0, nil }

func (o *outbox) Storefronts(context.Context) ([]string, error) { return []string{"gone"}, nil }

func (o *outbox) SetStorefront(_ context.Context, store string, types []string, _ time.Time) error {
	o.types[store] = types
	return nil
}

func (o *outbox) StageCommand(_ context.Context, _ payment.OrderID, key string, _ time.Time) error {
	o.commands = append(o.commands, "staged "+key)
	return nil
}

func (o *outbox) FinishCommand(ctx context.Context, store, key string, out payment.Outcome, at time.Time) error {
	o.commands = append(o.commands, string(out.State)+" "+store+" "+key)
	return o.FinishDeliveries(ctx, payment.Target{}, payment.Result{Outcomes: []payment.Outcome{out}}, at)
}

// receiver answers what is posted.
type receiver struct {
	mu     sync.Mutex
	posted []outbound.Message
	answer func(m outbound.Message) (outbound.Answer, error)
}

func (r *receiver) Post(_ context.Context, m outbound.Message) (outbound.Answer, error) {
	r.mu.Lock()
	r.posted = append(r.posted, m)
	r.mu.Unlock()
	return r.answer(m)
}

func status(code int) func(outbound.Message) (outbound.Answer, error) {
	return func(outbound.Message) (outbound.Answer, error) { return outbound.Answer{Status: code}, nil }
}

func silence(outbound.Message) (outbound.Answer, error) {
	return outbound.Answer{}, &outbound.Failure{Why: outbound.TimedOut}
}

// sending is one endpoint with n deliveries that are due, and jobs to make them.
func sending(t *testing.T, n int, answer func(outbound.Message) (outbound.Answer, error), change ...func(*jobs.Deps)) (*outbox, *receiver, *jobs.Jobs) {
	t.Helper()
	o := &outbox{
		now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), types: map[string][]string{},
		endpoint: payment.Endpoint{ID: payment.EndpointID{1}, Store: "demo", URL: "https://shop.example/hooks", SecretVersion: 1, Active: true},
	}
	for i := range n {
		o.deliveries = append(o.deliveries, &payment.Delivery{
			Event:    payment.Event{N: i + 1, Type: "order.paid", Order: payment.OrderID{2, byte(i)}, Number: "10001", Sequence: int64(4096 + i), At: o.now},
			Endpoint: o.endpoint.ID, State: payment.DeliveryPending, NextAt: o.now,
		})
	}
	r := &receiver{answer: answer}
	secrets, err := outbound.ParseSecrets(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)))
	require.NoError(t, err)
	d := jobs.Deps{
		Orders: shelf{}, Effects: &books{}, Now: o.clock, Log: zerolog.Nop(), Queue: &tray{},
		Out: jobs.Out{Books: o, Commands: o, Poster: r, Secrets: secrets},
	}
	for _, c := range change {
		c(&d)
	}
	j, err := jobs.New(t.Context(), d)
	require.NoError(t, err)
	t.Cleanup(j.Close)
	return o, r, j
}

func (o *outbox) target() payment.Target {
	return payment.Target{Store: "demo", Endpoint: o.endpoint.ID}
}

func TestADeliveryThatIsTakenIsDone(t *testing.T) {
	t.Parallel()
	o, r, j := sending(t, 70, status(http.StatusNoContent))
	o.endpoint.SecretVersion, o.endpoint.RotatingUntil = 2, o.now.Add(time.Hour)
	j.Round(t.Context(), o.target())
	require.Len(t, r.posted, 70, "batch after batch")
	ids := map[string]bool{}
	for _, m := range r.posted {
		ids[m.ID] = true
		require.Equal(t, "https://shop.example/hooks", m.URL)
		require.Len(t, m.Secrets, 2, "both sign while one replaces the other")
		var body map[string]any
		require.NoError(t, json.Unmarshal(m.Body, &body))
		require.Equal(t, m.ID, body["id"])
	}
	require.Len(t, ids, 70)
	for _, d := range o.deliveries {
		require.Equal(t, payment.DeliveryDelivered, d.State)
	}
	require.True(t, o.health[0].Succeeded)
	require.EqualValues(t, 7, o.cursor, "the endpoint has them all")
	require.Equal(t, []int{32, 128}, o.limits, "more at once to one that takes them quickly")
}

// A receiver knows one secret, of whichever key and version its store was told last.
func TestADeliveryIsSignedWithEachKey(t *testing.T) {
	t.Parallel()
	key := func(of string) string { return base64.StdEncoding.EncodeToString(bytes.Repeat([]byte(of), 32)) }
	both, err := outbound.ParseSecrets(key("n") + "," + key("k"))
	require.NoError(t, err)
	o, r, j := sending(t, 1, status(http.StatusNoContent), func(d *jobs.Deps) { d.Out.Secrets = both })
	o.endpoint.SecretVersion, o.endpoint.RotatingUntil = 2, o.now.Add(time.Hour)
	j.Round(t.Context(), o.target())
	require.Len(t, r.posted, 1)
	for _, of := range []string{"n", "k"} {
		one, err := outbound.ParseSecrets(key(of))
		require.NoError(t, err)
		for version := 1; version <= 2; version++ {
			told, err := one.Of(o.endpoint.ID.String(), version)
			require.NoError(t, err)
			require.Contains(t, r.posted[0].Secrets, told)
		}
	}
	require.Len(t, r.posted[0].Secrets, 4)
}

func TestWhatHappenedToAnOrderIsToldInItsOrder(t *testing.T) {
	t.Parallel()
	const orders, events = 8, 8
	o, r, j := sending(t, orders*events, func(outbound.Message) (outbound.Answer, error) {
		runtime.Gosched() // whoever overtakes it may
		return outbound.Answer{Status: http.StatusOK}, nil
	})
	for i, d := range o.deliveries {
		d.Event.Order = payment.OrderID{2, byte(i % orders)}
	}
	j.Round(t.Context(), o.target())
	told := map[string][]float64{}
	for _, m := range r.posted {
		var body map[string]any
		require.NoError(t, json.Unmarshal(m.Body, &body))
		id := body["order_id"].(string)
		told[id] = append(told[id], body["order_sequence"].(float64))
	}
	require.Len(t, told, orders)
	for _, numbers := range told {
		require.True(t, slices.IsSorted(numbers), "%v", numbers)
		require.Len(t, numbers, events)
	}
}

func TestWhatSomebodyElseDeliversIsLeftToThem(t *testing.T) {
	t.Parallel()
	o, r, j := sending(t, 3, status(http.StatusOK))
	o.refused = true
	j.Round(t.Context(), o.target())
	require.Empty(t, r.posted)
	require.Empty(t, o.health)
}

func TestEventsThatAreCommandsAreStagedUntilNoneIsLeft(t *testing.T) {
	t.Parallel()
	o, _, j := sending(t, 0, status(http.StatusOK))
	o.waiting, o.events = []string{"demo"}, 1200
	require.NoError(t, j.Pump(t.Context()))
	require.Equal(t, []string{"staged those of demo", "staged those of demo", "staged those of demo"}, o.commands)
}

func TestADeliveryThatFailsIsTriedByTheScheduleAndParked(t *testing.T) {
	t.Parallel()
	o, r, j := sending(t, 1, status(http.StatusInternalServerError))
	d := o.deliveries[0]
	waits := []time.Duration{
		5 * time.Second, 5 * time.Minute, 30 * time.Minute, 2 * time.Hour, 5 * time.Hour, 10 * time.Hour, 14 * time.Hour, 20 * time.Hour, 24 * time.Hour,
	}
	for i, wait := range waits {
		j.Round(t.Context(), o.target())
		require.Len(t, r.posted, i+1)
		require.Equal(t, payment.DeliveryPending, d.State)
		require.Equal(t, "status_500", d.Error)
		got := d.NextAt.Sub(o.now)
		require.GreaterOrEqual(t, got, wait)
		require.Less(t, got, wait+wait/10)
		o.now = d.NextAt.Add(-time.Nanosecond)
		j.Round(t.Context(), o.target())
		require.Len(t, r.posted, i+1, "not a moment earlier")
		o.now = d.NextAt
	}
	j.Round(t.Context(), o.target())
	require.Len(t, r.posted, len(waits)+1)
	require.Equal(t, payment.DeliveryParked, d.State)
	require.Zero(t, d.NextAt)
	for _, m := range r.posted {
		require.Equal(t, r.posted[0], m, "the same message on each try")
	}
}

func TestAnEndpointThatIsGoneIsDisabled(t *testing.T) {
	t.Parallel()
	o, _, j := sending(t, 1, status(http.StatusGone))
	j.Round(t.Context(), o.target())
	require.Equal(t, payment.DisabledGone, o.health[0].Disable)
	require.Equal(t, payment.DeliveryParked, o.deliveries[0].State)
}

func TestAReceiverThatAsksForItIsLeftAlone(t *testing.T) {
	t.Parallel()
	o, r, j := sending(t, 40, func(outbound.Message) (outbound.Answer, error) {
		return outbound.Answer{Status: http.StatusTooManyRequests, RetryAfter: 20 * time.Minute}, nil
	})
	j.Round(t.Context(), o.target())
	require.LessOrEqual(t, len(r.posted), 4, "those under way")
	require.Equal(t, o.now.Add(20*time.Minute), o.health[0].RestUntil)
	tried := slices.IndexFunc(o.deliveries, func(d *payment.Delivery) bool { return d.Tries > 0 })
	require.False(t, o.deliveries[tried].NextAt.Before(o.now.Add(20*time.Minute)))
	require.Positive(t, o.untried, "what was leased with them is given back, untried")
}

func TestAnEndpointWithoutAnswersStopsTheRound(t *testing.T) {
	t.Parallel()
	o, r, j := sending(t, 40, silence)
	j.Round(t.Context(), o.target())
	require.LessOrEqual(t, len(r.posted), 4)
	require.Equal(t, payment.Health{Failed: true, RestUntil: o.now.Add(5 * time.Second)}, o.health[0])
	tried := slices.DeleteFunc(slices.Clone(o.deliveries), func(d *payment.Delivery) bool { return d.Tries == 0 })
	require.Len(t, tried, len(r.posted))
	require.Equal(t, "timeout", tried[0].Error)
	o.endpoint.Failures, o.endpoint.FailingSince = 6, o.now.Add(-5*24*time.Hour)
	o.now = o.now.Add(time.Hour)
	j.Round(t.Context(), o.target())
	require.Equal(t, payment.Health{
		Failed: true, RestUntil: o.now.Add(5 * time.Minute), Disable: payment.DisabledFailing,
	}, o.health[1], "for days")
}

func TestWhatIsTakenInBetweenForgives(t *testing.T) {
	t.Parallel()
	o, _, j := sending(t, 2, nil)
	o.endpoint.FailingSince = o.now.Add(-30 * 24 * time.Hour)
	taken := make(chan struct{})
	r := &receiver{answer: func(m outbound.Message) (outbound.Answer, error) {
		if m.ID == (payment.EventID{Order: payment.OrderID{2}, N: 1}).String() {
			<-taken
			return silence(m)
		}
		close(taken)
		return outbound.Answer{Status: http.StatusOK}, nil
	}}
	j.Out.Poster = r
	j.Round(t.Context(), o.target())
	require.Equal(t, payment.Health{Succeeded: true}, o.health[0])
}

func TestAnEventThatBreaksUsIsParkedAndHoldsUpNobody(t *testing.T) {
	t.Parallel()
	poison := payment.EventID{Order: payment.OrderID{2, 1}, N: 2}.String()
	o, _, j := sending(t, 5, func(m outbound.Message) (outbound.Answer, error) {
		if m.ID == poison {
			panic("personal data")
		}
		return outbound.Answer{Status: http.StatusOK}, nil
	})
	for range 10 {
		j.Round(t.Context(), o.target())
		o.now = o.now.Add(30 * time.Hour)
	}
	for i, d := range o.deliveries {
		if i == 1 {
			require.Equal(t, payment.DeliveryParked, d.State)
			require.Equal(t, "cannot_be_sent", d.Error)
			continue
		}
		require.Equal(t, payment.DeliveryDelivered, d.State)
	}
}

func TestThePumpDoesNotAskTheQueueForWhatItHas(t *testing.T) {
	t.Parallel()
	o, _, _ := sending(t, 1, status(http.StatusOK))
	queue := &tray{}
	_, _, j := sending(t, 1, status(http.StatusOK), func(d *jobs.Deps) { d.Queue, d.Now, d.Out.Books = queue, o.clock, o })
	for range 3 {
		require.NoError(t, j.Pump(t.Context()))
	}
	require.Len(t, queue.jobs, 1)
	j.Round(t.Context(), o.target())
	require.NoError(t, j.Pump(t.Context()))
	require.Len(t, queue.jobs, 2, "the round has ended, and something is due again")
	o.now = o.now.Add(time.Minute)
	require.NoError(t, j.Pump(t.Context()))
	require.Len(t, queue.jobs, 3, "the job got lost")
}
