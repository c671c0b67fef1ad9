package store_test

import (
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// pump hands events on until the store has n deliveries.
func (b *bundle) pump(storeName string, n int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		_, err := b.PumpEvents(b.t.Context(), storeName, b.now(), 100)
		return err == nil && value[int](b, "select count(*) from webhook_deliveries where store = $1", storeName) >= n
	}, visibleWithin, lookEvery)
	require.Equal(b.t, n, value[int](b, "select count(*) from webhook_deliveries where store = $1", storeName))
}

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

func (b *bundle) due(e payment.EndpointID) []payment.Delivery {
	b.t.Helper()
	_, due, err := b.DueDeliveries(b.t.Context(), payment.Target{Store: "demo", Endpoint: e}, b.now(), b.now().Add(time.Minute), 100)
	require.NoError(b.t, err)
	return due
}

func (b *bundle) finish(e payment.EndpointID, h payment.Health, outcomes ...payment.Outcome) {
	b.t.Helper()
	require.NoError(b.t, b.FinishDeliveries(b.t.Context(), payment.Target{Store: "demo", Endpoint: e}, outcomes, h, b.now()))
}

func (b *bundle) deliveries(e payment.EndpointID) []payment.Delivery {
	b.t.Helper()
	list, _, err := b.ListDeliveries(b.t.Context(), payment.Target{Store: "demo", Endpoint: e}, "", payment.Page{})
	require.NoError(b.t, err)
	return list
}

func eventOf(d payment.Delivery) payment.EventID {
	return payment.EventID{Order: d.Event.Order, N: d.Event.N}
}

func typesOf(deliveries []payment.Delivery) []string {
	list := make([]string, len(deliveries))
	for i, d := range deliveries {
		list[i] = d.Event.Type
	}
	return list
}

func TestEventsBecomeDeliveriesToWhoeverWantsThem(t *testing.T) {
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

	b.pump("demo", 6)
	require.Equal(t, []string{"payment.between", "order.paid", "payment.paid", "payments.odd"}, typesOf(b.due(all.ID)), "but nothing from before")
	require.Equal(t, []string{"order.paid"}, typesOf(b.due(some.ID)))
	require.Equal(t, []string{"payment.paid"}, typesOf(b.due(family.ID)), "but nothing from before it was made")
	require.Empty(t, b.due(off.ID))
	waiting, err := b.EventsWaiting(t.Context(), 10)
	require.NoError(t, err)
	require.Empty(t, waiting, "the other store has nobody who listens")
	require.Empty(t, b.due(all.ID), "they are leased")
	b.tick(time.Minute)
	require.Len(t, b.due(all.ID), 4, "whoever leased them is gone")
}

func TestPumpsOfSeveralInstancesHandEachEventOnOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	const writers, each = 4, 15
	var stop atomic.Bool
	done := make(chan struct{})
	go func() {
		defer close(done)
		together(3, func(int) {
			for !stop.Load() {
				if _, err := b.PumpEvents(t.Context(), "demo", b.now(), 7); err != nil {
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
	require.Eventually(t, func() bool {
		return value[int](b, "select count(*) from webhook_deliveries") == writers*each
	}, visibleWithin, lookEvery)
	stop.Store(true)
	<-done
	require.Len(t, b.due(e.ID), writers*each)
}

func TestWhatCameOfDeliveriesIsKept(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	o := b.order("demo", nil)
	b.emit(o.ID, "a.1", "a.2", "a.3", "a.4")
	b.pump("demo", 4)
	due := b.due(e.ID)
	now, soon := b.now(), b.now().Add(time.Minute)
	b.finish(e.ID, payment.Health{Succeeded: true},
		payment.Outcome{Event: eventOf(due[0]), State: payment.DeliveryDelivered, Status: 204},
		payment.Outcome{Event: eventOf(due[1]), State: payment.DeliveryPending, Status: 500, NextAt: soon},
		payment.Outcome{Event: eventOf(due[2]), State: payment.DeliveryParked, Error: "timeout"},
		payment.Outcome{Event: eventOf(due[3]), State: payment.DeliveryPending, NextAt: now, Untried: true},
	)
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
	b.finish(e.ID, payment.Health{}, payment.Outcome{Event: eventOf(due[0]), State: payment.DeliveryPending, Status: 500, NextAt: soon})
	require.Equal(t, payment.DeliveryDelivered, b.deliveries(e.ID)[3].State, "a late second answer changes nothing")

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
	b.pump("demo", 6)
	targets := func() int {
		list, err := b.DueTargets(t.Context(), b.now(), 10)
		require.NoError(t, err)
		return len(list)
	}
	require.Equal(t, 2, targets())
	b.finish(e.ID, payment.Health{Failed: true, RestUntil: b.now().Add(time.Hour)})
	require.Empty(t, b.due(e.ID))
	require.Equal(t, 1, targets())
	require.Len(t, b.due(other.ID), 3)
	since := b.now()
	b.tick(time.Hour)
	probe := b.due(e.ID)
	require.Len(t, probe, 1)
	b.finish(e.ID, payment.Health{Failed: true, RestUntil: b.now()},
		payment.Outcome{Event: eventOf(probe[0]), State: payment.DeliveryPending, NextAt: b.now().Add(time.Hour)})
	got, err := b.Endpoint(t.Context(), "demo", e.ID)
	require.NoError(t, err)
	require.Equal(t, 2, got.Failures)
	require.Equal(t, since, got.FailingSince)
	b.finish(e.ID, payment.Health{Succeeded: true})
	got, err = b.Endpoint(t.Context(), "demo", e.ID)
	require.NoError(t, err)
	require.Zero(t, got.Failures)
	require.Zero(t, got.FailingSince)
	require.Len(t, b.due(e.ID), 2)
}

func TestADisabledEndpointGetsNothingAndGoesOnFromWhereItIsTold(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	o := b.order("demo", nil)
	b.emit(o.ID, "a.1")
	b.pump("demo", 1)
	b.finish(e.ID, payment.Health{Failed: true, Disable: payment.DisabledFailing})
	b.finish(e.ID, payment.Health{Failed: true, Disable: payment.DisabledFailing})
	require.Empty(t, b.due(e.ID))
	got, err := b.Endpoint(t.Context(), "demo", e.ID)
	require.NoError(t, err)
	require.False(t, got.Active)
	require.Equal(t, payment.DisabledFailing, got.Disabled)
	cases, _, err := b.ListCases(t.Context(), "demo", "open", payment.CaseEndpointDisabled, payment.Page{})
	require.NoError(t, err)
	require.Len(t, cases, 1)
	require.Equal(t, e.ID.String(), cases[0].Subject)

	b.emit(o.ID, "a.missed")
	on := true
	_, err = b.ChangeEndpoint(t.Context(), "demo", e.ID, payment.EndpointChange{Active: &on}, b.by())
	require.NoError(t, err)
	b.emit(o.ID, "a.2")
	b.pump("demo", 2)
	require.Equal(t, []string{"a.1", "a.2"}, typesOf(b.due(e.ID)))

	b.finish(e.ID, payment.Health{Disable: payment.DisabledGone})
	cases, _, err = b.ListCases(t.Context(), "demo", "", "", payment.Page{})
	require.NoError(t, err)
	require.Len(t, cases, 1, "one that says that it is gone is no case")
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
	due := b.due(e.ID)
	b.finish(e.ID, payment.Health{}, payment.Outcome{Event: eventOf(due[0]), State: payment.DeliveryParked, Status: 500, Error: "status"})
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
	b.pump("demo", 2)
	b.tick(time.Hour)
	b.emit(o.ID, "a.3")
	b.pump("demo", 3)
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
	b.exec("update event_cursors set sequence = 19990")
	b.exec("update webhook_endpoints set since = 0")
	b.exec("analyze")
	t1 := payment.Target{Store: "large", Endpoint: e.ID}
	late := b.now().Add(1000 * time.Hour)
	for name, list := range map[string]func() error{
		"events waiting": func() error { _, err := b.EventsWaiting(t.Context(), 100); return err },
		"pump":           func() error { _, err := b.PumpEvents(t.Context(), "large", b.now(), 50); return err },
		"pump of none":   func() error { _, err := b.PumpEvents(t.Context(), "nobody", b.now(), 50); return err },
		"targets":        func() error { _, err := b.DueTargets(t.Context(), late, 50); return err },
		"due": func() error {
			_, _, err := b.DueDeliveries(t.Context(), t1, late, late, 50)
			return ignoreBody(err)
		},
		"due of none": func() error {
			_, _, err := b.DueDeliveries(t.Context(), payment.Target{Store: "small", Endpoint: idle.ID}, late, late, 50)
			return err
		},
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
					return strings.Contains(line, "event_cursors") || strings.Contains(line, "webhook_endpoints") // a handful
				})
				require.Empty(t, found, "%s: %s", name, s.sql)
			}
		}
		require.NoError(t, err, name)
	}
}
