package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// dueOrders leases what is due now, for a minute.
func (b *bundle) dueOrders(now time.Time) ([]payment.DueOrder, int) {
	b.t.Helper()
	due, seen, err := b.DueOrders(b.t.Context(), now, now.Add(time.Minute), 10)
	require.NoError(b.t, err)
	return due, seen
}

// expiring makes an order that can be paid for an hour.
func (b *bundle) expiring() *payment.Order {
	return b.order("demo", func(o *payment.Order) { o.ExpiresAt = b.now().Add(time.Hour) })
}

func TestAnOrderIsDueOnceItsTimeIsOver(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	b.order("demo", nil) // can be paid for ever
	due, _ := b.dueOrders(b.tick(59 * time.Minute))
	require.Empty(t, due)
	due, _ = b.dueOrders(b.tick(time.Minute))
	require.Equal(t, []payment.DueOrder{{Store: "demo", ID: o.ID, Lease: b.now().Add(time.Minute)}}, due)
	again, _ := b.dueOrders(b.now())
	require.Empty(t, again, "it is leased")
	again, _ = b.dueOrders(b.tick(time.Minute))
	require.Len(t, again, 1, "the lease of an instance that died ends")

	require.NoError(t, b.PostponeExpiry(t.Context(), due[0], time.Time{}))
	left, _ := b.dueOrders(b.tick(time.Minute))
	require.Len(t, left, 1, "whose lease is over has no say any more")
	require.NoError(t, b.PostponeExpiry(t.Context(), left[0], b.now().Add(10*time.Minute)))
	left, _ = b.dueOrders(b.tick(9 * time.Minute))
	require.Empty(t, left)
	left, _ = b.dueOrders(b.tick(time.Minute))
	require.Len(t, left, 1)
	require.NoError(t, b.PostponeExpiry(t.Context(), left[0], time.Time{}))
	_, seen := b.dueOrders(b.tick(time.Hour))
	require.Zero(t, seen, "settled for good")
}

func TestAnOrderThatIsPaidIsSettledByTheWay(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		o.MoveTo(payment.OrderProcessing)
		o.Save()
		return payment.Closing{}
	})
	require.NotNil(t, value[*time.Time](b, "select expiry_due_at from orders"), "paying leaves it alone: it stays a cheap update")
	due, seen := b.dueOrders(b.tick(time.Hour))
	require.Empty(t, due)
	require.Equal(t, 1, seen)
	require.Nil(t, value[*time.Time](b, "select expiry_due_at from orders"))
}

func TestAnOrderThatIsGivenAnotherTimeIsDueThen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.expiring()
	due, _ := b.dueOrders(b.tick(time.Hour))
	require.Len(t, due, 1)
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		o.ExpiresAt = b.now().Add(time.Hour)
		return payment.Closing{DetailsChanged: true}
	})
	require.NoError(t, b.PostponeExpiry(t.Context(), due[0], time.Time{}), "of a lease from before")
	due, _ = b.dueOrders(b.tick(time.Hour))
	require.Len(t, due, 1)
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		o.ExpiresAt = time.Time{}
		return payment.Closing{DetailsChanged: true}
	})
	due, seen := b.dueOrders(b.tick(time.Hour))
	require.Empty(t, due)
	require.Zero(t, seen)
}

func TestAMailThatWasGivenUpAndSentAfterAllIsDone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.stage(o.ID, func(o *payment.Order) { o.Do(payment.SendOrderMail, "", b.now()) })
	lease := func() []payment.DueEffect {
		due, err := b.DueEffects(t.Context(), b.now(), b.now().Add(time.Minute), 10)
		require.NoError(t, err)
		return due
	}
	require.Equal(t, []payment.DueEffect{{Store: "demo", Order: o.ID, Key: "send_order_mail", Kind: payment.SendOrderMail}}, lease())
	require.NoError(t, b.PostponeEffect(t.Context(), o.ID, "send_order_mail", b.now().Add(time.Hour)))
	b.tick(59 * time.Minute)
	require.Empty(t, lease(), "its job has it")
	b.tick(time.Minute)
	require.Len(t, lease(), 1, "a job that was lost loses no mail")

	finish := func(failure string) payment.EffectState {
		require.NoError(t, b.FinishEffect(t.Context(), o.ID, "send_order_mail", b.now(), failure, time.Time{}))
		return payment.EffectState(value[string](b, "select state from effects"))
	}
	require.Equal(t, payment.EffectFailed, finish("it was refused"), "for good, at the first try")
	require.Equal(t, "failed_effect", value[string](b, "select kind from cases"))
	require.Equal(t, payment.EffectFailed, finish("it was refused"))
	require.Equal(t, payment.EffectDone, finish(""), "an operator had it tried again")
	require.NoError(t, b.PostponeEffect(t.Context(), o.ID, "send_order_mail", b.now().Add(time.Hour)))
	b.tick(2 * time.Hour)
	require.Empty(t, lease(), "done is done")
}
