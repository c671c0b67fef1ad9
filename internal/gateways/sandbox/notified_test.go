package sandbox_test

import (
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// happens lets fate act on the payment and reads what the simulator tells of it.
func (s *shop) happens(t *testing.T, a attempt, event string) gateways.Notice {
	t.Helper()
	s.control(t, a.request.Reference, "notify", event)
	notice, err := s.ReadNotification(t.Context(), s.notified(t))
	require.NoError(t, err)
	require.Equal(t, a.request.Reference, notice.Reference)
	return notice
}

// TestWhatIsTakenBackIsReversed takes back a refund of ours, one of the PSP's
// dashboard and a chargeback, and learns of it in any order, or by asking.
func TestWhatIsTakenBackIsReversed(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.paid(t, "card")
	refund := s.announce(a, payment.Refund, 1000, "")
	told := [][]payment.Fact{s.do(t, refund)}
	for _, event := range []string{
		`{"event":"refunded","amount":"20.00"}`, `{"event":"chargeback","amount":"30.00"}`,
		`{"event":"refund_failed","operation":"` + refund.Reference + `"}`, `{"event":"refund_reversed"}`, `{"event":"chargeback_reversed"}`,
	} {
		told = append(told, s.happens(t, a, event).Facts)
	}
	found, err := s.Inquire(t.Context(), a.inquiry())
	require.NoError(t, err)
	asked, err := s.ask(refund)
	require.NoError(t, err)
	require.Equal(t, payment.Reversed, asked[0].State)
	require.Equal(t, "refund_failed", asked[0].Reason.Code)

	histories := [][]payment.Fact{found, slices.Concat(found, told[0], asked)}
	permute(len(told), func(order []int) {
		var facts []payment.Fact
		for _, i := range order {
			facts = append(facts, told[i]...)
		}
		histories = append(histories, facts)
	})
	for _, facts := range histories {
		b := s.begin("card", "")
		b.payment.Transactions[0].Reference = a.request.Reference
		b.order.Announce(b.payment, payment.Refund, refund.Reference, refund.Amount, time.Now(), time.Now())
		b.record(t, facts...)
		require.Equal(t, []string{"129.95", "129.95", "0.00", "0.00"}, b.sums())
		require.Len(t, b.payment.Transactions, 4)
		for _, tx := range b.payment.Transactions[1:] {
			require.Equal(t, payment.Reversed, tx.State)
		}
	}
}

func TestAnAuthorizationThatExpiresIsReleased(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.paid(t, "card-manual")
	a.record(t, s.do(t, s.announce(a, payment.Capture, 10000, ""))...)
	a.record(t, s.happens(t, a, `{"event":"expired"}`).Facts...)
	require.Equal(t, []string{"129.95", "100.00", "0.00", "29.95"}, a.sums())
	release := a.payment.Transactions[2]
	require.Equal(t, payment.Void, release.Type)
	require.Equal(t, "expired", release.Reason.Code)
	require.Empty(t, a.order.Review)
}

func TestThePSPSaysUntilWhenItKeepsTheMoney(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.begin("card-manual", "")
	week := time.Now().Add(7 * 24 * time.Hour)
	require.WithinDuration(t, week, s.Pay(t.Context(), a.request).CaptureBefore, time.Minute)
	facts, err := s.Inquire(t.Context(), a.inquiry())
	require.NoError(t, err)
	require.WithinDuration(t, week, facts[0].CaptureBefore, time.Minute)
	require.Zero(t, s.Pay(t.Context(), s.begin("card", "").request).CaptureBefore)
}

// TestTheListTellsWhatTheNotificationsTold compares what a nightly comparison
// would read with what was told on the way, also where we have no name for it.
func TestTheListTellsWhatTheNotificationsTold(t *testing.T) {
	t.Parallel()
	s := openShop(t, nil)
	a := s.paid(t, "card-manual")
	r := s.announce(a, payment.Capture, 10000, "")
	r.Final = true
	a.record(t, s.do(t, r)...)
	a.record(t, s.do(t, s.announce(a, payment.Refund, 1000, ""))...)
	a.record(t, s.happens(t, a, `{"event":"refunded","amount":"20.00"}`).Facts...)
	a.record(t, s.happens(t, a, `{"event":"refund_reversed"}`).Facts...)
	foreign := s.begin("card", "")
	foreign.request.Reference = "of-another-program"
	require.Equal(t, payment.Approved, s.Pay(t.Context(), foreign.request).State)

	facts, next, err := s.List(t.Context(), time.Now().Add(-time.Hour), time.Now().Add(time.Hour), "")
	require.NoError(t, err)
	require.Empty(t, next)
	require.Len(t, facts, 6)
	var ours []payment.Fact
	for _, f := range facts {
		require.NotEmpty(t, f.GatewayReference)
		require.NotEmpty(t, f.Type)
		require.False(t, f.At.IsZero())
		require.Equal(t, ourAccount, f.Account)
		require.Equal(t, payment.ModeTest, f.Mode)
		if f.Reference == "" {
			require.Equal(t, payment.AuthorizeAndCapture, f.Type)
			continue
		}
		ours = append(ours, f)
	}
	require.Len(t, ours, 5)
	before, transactions := a.sums(), len(a.payment.Transactions)
	a.record(t, ours...)
	require.Equal(t, before, a.sums())
	require.Len(t, a.payment.Transactions, transactions, "it is what is known")
	require.Equal(t, payment.CaseReversed, a.order.Review, "and nothing else is wrong")

	b := s.begin("card-manual", "")
	b.payment.Transactions[0].Reference = a.request.Reference
	b.order.Announce(b.payment, payment.Capture, r.Reference, r.Amount, time.Now(), time.Now())
	b.order.Announce(b.payment, payment.Refund, a.payment.Transactions[3].Reference, a.payment.Transactions[3].Amount, time.Now(), time.Now())
	b.record(t, ours...)
	require.Equal(t, before, b.sums(), "and says all that is true")

	facts, _, err = s.List(t.Context(), time.Now().Add(time.Hour), time.Now().Add(2*time.Hour), "")
	require.NoError(t, err)
	require.Empty(t, facts)
}
