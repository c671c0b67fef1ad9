package payment_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// holding is a pending order of 100.00 that holds 60.00: the PSP took less than was
// asked, and a person approved that.
func holding(t *testing.T) (*payment.Order, *payment.Payment) {
	t.Helper()
	o := unpaid(t, "100.00")
	p := begun(o, payment.AuthorizeAndCapture, "A", euros(t, "60.00"))
	p.Amount = o.Total
	record(t, o, approved("A"))
	require.Equal(t, "60.00", o.Held().String())
	require.Equal(t, "40.00", o.Due().String())
	return o, p
}

// pays announces another payment of the order, and has it approved.
func pays(t *testing.T, o *payment.Order, ref, amount string) *payment.Payment {
	t.Helper()
	p := begun(o, payment.AuthorizeAndCapture, ref, euros(t, amount))
	record(t, o, approved(ref))
	return p
}

// refunds announces a refund and tells what became of it.
func refunds(t *testing.T, o *payment.Order, p *payment.Payment, ref, amount string, s payment.State) {
	t.Helper()
	o.Announce(p, payment.Refund, reference(ref), euros(t, amount), noon(), noon())
	record(t, o, payment.Fact{Source: payment.SourceAnswer, Reference: reference(ref), State: s})
}

// The shop gives 60 back that the order held of its 100. The 40 that the shopper pays
// then are not enough, and nothing is shipped for them.
func TestWhatIsGivenBackOfAnOrderThatIsNotPaidYetIsDueAgain(t *testing.T) {
	t.Parallel()
	o, p := holding(t)
	refunds(t, o, p, "R", "60.00", payment.Approved)
	require.Equal(t, "100.00", o.Due().String())
	pays(t, o, "B", "40.00") // begun before the refund
	require.False(t, o.Covered(), "40 of 100 are held")
	require.Equal(t, "60.00", o.Due().String())
	pays(t, o, "C", "60.00")
	require.True(t, o.Covered())
	require.Equal(t, payment.StatusPaid, o.PaymentStatus())
	require.Empty(t, kinds(o), "that is no surplus")
}

func TestWhatIsOnItsWayBackIsDueToo(t *testing.T) {
	t.Parallel()
	for _, s := range []payment.State{payment.Pending, payment.Unknown} {
		o, p := holding(t)
		refunds(t, o, p, "R", "25.00", s)
		refunds(t, o, p, "S", "15.00", payment.Approved)
		require.Equal(t, "80.00", o.Due().String(), s)
		require.Equal(t, payment.StatusPartiallyRefunded, o.PaymentStatus())
		record(t, o, declined("R"))
		require.Equal(t, "55.00", o.Due().String(), "it stays after all")
		require.Empty(t, kinds(o))
	}
	o, _ := holding(t)
	b := begun(o, payment.Authorize, "B", euros(t, "40.00"))
	record(t, o, approved("B"))
	require.True(t, o.Covered())
	o.Announce(b, payment.Void, reference("V"), euros(t, "40.00"), noon(), noon())
	require.False(t, o.Covered(), "a void may be carried out yet")
	record(t, o, declined("V"))
	require.True(t, o.Covered())
}

// The refund fails once others have paid for it: then there is too much.
func TestARefundThatFailsAfterTheOrderWasPaidWithoutItIsASurplus(t *testing.T) {
	t.Parallel()
	o, p := holding(t)
	refunds(t, o, p, "R", "60.00", payment.Pending)
	pays(t, o, "B", "100.00")
	process(o)
	require.Equal(t, payment.StatusPaid, o.PaymentStatus())
	require.Empty(t, kinds(o))
	record(t, o, declined("R"))
	require.Equal(t, []payment.CaseKind{payment.CaseSurplus}, kinds(o))
	require.Equal(t, "60.00", o.Staged.Cases[0].Amount.String())
	require.NoError(t, o.RefundCase(o.Staged.Cases[0], noon()))
	require.Equal(t, payment.ReleaseSurplus, p.Release.Reason, "the order is paid without it")
}

// What was paid and given back later is not asked for again.
func TestARefundAfterTheOrderWasPlacedIsNotDue(t *testing.T) {
	t.Parallel()
	o, p := holding(t)
	refunds(t, o, p, "R", "10.00", payment.Approved)
	b := pays(t, o, "B", "50.00")
	process(o)
	require.Equal(t, payment.StatusPaid, o.PaymentStatus())
	refunds(t, o, b, "S", "50.00", payment.Approved)
	require.Equal(t, "0.00", o.Due().String())
	require.True(t, o.Covered())
	require.Equal(t, payment.StatusPartiallyRefunded, o.PaymentStatus())
	refunds(t, o, p, "T", "50.00", payment.Approved)
	require.Equal(t, payment.StatusRefunded, o.PaymentStatus(), "all that the order was paid with is back")
}

// Nor does it become anything else by being cancelled before it was ever paid for.
func TestAnOrderThatIsCancelledUnpaidSaysWhatWasGivenBack(t *testing.T) {
	t.Parallel()
	o, p := holding(t)
	refunds(t, o, p, "R", "60.00", payment.Approved)
	require.Equal(t, payment.StatusRefunded, o.PaymentStatus())
	o.MoveTo(payment.OrderCancelled)
	o.Save()
	require.Equal(t, payment.StatusRefunded, o.PaymentStatus())
	late := pays(t, o, "B", "100.00")
	require.Equal(t, []payment.CaseKind{payment.CasePaidAfterCancel}, kinds(o))
	refunds(t, o, late, "S", "100.00", payment.Pending)
	require.False(t, o.Covered(), "nobody is told that it is paid")
	record(t, o, declined("S"))
	require.Len(t, kinds(o), 1, "the case of the late money is there already")
}

// Once the order is covered by money that is only reserved, what was taken and given
// back before does not make it look paid.
func TestMoneyThatWasGivenBackBeforeDoesNotMakeACaptureLookLikeAll(t *testing.T) {
	t.Parallel()
	o, p := holding(t)
	refunds(t, o, p, "R", "60.00", payment.Approved)
	b := begun(o, payment.Authorize, "B", euros(t, "100.00"))
	record(t, o, approved("B"))
	process(o)
	require.Equal(t, payment.StatusAuthorized, o.PaymentStatus())
	o.Announce(b, payment.Capture, reference("C"), euros(t, "50.00"), noon(), noon())
	record(t, o, approved("C"))
	require.Equal(t, "50.00", o.Taken().String())
	require.Equal(t, payment.StatusPartiallyPaid, o.PaymentStatus())
	o.Announce(b, payment.Void, reference("V"), euros(t, "50.00"), noon(), noon())
	record(t, o, approved("V"))
	require.Equal(t, "50.00", o.Held().String())
}

// A person who resolves a case with refund means all of the payment: it pays nothing
// of the order from then on, also before a job has carried it out.
func TestACaseThatIsResolvedWithRefundMakesItsMoneyDueAtOnce(t *testing.T) {
	t.Parallel()
	o, p := holding(t)
	c := payment.Case{Kind: payment.CaseExpiredHeld, Payment: p.N}
	require.NoError(t, o.RefundCase(c, noon()))
	require.Equal(t, payment.ReleaseUncovered, p.Release.Reason)
	require.Equal(t, "100.00", o.Due().String())
	pays(t, o, "B", "40.00")
	require.False(t, o.Covered())
	pays(t, o, "C", "60.00")
	process(o)
	require.Equal(t, payment.StatusPaid, o.PaymentStatus())
	refunds(t, o, p, "R", "60.00", payment.Approved)
	require.Equal(t, payment.StatusPaid, o.PaymentStatus(), "it was never the order's")
	require.Equal(t, "100.00", o.Held().String())
	require.Empty(t, kinds(o))

	o, p = holding(t)
	pays(t, o, "B", "40.00")
	process(o)
	require.NoError(t, o.RefundCase(payment.Case{Kind: payment.CaseStuckRelease, Payment: p.N}, noon()))
	require.Equal(t, payment.ReleaseRequested, p.Release.Reason)
	require.Equal(t, "0.00", o.Due().String(), "once it was paid nothing is due again")
}

// One part of several payments is given back while another is still under way.
func TestAPartOfATenderThatIsGivenBackIsMissing(t *testing.T) {
	t.Parallel()
	o, first, second := tender(t)
	record(t, o, approved("A"))
	o.Announce(second, payment.AuthorizeAndCapture, reference("B"), second.Amount, noon(), noon())
	refunds(t, o, first, "R", "50.00", payment.Approved)
	record(t, o, approved("B"))
	require.False(t, o.Covered())
	require.Equal(t, "50.00", o.Due().String())
}
