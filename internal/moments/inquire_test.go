package moments_test

import (
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// down is a PSP that says nothing of use.
func (b *bundle) down() {
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
}

// id names the transaction that began the order's last payment.
func (b *bundle) id(o *payment.Order) payment.TransactionID {
	return payment.TransactionID{Order: o.ID, N: b.read(o).LatestPayment().Initial().N}
}

// askOnSchedule asks whenever the transaction is due, as the sweep does, and returns
// how long it waited each time.
func (b *bundle) askOnSchedule(o *payment.Order) (waits []time.Duration) {
	b.t.Helper()
	for {
		due := b.read(o).LatestPayment().Initial().DueAt
		if due.IsZero() {
			return waits
		}
		waits = append(waits, due.Sub(b.clock.now()))
		b.clock.advance(due.Sub(b.clock.now()))
		leased, err := b.store.DueTransactions(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 10)
		require.NoError(b.t, err)
		require.Len(b.t, leased, 1)
		_ = b.Inquire(b.t.Context(), leased[0].Store, leased[0].ID) // the PSP may be down
	}
}

func TestAtTheEndOfTheScheduleAPersonIsAskedAndNothingGuessed(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "timeout_after_charge")
	require.NoError(t, err)
	psp := b.psp
	b.down()
	waits := b.askOnSchedule(o)
	require.Len(t, waits, payment.InquiriesMax)
	for asked, wait := range waits {
		require.InDelta(t, payment.InquiryDelay(b.reference(o), asked), wait, float64(time.Microsecond), "question %d", asked+1)
	}
	require.Equal(t, []payment.CaseKind{payment.CaseUnknownOutcome}, b.openCases(o))
	read := b.read(o)
	require.Equal(t, payment.CaseUnknownOutcome, read.Review)
	require.Equal(t, payment.Unknown, read.LatestPayment().Initial().State)
	_, err = b.pay(o, "card", "approve")
	require.Equal(t, "payment_in_progress", payment.CodeOf(err), "nothing else is charged")

	b.psp = psp
	require.NoError(t, b.Inquire(t.Context(), "demo", b.id(o)), "somebody asks by hand")
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus(), "what comes later still decides")
	require.Empty(t, b.openCases(o), "and the case is over")
}

func TestAnAccountThatIsGoneEndsAsACaseToo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "timeout_after_charge")
	require.NoError(t, err)
	b.Service, _ = b.instance("stores: {demo: {accounts: {zero: {gateway: zero}}, methods: {free: {account: zero, kind: zero}}}}", 1000, false)
	require.Len(t, b.askOnSchedule(o), payment.InquiriesMax)
	require.Equal(t, []payment.CaseKind{payment.CaseUnknownOutcome}, b.openCases(o))
}

func TestAShopperWhoNeverCameBackIsClosedAtTheEndOfTheSchedule(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	require.Len(t, b.askOnSchedule(o), payment.InquiriesMax)
	read := b.read(o)
	require.Equal(t, payment.Declined, read.LatestPayment().Initial().State)
	require.Empty(t, b.openCases(o))
	state, err := b.pay(o, "card", "approve")
	require.NoError(t, err, "another attempt is free")
	require.Equal(t, payment.Approved, state)
}

func TestAnInquiryThatLearnsNothingWritesItsNextDueTimeOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	before, id := b.read(o), b.id(o)
	read := b.cost(func() { b.read(o) })
	spent := b.cost(func() { require.NoError(t, b.Inquire(t.Context(), "demo", id)) })
	require.Equal(t, int64(1), spent.statements-read.statements, "beside reading the order")
	require.Equal(t, int64(1), spent.roundTrips-read.roundTrips)

	after := b.read(o)
	require.Equal(t, 1, after.LatestPayment().Initial().Inquiries)
	require.Equal(t, before.Sequence, after.Sequence, "nobody is told")
	require.Equal(t, before.UpdatedAt, after.UpdatedAt)

	out := b.cost(func() {
		_, err := b.Submit(t.Context(), after, netip.Addr{})
		require.NoError(t, err)
	})
	require.Equal(t, 1, b.read(o).LatestPayment().Initial().Inquiries, "who waits for an answer does not use the schedule up")
	require.NotZero(t, out.statements)
}

func TestAStormOfReadersAsksOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "timeout_after_charge")
	require.NoError(t, err)
	require.True(t, b.read(o).Lost(b.clock.now()))
	var asked atomic.Int64
	psp := b.psp
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.WriteHeader(http.StatusBadGateway)
	})
	due := b.read(o).LatestPayment().Initial().DueAt
	storm := func() {
		var group sync.WaitGroup
		for range 50 {
			if look := b.LookedAt("demo", o.ID); look != nil {
				group.Go(func() { look(t.Context()) })
			}
		}
		group.Wait()
	}
	storm()
	require.Equal(t, int64(1), asked.Load())
	b.clock.advance(14 * time.Second)
	storm()
	require.Equal(t, int64(1), asked.Load(), "nor again within 15 seconds")
	require.Equal(t, due, b.read(o).LatestPayment().Initial().DueAt, "the schedule goes on as it is")

	b.psp = psp
	b.clock.advance(time.Second)
	storm()
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus(), "and the next reader sees what the PSP said")
}
