package steps_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

const laterReference = "REFERENCE00000000002"

// unwanted lets the step look at what was just learnt, in a store that gives back
// all by itself.
func unwanted(t *testing.T, o *payment.Order, f payment.Fact) {
	t.Helper()
	finding, err := o.Record(f, noon())
	require.NoError(t, err)
	all := func(string) steps.Returns { return steps.Returns{Surplus: true, Late: true} }
	step := library(t, steps.Deps{Returns: all})["release-unwanted-money"]
	require.NoError(t, step.Do(&pipeline.Run{Order: o, At: noon(), Payment: finding.Payment, Findings: []payment.Finding{finding}}))
}

// part announces a payment of so many cents of the order's thousand.
func part(o *payment.Order, reference string, minor int64, typ payment.Type) *payment.Payment {
	amount := payment.FromMinor(minor, o.Currency)
	p := o.OpenPayment("card", "sandbox", "shop", payment.ModeTest, amount, noon())
	o.Announce(p, typ, reference, amount, noon(), noon())
	return p
}

func TestASurplusIsGivenBackOnlyIfTheOrderIsPaidWithoutIt(t *testing.T) {
	t.Parallel()
	for minor, given := range map[int64]bool{1000: true, 600: false} {
		o := newOrder(t)
		part(o, reference, minor, payment.AuthorizeAndCapture)
		tell(t, o, payment.Approved)
		late := part(o, laterReference, 1000, payment.AuthorizeAndCapture)
		unwanted(t, o, payment.Fact{Source: payment.SourceInquiry, Reference: laterReference, State: payment.Approved})
		require.True(t, o.Covered())
		require.Equal(t, given, late.Release.Open())
		require.Equal(t, payment.CaseSurplus, o.Staged.Cases[0].Kind, "a person is told in any case")
	}
}

// Somebody agreed that a reservation is voided; that it was captured meanwhile is
// money that came too late.
func TestMoneyThatIsCapturedAfterTheCancellationIsGivenBackThoughOnlyAVoidWasAgreed(t *testing.T) {
	t.Parallel()
	o := newOrder(t)
	p := begin(o, payment.Authorize)
	tell(t, o, payment.Approved)
	o.ReleaseLater(p, payment.Release{Reason: payment.ReleaseCancelled}, noon())
	o.Progress.Status = payment.OrderCancelled
	o.Save()
	amount := o.Total
	unwanted(t, o, payment.Fact{
		Source: payment.SourceNotification, Reference: reference, Type: payment.Capture, GatewayReference: "psp-1",
		State: payment.Approved, Amount: &amount,
	})
	require.True(t, p.Release.Open())
	require.True(t, p.Release.Refund)
}

// Money that came outside any PSP goes back outside any PSP, by a person: nobody may
// write that it is back before.
func TestMoneyThatAPersonVouchedForIsNotGivenBackByItself(t *testing.T) {
	t.Parallel()
	o := newOrder(t)
	p := begin(o, payment.AuthorizeAndCapture)
	tell(t, o, payment.Declined)
	o.Progress.Status = payment.OrderCancelled
	o.Save()
	unwanted(t, o, payment.Fact{Source: payment.SourceOperator, Reference: reference, State: payment.Approved})
	require.Nil(t, p.Release)
	require.Equal(t, payment.CasePaidAfterCancel, o.Staged.Cases[0].Kind)
}
