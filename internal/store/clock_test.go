package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestClocksAreLeasedOnceAndPutOffByWhoHasThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.pay(o.ID, "card", payment.Approved)
	set := func(at time.Time) {
		b.exec("update payments set clock_due_at = $2 where order_id = $1", [16]byte(o.ID), at)
	}
	read := func() time.Time {
		o, err := b.ReadOrder(t.Context(), "demo", o.ID)
		require.NoError(t, err)
		return o.Payments[0].ClockDueAt
	}
	set(b.now().Add(time.Second))
	due, err := b.DueClocks(t.Context(), b.now(), b.now().Add(time.Minute), 10)
	require.NoError(t, err)
	require.Empty(t, due, "not before its time")

	now := b.tick(time.Second)
	due, err = b.DueClocks(t.Context(), now, now.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Len(t, due, 1)
	require.Equal(t, o.ID, due[0].ID.Order)
	require.Equal(t, now.Add(time.Minute), due[0].Lease)
	again, err := b.DueClocks(t.Context(), now, now.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Empty(t, again)

	later := now.Add(time.Hour)
	require.NoError(t, b.PostponeClock(t.Context(), due[0], later))
	require.Equal(t, later, read())
	require.NoError(t, b.PostponeClock(t.Context(), due[0], time.Time{}))
	require.Equal(t, later, read(), "it was set anew meanwhile")
	require.NoError(t, b.PostponeClock(t.Context(), payment.DueClock{ID: due[0].ID, Lease: later}, time.Time{}))
	require.Zero(t, read())
}
