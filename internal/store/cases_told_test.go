package store_test

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// alone begins a case without an order.
func (b *bundle) alone(kind payment.CaseKind, subject string) payment.Case {
	return payment.Case{
		ID: payment.CaseID(b.ids.New()), Store: "demo", Kind: kind, Subject: subject, Detail: "d", OpenedAt: b.now(),
	}
}

// listed opens the case of something that a PSP lists and that fits nothing.
func (b *bundle) listed(subject string) payment.Case {
	b.t.Helper()
	c := b.alone(payment.CaseReconciliation, subject)
	require.NoError(b.t, b.OpenCases(b.t.Context(), []payment.Case{c}))
	return c
}

// fail has an endpoint disabled for failing.
func (b *bundle) fail(e payment.EndpointID) {
	b.t.Helper()
	r := payment.Result{Health: payment.Health{Failed: true, Disable: payment.DisabledFailing}}
	require.NoError(b.t, b.FinishDeliveries(b.t.Context(), to(e), r, b.now()))
}

// endByHand has an operator resolve a case that has no order.
func (b *bundle) endByHand(c payment.Case) error {
	b.t.Helper()
	c, err := b.Case(b.t.Context(), c.Store, c.ID)
	require.NoError(b.t, err)
	c.State, c.Resolution = payment.CaseResolved, b.resolution()
	claim := &payment.Claim{
		Store: c.Store, Operation: "resolve", Key: payment.CaseID(b.ids.New()).String(), Fingerprint: []byte("f"), At: b.now(),
	}
	return b.ResolveCase(b.t.Context(), c, claim, payment.Reply{Status: 200, Body: []byte("{}"), Final: true}, b.by())
}

// told waits until the store said as much about cases as this, and no more.
func (b *bundle) told(n int) []payment.Event {
	b.t.Helper()
	events := b.events("demo", n)
	for _, e := range events {
		require.Equal(b.t, "case", strings.Split(e.Type, ".")[0])
	}
	return events
}

func TestEveryKindOfCaseWithoutAnOrderIsToldOnceAndAuditedOnce(t *testing.T) {
	t.Parallel()
	amount := money("12.00", "EUR")
	for kind, does := range map[payment.CaseKind]struct {
		open   func(b *bundle) func(payment.Case) error
		amount *payment.Money
	}{
		payment.CaseOrphan: {open: func(b *bundle) func(payment.Case) error {
			n := b.notify("demo", "nobody's", "card-gateway", nil)
			return func(c payment.Case) error { return b.PostponeNotification(t.Context(), n, &c) }
		}},
		payment.CaseRejectedNotification: {open: func(b *bundle) func(payment.Case) error {
			n := b.notify("demo", "nobody's", "card-gateway", nil)
			other := *n
			other.EventID, other.State, other.Error = n.EventID+"#1", payment.NotificationRejected, "it is another"
			return func(c payment.Case) error {
				other.ID = payment.NotificationID(b.ids.New())
				return b.KeepRejected(t.Context(), &other, c)
			}
		}},
		payment.CaseReconciliation: {amount: &amount, open: func(b *bundle) func(payment.Case) error {
			return func(c payment.Case) error { return b.OpenCases(t.Context(), []payment.Case{c}) }
		}},
		payment.CaseEndpointDisabled: {open: func(b *bundle) func(payment.Case) error {
			e := b.endpoint("demo")
			return func(payment.Case) error { b.fail(e.ID); return nil }
		}},
	} {
		b := setup(t)
		open := does.open(b)
		for range 2 {
			c := b.alone(kind, "x")
			c.Amount = does.amount
			require.NoError(t, open(c), kind)
		}
		list, _, err := b.ListCases(t.Context(), "demo", "open", kind, payment.Page{})
		require.NoError(t, err)
		require.Len(t, list, 1, kind)
		opened := payment.Event{
			N: 1, Type: "case.opened", Case: list[0].ID, CaseKind: kind, Status: "open", Amount: list[0].Amount, At: b.now(),
		}
		b.tick(time.Hour)
		require.NoError(t, b.endByHand(list[0]))
		require.ErrorIs(t, b.endByHand(list[0]), payment.ErrCaseResolved)

		events := b.told(2)
		require.Less(t, events[0].Sequence, events[1].Sequence)
		events[0].Sequence, events[1].Sequence = 0, 0
		resolved := opened
		resolved.N, resolved.Type, resolved.Status, resolved.At = 2, "case.resolved", "resolved", b.now()
		require.Equal(t, []payment.Event{opened, resolved}, events, kind)
		require.NotEqual(t, events[0].ID(), events[1].ID())

		var audited []string
		b.told(2) // settled
		_, _, err = b.AuditEvents(t.Context(), "demo", 100)
		require.NoError(t, err)
		for _, e := range b.entries("demo") {
			if strings.HasPrefix(e.Action, "case.") {
				audited = append(audited, strings.Join([]string{e.Actor, e.Source, e.Action, e.Subject, e.Amount, e.Status, e.Detail}, " "))
				require.Zero(t, e.AboutOrder())
			}
		}
		of := " " + list[0].ID.String() + " "
		if does.amount != nil {
			of += "12.00"
		}
		require.Equal(t, []string{
			"system system case.opened" + of + " open " + string(kind), "key_1 api case.resolved" + of + " resolved " + string(kind),
		}, audited)
		require.True(t, b.verified().Holds(), kind)
	}
}

// What a notification says of its order and of its own case is one commit.
func TestAnOrphanThatIsAppliedAfterAllTellsItBehindTheEventsOfTheOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	n := b.notify("demo", "nobody's", "card-gateway", nil)
	orphan := b.parkedCase(n)
	applied := *n
	applied.State, applied.Tries = payment.NotificationApplied, 4
	for range 2 { // an operator may have it applied again
		b.work(o.ID, func(o *payment.Order) payment.Closing {
			o.Emit(payment.Event{Type: "order.paid"}, b.now())
			o.Emit(payment.Event{Type: "order.completed"}, b.now())
			return payment.Closing{Notification: &applied}
		})
	}
	var types []string
	var sequences []int64
	for _, e := range b.events("demo", 6) {
		types, sequences = append(types, e.Type), append(sequences, e.Sequence)
	}
	require.Equal(t, []string{"case.opened", "order.paid", "order.completed", "case.resolved", "order.paid", "order.completed"}, types)
	require.Equal(t, []int64{1, 2, 3}, []int64{sequences[1] & 4095, sequences[2] & 4095, sequences[3] & 4095})
	entries := b.sealed("demo", 6)
	require.Equal(t, "system system case.resolved "+orphan.ID.String(),
		strings.Join([]string{entries[3].Actor, entries[3].Source, entries[3].Action, entries[3].Subject}, " "))
	require.True(t, b.verified().Holds())
}

func TestANotificationThatIsAppliedAtOnceAsksNothingAboutCases(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	n := b.notify("demo", b.pay(o.ID, "card", payment.Sending), "card-gateway", nil)
	n.State = payment.NotificationApplied
	for _, s := range b.tracer.during(func() {
		b.work(o.ID, func(*payment.Order) payment.Closing { return payment.Closing{Notification: n} })
	}) {
		require.NotContains(t, s.sql, "cases")
	}
}

func TestCasesThatAreOpenedTogetherAreToldOneAfterTheOther(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var cases []payment.Case
	for i := range 30 {
		cases = append(cases, b.alone(payment.CaseReconciliation, name("main", i)))
	}
	require.NoError(t, b.OpenCases(t.Context(), cases))
	require.NoError(t, b.OpenCases(t.Context(), cases), "which a lost answer to commit repeats")
	for i, e := range b.told(30) {
		require.Equal(t, cases[i].ID, e.Case)
		require.EqualValues(t, i+1, e.Sequence&4095)
	}
	require.Empty(t, value[string](b, `select coalesce(string_agg(order_id::text, ' '), '') from events e
		where not exists (select from orders o where o.id = e.order_id)
			and not exists (select from cases c where c.id = e.order_id and c.order_id is null)`), "each is an order's or a case's")
}

// Cases are opened and resolved by several at once, the same ones too, while orders
// change: a reader who goes on behind the last event misses none and sees none twice.
func TestCasesOfNoOrderAreToldWithoutGapsWhileManyWrite(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const writers, each = 5, 12
	orders := make([]*payment.Order, writers)
	for i := range orders {
		orders[i] = b.order("demo", nil)
	}
	var read []payment.Event
	follow := func() {
		var after int64
		if len(read) > 0 {
			after = read[len(read)-1].Sequence
		}
		events, err := b.ListEvents(t.Context(), "demo", after, "", 7)
		if err != nil {
			t.Error(err)
		}
		read = append(read, events...)
	}
	ctx, stop := context.WithCancel(t.Context())
	var reader sync.WaitGroup
	reader.Go(func() {
		for ctx.Err() == nil {
			follow()
		}
	})
	together(writers, func(i int) {
		for n := range each {
			b.listed(name("shared", n)) // the first of the writers opens it
			mine := b.listed(name(name("mine", i), n))
			b.emit(orders[i].ID, "order.paid")
			if err := b.endByHand(mine); err != nil {
				t.Error(err)
			}
		}
	})
	stop()
	reader.Wait()
	const want = each + 3*writers*each
	require.Eventually(t, func() bool { follow(); return len(read) >= want }, visibleWithin, lookEvery)
	require.Len(t, read, want)
	require.True(t, slices.IsSortedFunc(read, func(a, b payment.Event) int { return int(a.Sequence - b.Sequence) }))
	numbers := map[payment.CaseID][]int{}
	ids := map[payment.EventID]bool{}
	for _, e := range read {
		ids[e.ID()] = true
		if e.Case != (payment.CaseID{}) {
			numbers[e.Case] = append(numbers[e.Case], e.N)
		}
	}
	require.Len(t, ids, want)
	require.Len(t, numbers, each+writers*each)
	for _, n := range slices.Collect(maps.Values(numbers)) {
		require.Equal(t, []int{1, 2}[:len(n)], n, "opened, then resolved")
	}
	b.sealed("demo", want)
	require.True(t, b.verified().Holds())
}

func TestACaseIsResolvedAndToldOnceByTwoOperators(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.listed("main/refund/re_1")
	var won, lost int
	var mu sync.Mutex
	together(8, func(int) {
		err := b.endByHand(c)
		mu.Lock()
		defer mu.Unlock()
		switch payment.CodeOf(err) {
		case "case_resolved":
			lost++
		case "":
			won++
		}
	})
	require.Equal(t, []int{1, 7}, []int{won, lost})
	b.told(2)
}
