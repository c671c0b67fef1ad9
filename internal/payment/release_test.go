package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// releases decides that the money of the payment is given back.
func (l *life) releases(reason payment.ReleaseReason, refund bool) bool {
	return l.o.ReleaseLater(l.p, payment.Release{Reason: reason, Refund: refund}, noon())
}

func TestAReleaseIsDecidedOnce(t *testing.T) {
	t.Parallel()
	l := sold(t)
	require.True(t, l.releases(payment.ReleaseSurplus, true))
	require.Equal(t, noon(), l.p.Release.DueAt)
	require.False(t, l.releases(payment.ReleaseSurplus, true), "that is no news")
	require.False(t, l.releases(payment.ReleaseCancelled, true), "it is on its way back already")
	require.Equal(t, payment.ReleaseSurplus, l.p.Release.Reason)

	l = authorized(t)
	require.True(t, l.releases(payment.ReleaseRest, false))
	require.True(t, l.releases(payment.ReleaseCancelled, true), "a refund is more than a void")
	require.False(t, l.releases(payment.ReleaseLate, false), "and a void is less")
	require.True(t, l.p.Release.Refund)
}

func TestAReleaseEndsWithTheLastOfTheMoney(t *testing.T) {
	t.Parallel()
	l := authorized(t).then(payment.Capture, "C", "30.00", payment.Approved)
	l.releases(payment.ReleaseCancelled, true)
	reserved, taken := l.p.Releasable()
	require.Equal(t, "70.00 30.00", reserved.String()+" "+taken.String())
	l.then(payment.Void, "V", "70.00", payment.Approved)
	require.True(t, l.p.Release.Open())
	l.then(payment.Refund, "R", "30.00", payment.Pending)
	require.True(t, l.p.Release.Open(), "nobody knows yet")
	record(t, l.o, approved("R"))
	require.False(t, l.p.Release.Open())
	require.Empty(t, l.o.Staged.Cases)

	record(t, l.o, payment.Fact{Reference: reference("R"), State: payment.Reversed})
	require.True(t, l.p.Release.Open(), "the money came back to us: it is given back again")
}

func TestAReleaseOfWhatWasGivenBackBeforeIsOver(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "50.00")
	p := begun(o, payment.AuthorizeAndCapture, "PAY", euros(t, "20.00"))
	record(t, o, payment.Fact{Reference: reference("PAY"), State: payment.Approved})
	o.Announce(p, payment.Refund, reference("BACK"), euros(t, "20.00"), noon(), noon())
	record(t, o, payment.Fact{Reference: reference("BACK"), State: payment.Approved})

	o.ReleaseLater(p, payment.Release{Reason: payment.ReleaseTender, Refund: true}, noon())
	require.False(t, p.Release.Open(), "nobody looks for money that is not there, again and again")
	require.True(t, p.Dropped())
}

func TestWhatIsNotReleasedIsNobodysBusiness(t *testing.T) {
	t.Parallel()
	l := authorized(t).status(payment.OrderProcessing).then(payment.Capture, "C", "30.00", payment.Approved)
	l.releases(payment.ReleaseRest, false)
	l.then(payment.Void, "V", "70.00", payment.Approved)
	require.False(t, l.p.Release.Open())
	l.then(payment.Refund, "R", "10.00", payment.Pending)
	require.False(t, l.p.Release.Open(), "the rest is released: a refund of what was taken changes nothing")
	require.Equal(t, "20.00", l.verdict(payment.ActRefund, payment.Terms{Can: all()}))
}

func TestAReleaseThatIsGivenUpStaysSo(t *testing.T) {
	t.Parallel()
	l := sold(t)
	l.releases(payment.ReleaseCancelled, true)
	for range payment.ReleaseTriesMax {
		l.o.PostponeRelease(l.p, noon().Add(time.Minute), true)
	}
	l.o.PostponeRelease(l.p, time.Time{}, true)
	record(t, l.o, approved("A"), byPSP(t, "A", payment.Chargeback, "cb_1", "1.00"))
	require.False(t, l.p.Release.Open(), "a person has to look")
	require.Equal(t, "99.00", l.verdict(payment.ActRefund, payment.Terms{Can: all()}), "and may give it back")
}

// tender is an order of 100.00 that two payments of 50.00 pay together.
func tender(t *testing.T) (o *payment.Order, first, second *payment.Payment) {
	t.Helper()
	o = unpaid(t, "100.00")
	first = begun(o, payment.AuthorizeAndCapture, "A", euros(t, "50.00"))
	second = o.OpenPayment("card", gateway, account, payment.ModeTest, euros(t, "50.00"), noon())
	first.Tender, second.Tender = first.N, first.N
	return o, first, second
}

func TestOfSeveralPaymentsAllPayOrNone(t *testing.T) {
	t.Parallel()
	t.Run("the first is declined", func(t *testing.T) {
		t.Parallel()
		o, _, second := tender(t)
		record(t, o, declined("A"))
		require.Equal(t, payment.StatusFailed, second.Status, "it is not sent any more")
	})
	t.Run("the second is declined", func(t *testing.T) {
		t.Parallel()
		o, first, second := tender(t)
		record(t, o, approved("A"))
		o.Announce(second, payment.AuthorizeAndCapture, reference("B"), second.Amount, noon(), noon())
		record(t, o, declined("B"))
		require.True(t, first.Release.Open())
		require.Equal(t, payment.ReleaseTender, first.Release.Reason)
		require.True(t, first.Release.Refund)
		require.Equal(t, "100.00", o.Due().String(), "it never was the order's")
	})
	t.Run("both pay, and one is taken back later", func(t *testing.T) {
		t.Parallel()
		o, first, second := tender(t)
		record(t, o, approved("A"))
		o.Announce(second, payment.AuthorizeAndCapture, reference("B"), second.Amount, noon(), noon())
		record(t, o, approved("B"))
		o.Progress.Status = payment.OrderProcessing
		o.Save()
		record(t, o, payment.Fact{Reference: reference("B"), State: payment.Reversed})
		require.Nil(t, first.Release, "what becomes of one is no longer the other's business")
	})
}

func TestAnOperatorVouchesForMoneyThatIsToCome(t *testing.T) {
	t.Parallel()
	l := announced(t, payment.AuthorizeAndCapture).initial(payment.Pending)
	vouch := payment.Fact{Source: payment.SourceOperator, Type: payment.Authorize, Reference: reference("A"), State: payment.Approved, Amount: &l.o.Total}
	record(t, l.o, vouch)
	require.Equal(t, payment.StatusAuthorized, l.p.Status)
	require.Equal(t, payment.Authorize, l.p.Initial().Type)
	require.Equal(t, "100.00", l.p.Sums.Reserved().String())
	require.True(t, l.o.Covered())
	record(t, l.o, vouch)
	require.Equal(t, payment.StatusAuthorized, l.p.Status, "again changes nothing")
	require.Empty(t, l.o.Staged.Cases)

	vouch.Source = payment.SourceNotification
	l = announced(t, payment.AuthorizeAndCapture).initial(payment.Pending)
	record(t, l.o, vouch)
	require.Equal(t, payment.StatusPending, l.p.Status, "a PSP that says so has reserved less than was asked")
}

func TestMoreIsReservedThanWasAskedForAtFirst(t *testing.T) {
	t.Parallel()
	l := authorized(t).status(payment.OrderProcessing).then(payment.Authorize, "I", "25.00", payment.Approved)
	require.Equal(t, "125.00", l.p.Sums.Reserved().String())
	require.Equal(t, "100.00", l.o.Held().String(), "of the order's price it pays no more than that")
	l.then(payment.Capture, "C", "125.00", payment.Approved)
	require.Equal(t, payment.StatusPaid, l.p.Status)
	require.Equal(t, payment.StatusPaid, l.o.PaymentStatus())
	require.Empty(t, l.o.Staged.Cases)
	l.then(payment.Refund, "R", "125.00", payment.Approved)
	require.Equal(t, payment.StatusRefunded, l.p.Status)
}
