package store_test

import (
	"encoding/json"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// A transaction of any database of the server holds events back, so tests wait.
const (
	visibleWithin = 10 * time.Second
	lookEvery     = 5 * time.Millisecond
)

// events waits until n events of the store can be read.
func (b *bundle) events(storeName string, n int) []payment.Event {
	b.t.Helper()
	var events []payment.Event
	require.Eventually(b.t, func() bool {
		var err error
		events, err = b.ListEvents(b.t.Context(), storeName, 0, "", 1000)
		return err == nil && len(events) >= n
	}, visibleWithin, lookEvery)
	require.Len(b.t, events, n)
	return events
}

func TestListEventsTellsWhatHappened(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", func(o *payment.Order) { o.Number = `"№ 1"` })
	b.pay(o.ID, "card", payment.Approved)
	b.stage(o.ID, func(o *payment.Order) { o.Do(payment.DeductStock, "", b.now()) })

	events := b.events("demo", 3)
	for i := range events {
		require.Positive(t, events[i].Sequence)
		events[i].Sequence = 0
	}
	amount := money("30.00", "EUR")
	require.Equal(t, []payment.Event{
		{
			N: 1, Type: "transaction.approved", Order: o.ID, Number: o.Number, Payment: 1, Transaction: 2,
			Status: "approved", Amount: &amount, At: b.now(),
		},
		{N: 2, Type: "payment.paid", Order: o.ID, Number: o.Number, Payment: 1, Status: "paid", At: b.now()},
		{N: 3, Type: "stock.deduct", Order: o.ID, Number: o.Number, Effect: "deduct_stock", At: b.now()},
	}, events)

	var body map[string]any
	require.NoError(t, json.Unmarshal(value[[]byte](b, "select body from events where n = 1"), &body))
	require.Equal(t, map[string]any{
		"id": payment.EventID{Order: o.ID, N: 1}.String(), "type": "transaction.approved", "created_at": "2026-03-01T12:00:00Z",
		"order_sequence": 1.0, "order_id": o.ID.String(), "number": o.Number, "order_status": "pending", "payment_status": "paid",
		"data": map[string]any{
			"payment":     payment.PaymentID{Order: o.ID, N: 1}.String(),
			"transaction": payment.TransactionID{Order: o.ID, N: 2}.String(),
			"status":      "approved", "amount": "30.00", "currency": "EUR",
		},
	}, body)
}

func TestListEventsByTypeStoreAndSequence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.pay(b.order("demo", nil).ID, "card", payment.Approved)
		b.pay(b.order("other", nil).ID, "card", payment.Approved)
	}
	all := b.events("demo", 6)
	require.True(t, slices.IsSortedFunc(all, func(a, b payment.Event) int { return int(a.Sequence - b.Sequence) }))
	paid, err := b.ListEvents(t.Context(), "demo", 0, "payment.paid", 1000)
	require.NoError(t, err)
	require.Equal(t, []payment.Event{all[1], all[3], all[5]}, paid)
	rest, err := b.ListEvents(t.Context(), "demo", all[2].Sequence, "", 2)
	require.NoError(t, err)
	require.Equal(t, all[3:5], rest)
}

// A reader who goes on behind the last event must not miss one whose
// transaction began earlier and commits later.
func TestListEventsHoldsBackWhatMayBeOvertaken(t *testing.T) {
	t.Parallel()
	b := setup(t)
	slow, fast := b.order("demo", nil), b.order("demo", nil)
	emit := func(o *payment.Order) payment.Closing {
		o.Emit(payment.Event{Type: "order.paid"}, b.now())
		return payment.Closing{}
	}
	tx, err := b.raw.Begin(t.Context())
	require.NoError(t, err)
	defer func() { _ = tx.Rollback(t.Context()) }() // a pool waits for its connections when it is closed
	insert := `insert into events (order_id, n, store, sequence, type, body, at)
		select $1, 1, 'demo', pg_current_xact_id()::text::bigint << 12, 'order.paid',
			json_build_object('id', '', 'type', 'order.paid', 'sequence', 1, 'order', $2::text), $3`
	_, err = tx.Exec(t.Context(), insert, [16]byte(slow.ID), slow.ID.String(), b.now())
	require.NoError(t, err)
	b.work(fast.ID, emit)

	early, err := b.ListEvents(t.Context(), "demo", 0, "", 100)
	require.NoError(t, err)
	require.Empty(t, early, "the fast event would hide the slow one")
	require.NoError(t, tx.Commit(t.Context()))
	events := b.events("demo", 2)
	require.Equal(t, slow.ID, events[0].Order)
	require.Equal(t, fast.ID, events[1].Order)
}

func TestListEventsMissesNoneUnderLoad(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const writers, each = 6, 15
	orders := make([]*payment.Order, writers)
	for i := range orders {
		orders[i] = b.order("demo", nil)
	}
	var read []int64
	done := make(chan struct{})
	var reader sync.WaitGroup
	follow := func() {
		var after int64
		if len(read) > 0 {
			after = read[len(read)-1]
		}
		events, err := b.ListEvents(t.Context(), "demo", after, "", 7)
		if err != nil {
			t.Error(err)
		}
		for _, e := range events {
			read = append(read, e.Sequence)
		}
	}
	reader.Go(func() {
		for {
			select {
			case <-done:
				return
			default:
				follow()
			}
		}
	})
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
	close(done)
	reader.Wait()
	require.Eventually(t, func() bool { follow(); return len(read) == writers*each }, visibleWithin, lookEvery)
	rows, _ := b.raw.Query(t.Context(), "select sequence from events order by sequence")
	written, err := pgx.CollectRows(rows, pgx.RowTo[int64])
	require.NoError(t, err)
	require.Equal(t, written, read)
}
