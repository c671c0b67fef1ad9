package store_test

import (
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// emit makes an order say something.
func (b *bundle) emit(id payment.OrderID, types ...string) {
	b.t.Helper()
	b.work(id, func(o *payment.Order) payment.Closing {
		for _, name := range types {
			o.Emit(payment.Event{Type: name}, b.now())
		}
		return payment.Closing{}
	})
}

// lease leases n deliveries to an endpoint, as soon as their events are settled.
func (b *bundle) lease(e payment.EndpointID, n int) payment.Batch {
	b.t.Helper()
	var batch payment.Batch
	require.Eventually(b.t, func() bool {
		found, leased, err := b.LeaseDeliveries(b.t.Context(), to(e), b.now(), b.now().Add(time.Minute), 100)
		if err == nil && leased && len(found.Due) != n {
			b.finish(payment.Batch{Endpoint: found.Endpoint}, payment.Health{}) // not yet
			return false
		}
		batch = found
		return err == nil && leased
	}, visibleWithin, lookEvery)
	return batch
}

// refused tells that nothing is leased.
func (b *bundle) refused(e payment.EndpointID) {
	b.t.Helper()
	_, leased, err := b.LeaseDeliveries(b.t.Context(), to(e), b.now(), b.now().Add(time.Minute), 100)
	require.NoError(b.t, err)
	require.False(b.t, leased)
}

func to(e payment.EndpointID) payment.Target { return payment.Target{Store: "demo", Endpoint: e} }

func (b *bundle) finish(batch payment.Batch, h payment.Health, outcomes ...payment.Outcome) {
	b.t.Helper()
	r := payment.Result{Outcomes: outcomes, Cursor: batch.Cursor, Health: h}
	require.NoError(b.t, b.FinishDeliveries(b.t.Context(), to(batch.Endpoint.ID), r, b.now()))
}

// outcome is what came of a delivery.
func outcome(d payment.Delivery, state payment.DeliveryState) payment.Outcome {
	return payment.Outcome{Event: eventOf(d), Sequence: d.Event.Sequence, State: state}
}

func untried(d payment.Delivery, next time.Time) payment.Outcome {
	o := outcome(d, payment.DeliveryPending)
	o.NextAt, o.Untried = next, true
	return o
}

// take has an endpoint take all that is due to it, n deliveries.
func (b *bundle) take(e payment.EndpointID, n int) []payment.Delivery {
	b.t.Helper()
	batch := b.lease(e, n)
	outcomes := make([]payment.Outcome, n)
	for i, d := range batch.Due {
		outcomes[i] = outcome(d, payment.DeliveryDelivered)
	}
	b.finish(batch, payment.Health{Succeeded: n > 0}, outcomes...)
	return batch.Due
}

func (b *bundle) deliveries(e payment.EndpointID) []payment.Delivery {
	b.t.Helper()
	list, _, err := b.ListDeliveries(b.t.Context(), payment.Target{Store: "demo", Endpoint: e}, "", payment.Page{})
	require.NoError(b.t, err)
	return list
}

func eventOf(d payment.Delivery) payment.EventID { return d.Event.ID() }

func typesOf(deliveries []payment.Delivery) []string {
	list := make([]string, len(deliveries))
	for i, d := range deliveries {
		list[i] = d.Event.Type
	}
	return list
}

func TestEventsGoToWhoeverWantsThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.emit(o.ID, "order.early")
	all := b.endpoint("demo")
	b.emit(o.ID, "payment.between")
	some, family := b.endpoint("demo", "order.paid"), b.endpoint("demo", "payment.*")
	off := b.endpoint("demo")
	no := false
	_, err := b.ChangeEndpoint(t.Context(), "demo", off.ID, payment.EndpointChange{Active: &no}, b.by())
	require.NoError(t, err)
	b.emit(o.ID, "order.paid", "payment.paid", "payments.odd")
	b.emit(b.order("other", nil).ID, "order.paid")

	batch := b.lease(all.ID, 4)
	require.Equal(t, []string{"payment.between", "order.paid", "payment.paid", "payments.odd"}, typesOf(batch.Due), "but nothing from before")
	require.Equal(t, []string{"order.paid"}, typesOf(b.take(some.ID, 1)))
	require.Equal(t, []string{"payment.paid"}, typesOf(b.take(family.ID, 1)), "but nothing from before it was made")
	b.refused(off.ID)
	b.refused(all.ID) // somebody delivers to it
	b.tick(time.Minute)
	require.Len(t, b.lease(all.ID, 4).Due, 4, "whoever leased them is gone")
	require.Empty(t, b.take(some.ID, 0), "each is told once")
}

func TestABatchIsNoLargerThanAskedForAndTellsOfMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo", "a.*")
	o := b.order("demo", nil)
	b.emit(o.ID, "b.1", "a.1", "a.2", "b.2", "a.3", "b.3")
	b.finish(payment.Batch{Endpoint: b.lease(e.ID, 3).Endpoint}, payment.Health{}) // settled
	for _, want := range []struct {
		types []string
		more  bool
	}{{[]string{"a.1", "a.2"}, true}, {[]string{"a.3"}, true}, {[]string{}, false}} {
		batch, leased, err := b.LeaseDeliveries(t.Context(), to(e.ID), b.now(), b.now(), 2)
		require.NoError(t, err)
		require.True(t, leased)
		require.Equal(t, want.types, typesOf(batch.Due))
		require.Equal(t, want.more, batch.More)
		b.finish(batch, payment.Health{})
	}
}

func TestAnEndpointThatWantsNothingOfWhatHappensIsNoTarget(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo", "order.paid")
	cursor := func() int64 { return value[int64](b, "select since from webhook_endpoints") }
	before := cursor()
	o := b.order("demo", nil)
	b.emit(o.ID, "order.created", "payment.paid")
	require.Eventually(t, func() bool {
		targets, err := b.DueTargets(t.Context(), b.now(), 10)
		require.NoError(t, err)
		require.Empty(t, targets)
		return cursor() > before
	}, visibleWithin, lookEvery, "they are passed over")
	b.emit(o.ID, "order.created", "order.paid")
	require.Eventually(t, func() bool {
		targets, err := b.DueTargets(t.Context(), b.now(), 10)
		require.NoError(t, err)
		return slices.Equal(targets, []payment.Target{to(e.ID)})
	}, visibleWithin, lookEvery)
	require.Equal(t, []string{"order.paid"}, typesOf(b.take(e.ID, 1)))
}

func TestInstancesHandEachEventOnOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	const writers, each = 4, 15
	var taken sync.Map
	var count, doubled atomic.Int32
	var stop atomic.Bool
	done := make(chan struct{})
	round := func() error {
		batch, leased, err := b.LeaseDeliveries(t.Context(), to(e.ID), b.now(), b.now().Add(time.Minute), 7)
		if err != nil || !leased {
			return err
		}
		r := payment.Result{Cursor: batch.Cursor}
		for _, d := range batch.Due {
			if _, again := taken.LoadOrStore(eventOf(d), true); again {
				doubled.Add(1)
			}
			count.Add(1)
			r.Outcomes = append(r.Outcomes, outcome(d, payment.DeliveryDelivered))
		}
		return b.FinishDeliveries(t.Context(), to(e.ID), r, b.now())
	}
	go func() {
		defer close(done)
		together(3, func(int) {
			for !stop.Load() {
				if err := round(); err != nil {
					t.Error(err)
				}
			}
		})
	}()
	orders := make([]*payment.Order, writers)
	for i := range orders {
		orders[i] = b.order("demo", nil)
	}
	together(writers, func(i int) {
		for range each {
			err := b.Stretch(t.Context(), payment.Opening{Order: orders[i].ID, Token: b.ids.New()},
				func(o *payment.Order) (payment.Closing, error) {
					o.Emit(payment.Event{Type: "order.paid"}, b.now())
					return payment.Closing{}, nil
				})
			if err != nil {
				t.Error(err)
			}
		}
	})
	require.Eventually(t, func() bool { return count.Load() >= writers*each }, visibleWithin, lookEvery)
	stop.Store(true)
	<-done
	require.EqualValues(t, writers*each, count.Load())
	require.Zero(t, doubled.Load())
	require.Equal(t, writers*each, value[int](b, "select count(*) from webhook_deliveries where state = 'delivered'"))
}

func TestWhatCameOfDeliveriesIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	o := b.order("demo", nil)
	b.emit(o.ID, "a.1", "a.2", "a.3", "a.4")
	batch := b.lease(e.ID, 4)
	now, soon := b.now(), b.now().Add(time.Minute)
	taken, failed := outcome(batch.Due[0], payment.DeliveryDelivered), outcome(batch.Due[1], payment.DeliveryPending)
	parked := outcome(batch.Due[2], payment.DeliveryParked)
	taken.Status, failed.Status, failed.NextAt, parked.Error = 204, 500, soon, "timeout"
	b.finish(batch, payment.Health{Succeeded: true}, taken, failed, parked, untried(batch.Due[3], now))
	got := b.deliveries(e.ID)
	require.Equal(t, []string{"a.4", "a.3", "a.2", "a.1"}, typesOf(got))
	for i := range got {
		got[i].Event, got[i].Endpoint = payment.Event{}, payment.EndpointID{}
	}
	require.Equal(t, []payment.Delivery{
		{State: payment.DeliveryPending, NextAt: now, CreatedAt: now},
		{State: payment.DeliveryParked, Tries: 1, Error: "timeout", CreatedAt: now, EndedAt: now},
		{State: payment.DeliveryPending, Tries: 1, Status: 500, NextAt: soon, CreatedAt: now},
		{State: payment.DeliveryDelivered, Tries: 1, Status: 204, CreatedAt: now, EndedAt: now},
	}, got)
	late := failed
	late.Event = taken.Event
	b.finish(batch, payment.Health{}, late)
	require.Equal(t, payment.DeliveryDelivered, b.deliveries(e.ID)[3].State, "a late second answer changes nothing")
	b.tick(time.Minute)
	again := b.lease(e.ID, 2)
	require.Equal(t, []string{"a.4", "a.2"}, typesOf(again.Due), "as each is due")
	require.Equal(t, []int{0, 1}, []int{again.Due[0].Tries, again.Due[1].Tries})

	var seen []string
	eachPage(t, 1, func(page payment.Page) (string, error) {
		list, next, err := b.ListDeliveries(t.Context(), payment.Target{Store: "demo", Endpoint: e.ID}, payment.DeliveryPending, page)
		seen = append(seen, typesOf(list)...)
		return next, err
	})
	require.Equal(t, []string{"a.4", "a.2"}, seen)
	none, _, err := b.ListDeliveries(t.Context(), payment.Target{Store: "other", Endpoint: e.ID}, "", payment.Page{})
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestAnEndpointWithoutAnswersRestsAndIsTriedWithOne(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e, other := b.endpoint("demo"), b.endpoint("demo")
	b.emit(b.order("demo", nil).ID, "a.1", "a.2", "a.3")
	targets := func() int {
		list, err := b.DueTargets(t.Context(), b.now(), 10)
		require.NoError(t, err)
		return len(list)
	}
	require.Eventually(t, func() bool { return targets() == 2 }, visibleWithin, lookEvery)
	b.finish(payment.Batch{Endpoint: e}, payment.Health{Failed: true, RestUntil: b.now().Add(time.Hour)})
	b.refused(e.ID)
	require.Equal(t, 1, targets())
	b.take(other.ID, 3)
	for id, since := range map[payment.EndpointID]time.Time{e.ID: b.now(), other.ID: {}} {
		got, err := b.Endpoint(t.Context(), "demo", id)
		require.NoError(t, err)
		require.Equal(t, since, got.BehindSince, "whoever looks sees who has not had what since when")
	}
	since := b.now()
	b.tick(time.Hour)
	probe := b.lease(e.ID, 1)
	failed := outcome(probe.Due[0], payment.DeliveryPending)
	failed.NextAt = b.now().Add(time.Hour)
	b.finish(probe, payment.Health{Failed: true, RestUntil: b.now()}, failed)
	got, err := b.Endpoint(t.Context(), "demo", e.ID)
	require.NoError(t, err)
	require.Equal(t, 2, got.Failures)
	require.Equal(t, since, got.FailingSince)
	b.finish(probe, payment.Health{Succeeded: true})
	got, err = b.Endpoint(t.Context(), "demo", e.ID)
	require.NoError(t, err)
	require.Zero(t, got.Failures)
	require.Zero(t, got.FailingSince)
	require.Equal(t, []string{"a.2", "a.3"}, typesOf(b.take(e.ID, 2)))
}

func TestADisabledEndpointGetsNothingAndGoesOnFromWhereItIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	o := b.order("demo", nil)
	b.emit(o.ID, "a.1")
	batch := b.lease(e.ID, 1)
	b.emit(o.ID, "a.2")
	b.finish(batch, payment.Health{Failed: true, Disable: payment.DisabledFailing}, untried(batch.Due[0], b.now()))
	b.finish(batch, payment.Health{Failed: true, Disable: payment.DisabledFailing})
	b.refused(e.ID)
	got, err := b.Endpoint(t.Context(), "demo", e.ID)
	require.NoError(t, err)
	require.False(t, got.Active)
	require.Equal(t, payment.DisabledFailing, got.Disabled)
	cases, _, err := b.ListCases(t.Context(), "demo", "open", payment.CaseEndpointDisabled, payment.Page{})
	require.NoError(t, err)
	require.Len(t, cases, 1)
	require.Equal(t, e.ID.String(), cases[0].Subject)

	b.emit(o.ID, "a.missed")
	b.turn(e.ID, true)
	b.emit(o.ID, "a.3")
	require.Equal(t, []string{"a.1", "a.2"}, typesOf(b.take(e.ID, 2)), "what was on its way, tried or not")
	got, err = b.Endpoint(t.Context(), "demo", e.ID)
	require.NoError(t, err)
	require.Equal(t, b.now(), got.BehindSince)
	b.target(e.ID)
	require.Equal(t, []string{"a.3"}, typesOf(b.take(e.ID, 1)), "and from then on")
	b.turn(e.ID, false)
	b.turn(e.ID, true)
	b.emit(o.ID, "a.4")
	b.target(e.ID)
	batch = b.lease(e.ID, 1)
	require.Equal(t, []string{"a.4"}, typesOf(batch.Due))

	b.finish(batch, payment.Health{Disable: payment.DisabledGone})
	cases, _, err = b.ListCases(t.Context(), "demo", "", "", payment.Page{})
	require.NoError(t, err)
	require.Len(t, cases, 1, "one that says that it is gone is no case")
}

// turn turns an endpoint on or off.
func (b *bundle) turn(e payment.EndpointID, on bool) {
	b.t.Helper()
	_, err := b.ChangeEndpoint(b.t.Context(), "demo", e, payment.EndpointChange{Active: &on}, b.by())
	require.NoError(b.t, err)
}

// target waits until the pump finds an endpoint.
func (b *bundle) target(e payment.EndpointID) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		targets, err := b.DueTargets(b.t.Context(), b.now(), 10)
		return err == nil && slices.Contains(targets, to(e))
	}, visibleWithin, lookEvery)
}

func TestAnEventThatIsPostedAgainBeforeItsTurnIsPostedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	o := b.order("demo", nil)
	b.emit(o.ID, "a.1", "a.2", "a.3")
	_, err := b.Redeliver(t.Context(), "demo", payment.EventID{Order: o.ID, N: 2}, payment.EndpointID{}, b.by())
	require.NoError(t, err)
	require.Equal(t, []string{"a.2", "a.1", "a.3"}, typesOf(b.take(e.ID, 3)))
	require.Empty(t, b.take(e.ID, 0))
}

func TestRedeliverBeginsAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.emit(o.ID, "a.1")
	first := payment.EventID{Order: o.ID, N: 1}
	again := func(store string, id payment.EventID, to payment.EndpointID) ([]payment.Delivery, error) {
		return b.Redeliver(t.Context(), store, id, to, b.by())
	}
	_, err := again("demo", first, payment.EndpointID{})
	require.Equal(t, "nothing_to_redeliver", payment.CodeOf(err))
	e, picky := b.endpoint("demo"), b.endpoint("demo", "b.*")
	_, err = again("other", first, payment.EndpointID{})
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	_, err = again("demo", payment.EventID{Order: o.ID, N: 2}, payment.EndpointID{})
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))

	list, err := again("demo", first, payment.EndpointID{})
	require.NoError(t, err)
	require.Len(t, list, 1, "also an event from before the endpoint was made")
	require.Equal(t, e.ID, list[0].Endpoint)
	require.Equal(t, "a.1", list[0].Event.Type)
	require.Equal(t, payment.DeliveryPending, list[0].State)
	batch := b.lease(e.ID, 1)
	parked := outcome(batch.Due[0], payment.DeliveryParked)
	parked.Status, parked.Error = 500, "status"
	b.finish(batch, payment.Health{}, parked)
	b.tick(time.Hour)
	list, err = again("demo", first, e.ID)
	require.NoError(t, err)
	require.Zero(t, list[0].Tries)
	require.Zero(t, list[0].Status)
	require.Equal(t, b.now(), list[0].NextAt)
	require.NoError(t, b.SetStorefront(t.Context(), "demo", []string{"stock.deduct"}, b.now()))
	list, err = again("demo", first, payment.EndpointID{})
	require.NoError(t, err)
	require.Len(t, list, 1, "the store's own system is told to do what it does, and nothing else")
	require.Equal(t, e.ID, list[0].Endpoint)
	list, err = again("demo", first, picky.ID)
	require.NoError(t, err, "asked for by name, whatever its types")
	require.Equal(t, picky.ID, list[0].Endpoint)
}

func TestReapDeliveriesTakesOldOnesOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	o := b.order("demo", nil)
	b.emit(o.ID, "a.1", "a.2")
	b.take(e.ID, 2)
	b.tick(time.Hour)
	b.emit(o.ID, "a.3")
	b.take(e.ID, 1)
	for _, want := range []int{1, 1, 0} {
		n, err := b.ReapDeliveries(t.Context(), b.now(), 1)
		require.NoError(t, err)
		require.Equal(t, want, n)
	}
	require.Equal(t, []string{"a.3"}, typesOf(b.deliveries(e.ID)))
}

// Deliveries of a store with many thousand of them are found by an index.
func TestDeliveriesAreFoundByAnIndex(t *testing.T) {
	t.Parallel()
	b := filled(t)
	e, idle := b.endpoint("large"), b.endpoint("small")
	b.exec(`insert into webhook_deliveries (order_id, n, store, endpoint, sequence, state, next_at, created_at)
		select order_id, n, $1, $2, sequence, case when sequence % 100 = 0 then 'pending' else 'delivered' end,
			case when sequence % 100 = 0 then at end, at from events`, "large", [16]byte(e.ID))
	b.exec("update webhook_endpoints set since = 19990")
	b.exec("analyze")
	t1 := payment.Target{Store: "large", Endpoint: e.ID}
	late := b.now().Add(1000 * time.Hour)
	lease := func(t1 payment.Target) error {
		_, _, err := b.LeaseDeliveries(t.Context(), t1, late, late, 50)
		return ignoreBody(err)
	}
	for name, list := range map[string]func() error{
		"commands waiting": func() error { _, err := b.CommandsWaiting(t.Context(), 100); return err },
		"commands":         func() error { _, err := b.StageCommands(t.Context(), "large", b.now(), 50); return err },
		"commands of none": func() error { _, err := b.StageCommands(t.Context(), "nobody", b.now(), 50); return err },
		"targets":          func() error { _, err := b.DueTargets(t.Context(), late, 50); return err },
		"due":              func() error { return lease(t1) },
		"due of none":      func() error { return lease(payment.Target{Store: "small", Endpoint: idle.ID}) },
		"list": func() error {
			_, _, err := b.ListDeliveries(t.Context(), t1, "", payment.Page{})
			return ignoreBody(err)
		},
		"old deliveries": func() error { _, err := b.ReapDeliveries(t.Context(), late, 10); return err },
	} {
		var err error
		for _, s := range b.tracer.during(func() { err = list() }) {
			if s.sql != "begin" && s.sql != "commit" {
				found := slices.DeleteFunc(excesses(b.explain(s)), func(line string) bool {
					return strings.Contains(line, "webhook_endpoints") // a handful
				})
				require.Empty(t, found, "%s: %s", name, s.sql)
			}
		}
		require.NoError(t, err, name)
	}
}
