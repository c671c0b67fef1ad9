package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// What a broken tender took was never the order's: not after a person had it given
// back either. Otherwise the order would count as paid with money that is gone.
func TestMoneyOfABrokenTenderIsNeverTheOrdersAgain(t *testing.T) {
	t.Parallel()
	for name, decide := range map[string]func(o *payment.Order, p *payment.Payment) error{
		"a person resolves the case": func(o *payment.Order, p *payment.Payment) error {
			return o.RefundCase(payment.Case{Kind: payment.CaseStuckRelease, Transaction: p.Initial().N}, noon())
		},
		"the order is cancelled": func(o *payment.Order, p *payment.Payment) error {
			o.GiveBack(p, payment.Release{Reason: payment.ReleaseCancelled, Refund: true}, noon())
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o, first, second := tender(t)
			record(t, o, approved("A"))
			o.Announce(second, payment.AuthorizeAndCapture, reference("B"), second.Amount, noon(), noon())
			record(t, o, declined("B"))
			for range payment.ReleaseTriesMax {
				o.PostponeRelease(first, noon().Add(time.Minute), true)
			}
			o.PostponeRelease(first, time.Time{}, true)
			require.False(t, first.Release.Open())

			require.NoError(t, decide(o, first))
			require.True(t, first.Release.Open(), "it is tried again")
			require.Zero(t, first.Release.Tries)
			require.Equal(t, "100.00", o.Due().String())
			o.Announce(first, payment.Refund, reference("R"), first.Amount, noon(), noon())
			record(t, o, approved("R"))
			require.False(t, first.Release.Open())
			require.Equal(t, "100.00", o.Due().String(), "what is given back pays nothing")
		})
	}
}

// A part that was given up and pays after all is alone: all of them were to pay the
// order, or none.
func TestAPartThatPaysAfterAllThoughAnotherDidNotIsGivenBack(t *testing.T) {
	t.Parallel()
	t.Run("the first", func(t *testing.T) {
		t.Parallel()
		o, first, second := tender(t)
		record(t, o, declined("A"))
		require.Equal(t, payment.StatusFailed, second.Status)
		record(t, o, approved("A"))
		require.True(t, first.Release.Open())
		require.Equal(t, payment.ReleaseTender, first.Release.Reason)
		require.Equal(t, "100.00", o.Due().String())
	})
	t.Run("the last", func(t *testing.T) {
		t.Parallel()
		o, first, second := tender(t)
		record(t, o, approved("A"))
		o.Announce(second, payment.AuthorizeAndCapture, reference("B"), second.Amount, noon(), noon())
		record(t, o, declined("B"), approved("B"))
		require.True(t, first.Release.Open())
		require.True(t, second.Release.Open())
		require.Equal(t, "100.00", o.Due().String())
	})
	t.Run("unless they have paid the order meanwhile", func(t *testing.T) {
		t.Parallel()
		o, first, second := tender(t)
		record(t, o, approved("A"))
		o.Announce(second, payment.AuthorizeAndCapture, reference("B"), second.Amount, noon(), noon())
		record(t, o, approved("B"))
		require.Nil(t, first.Release)
		require.Nil(t, second.Release)
		require.True(t, o.Covered())
	})
}

// Money that is not the order's any more is not taken on top, though it could not be
// released.
func TestWhatWasDroppedIsNotCaptured(t *testing.T) {
	t.Parallel()
	l := authorized(t).status(payment.OrderProcessing)
	l.releases(payment.ReleaseSurplus, true)
	l.o.PostponeRelease(l.p, time.Time{}, true)
	require.False(t, l.p.Release.Open(), "it was given up")
	require.Equal(t, "being_released", l.verdict(payment.ActCapture, payment.Terms{Can: all()}))
	require.Equal(t, "being_released", l.verdict(payment.ActIncrease, payment.Terms{Can: all()}))
	require.Equal(t, "100.00", l.verdict(payment.ActVoid, payment.Terms{Can: all()}), "a person may release it")
}

// Between the payments of a tender nothing is open, but the next one is about to be
// sent: whoever began another payment then would be charged for a part.
func TestNoOtherPaymentBeginsBetweenThePaymentsOfATender(t *testing.T) {
	t.Parallel()
	o, _, second := tender(t)
	second.AbandonAt = noon().Add(time.Minute)
	record(t, o, approved("A"))
	require.Empty(t, o.IncomingTransactions())
	require.Equal(t, "payment_in_progress", payment.CodeOf(o.CheckIdle()))
	require.NoError(t, o.CheckSend(second, noon()), "it is the next one's turn")

	other := o.OpenPayment("card", gateway, account, payment.ModeTest, o.Due(), noon())
	require.Equal(t, "payment_in_progress", payment.CodeOf(o.CheckSend(other, noon())))
	o.Abandon(second, noon())
	require.NoError(t, o.CheckIdle())
}

// A rest that is on its way back does not keep a shopper from getting back what was
// captured.
func TestWhatWasCapturedIsRefundedWhileTheRestIsReleased(t *testing.T) {
	t.Parallel()
	l := authorized(t).status(payment.OrderProcessing).then(payment.Capture, "C", "30.00", payment.Approved)
	l.releases(payment.ReleaseRest, false)
	require.True(t, l.p.Release.Open())
	require.Equal(t, "30.00", l.verdict(payment.ActRefund, payment.Terms{Can: all()}))
	require.Equal(t, "being_released", l.verdict(payment.ActVoid, payment.Terms{Can: all()}))
	l.releases(payment.ReleaseCancelled, true)
	require.Equal(t, "being_released", l.verdict(payment.ActRefund, payment.Terms{Can: all()}))
}
