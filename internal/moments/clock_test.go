package moments_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

const week = 7 * 24 * time.Hour

// reserve reserves the price of an order at the PSP.
func (b *bundle) reserve() *payment.Order {
	b.t.Helper()
	o := b.order()
	state, err := b.pay(o, "card-manual", "")
	require.NoError(b.t, err)
	require.Equal(b.t, payment.Approved, state)
	return b.read(o)
}

// keepClocks looks at all reserved money that is due, as the sweep does, and tells
// how much there was.
func (b *bundle) keepClocks() int {
	b.t.Helper()
	due, err := b.store.DueClocks(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 10)
	require.NoError(b.t, err)
	for _, d := range due {
		_ = b.KeepClock(b.t.Context(), d) // the PSP may be down
	}
	return len(due)
}

// warnings counts how often the store was told that reserved money lapses.
func (b *bundle) warnings(o *payment.Order) (n int) {
	b.t.Helper()
	for _, eventType := range b.eventTypes(o) {
		if eventType == "payment.authorization_expiring" {
			n++
		}
	}
	return n
}

func TestReservedMoneyIsWarnedAboutOnceADayBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.reserve()
	p := o.LatestPayment()
	require.WithinDuration(t, p.CreatedAt.Add(week), p.CaptureBefore, time.Second, "as the PSP says")
	b.clock.advance(week - 25*time.Hour)
	require.Zero(t, b.keepClocks())
	b.clock.advance(time.Hour)
	require.Equal(t, 1, b.keepClocks())
	require.Equal(t, 1, b.warnings(o))
	require.Contains(t, b.noted(o), "129.95 EUR by card-manual (sandbox) are reserved until")
	b.clock.advance(12 * time.Hour)
	require.Zero(t, b.keepClocks())
	require.Equal(t, 1, b.warnings(o))
	require.Equal(t, payment.StatusAuthorized, b.read(o).PaymentStatus())
}

func TestTwoInstancesWarnOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.reserve()
	b.clock.advance(week - 24*time.Hour)
	now := b.clock.now()
	first, err := b.store.DueClocks(t.Context(), now, now.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Len(t, first, 1)
	b.clock.advance(time.Minute) // the first hangs
	require.Equal(t, 1, b.keepClocks())
	require.NoError(t, b.KeepClock(t.Context(), first[0]))
	require.Equal(t, 1, b.warnings(o))
}

// untold reads orders of a PSP that does not say how long it keeps money.
type untold struct{ moments.Orders }

func (u untold) ReadOrder(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error) {
	o, err := u.Orders.ReadOrder(ctx, store, id)
	for _, p := range o.Payments {
		p.CaptureBefore = time.Time{}
	}
	return o, err
}

func TestWhereThePSPDoesNotSayTheMethodDoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.reserve()
	b.Orders = untold{b.store}
	d := payment.DueClock{ID: payment.PaymentID{Order: o.ID, N: o.LatestPayment().N}, Lease: o.LatestPayment().ClockDueAt}
	require.NoError(t, b.KeepClock(t.Context(), d))
	require.WithinDuration(t, o.LatestPayment().CreatedAt.Add(week-24*time.Hour), b.read(o).LatestPayment().ClockDueAt, time.Second)

	b.Service, _ = b.instance("stores: {demo: {accounts: {zero: {gateway: zero}}, methods: {free: {account: zero, kind: zero}}}}", 1000, false)
	b.Orders, b.Clocks = untold{b.store}, b.store
	require.NoError(t, b.KeepClock(t.Context(), payment.DueClock{ID: d.ID, Lease: b.read(o).LatestPayment().ClockDueAt}))
	require.Zero(t, b.read(o).LatestPayment().ClockDueAt, "and where nobody does, nobody is warned")
}

func TestACaptureInTimeStopsTheClock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.reserve()
	_, err := b.Operate(t.Context(), b.operation(o, payment.ActCapture, "129.95"))
	require.NoError(t, err)
	require.Zero(t, b.read(o).LatestPayment().ClockDueAt)
	b.clock.advance(2 * week)
	require.Zero(t, b.keepClocks())
	require.Zero(t, b.warnings(o))
}

func TestMoneyIsGoneWhenThePSPSaysSo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.reserve()
	b.clock.advance(week - 24*time.Hour)
	b.keepClocks()
	b.clock.advance(24 * time.Hour)
	b.deaf.Store(true)
	b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/notify", `{"event":"expired"}`)
	require.Equal(t, payment.StatusAuthorized, b.read(o).PaymentStatus(), "nobody has told us")
	require.Equal(t, 1, b.keepClocks())
	read := b.read(o)
	require.Equal(t, payment.StatusVoided, read.PaymentStatus())
	require.Zero(t, read.LatestPayment().ClockDueAt)
	require.Empty(t, b.openCases(o))
}

func TestAPSPThatCannotSayIsAskedDailyAndThenAPerson(t *testing.T) {
	t.Parallel()
	for name, silent := range map[string]bool{"it does not answer": true, "it says reserved as before": false} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			o := b.reserve()
			b.clock.advance(week - 24*time.Hour)
			b.keepClocks()
			if silent {
				b.down()
			}
			for day := range 5 {
				require.Empty(t, b.openCases(o), "day %d", day)
				b.clock.advance(24 * time.Hour)
				require.Equal(t, 1, b.keepClocks(), "day %d", day)
				require.Zero(t, b.keepClocks())
			}
			require.Equal(t, []payment.CaseKind{payment.CaseAuthorizationExpiring}, b.openCases(o))
			require.Equal(t, payment.StatusAuthorized, b.read(o).PaymentStatus(), "nobody guesses")
			b.clock.advance(week)
			require.Zero(t, b.keepClocks())
		})
	}
}
