package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func sale(t require.TestingT) (*payment.Order, *payment.Payment) {
	o := unpaid(t, "10.00")
	return o, begun(o, payment.AuthorizeAndCapture, "A", euros(t, "10.00"))
}

func TestASaleThatThePSPApprovesPaysTheOrder(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	finding, err := o.Record(approved("A"), noon().Add(time.Minute))
	require.NoError(t, err)
	require.Equal(t, payment.Finding{
		Payment: p, Transaction: p.Transactions[0], Source: payment.SourceNotification,
		Before: payment.Sending, Changed: true,
	}, finding)
	require.Equal(t, payment.StatusPaid, p.Status)
	require.True(t, o.Covered())
	require.Equal(t, noon().Add(time.Minute), p.Transactions[0].SettledAt)
	require.True(t, p.Transactions[0].DueAt.IsZero(), "there is nothing left to ask")
	require.Equal(t, []string{"transaction.approved", "payment.paid"}, eventTypes(o))
	require.Equal(t, "Payment of 10.00 EUR by card (sandbox) was approved.", o.Staged.Notes[0].Text)
	require.Empty(t, kinds(o))

	again, err := o.Record(approved("A"), noon().Add(time.Hour))
	require.NoError(t, err)
	require.False(t, again.Changed)
	require.Len(t, o.Staged.Events, 2, "a repetition is no news")
	require.Equal(t, noon().Add(time.Minute), p.Transactions[0].SettledAt)
}

func eventTypes(o *payment.Order) []string {
	var types []string
	for i, e := range o.Staged.Events {
		types = append(types, e.Type)
		if e.N != i+1 || e.Order != o.ID {
			types = append(types, "misnumbered")
		}
	}
	return types
}

func TestAFactAboutNoTransactionOfTheOrderIsRefused(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	for _, ref := range []string{"", "A", reference("B")} {
		_, err := o.Record(payment.Fact{Reference: ref, State: payment.Approved}, noon())
		require.ErrorIs(t, err, payment.ErrUnknownReference)
	}
	require.Equal(t, payment.StatusPending, o.Payments[0].Status)
}

// I4: nothing but what was asked makes an order paid.
func TestMoneyThatIsNotAsAskedNeverPaysAndOpensACase(t *testing.T) {
	t.Parallel()
	dollars := money(t, "10.00", "USD")
	for name, c := range map[string]struct {
		claim payment.Fact
		kind  payment.CaseKind
	}{
		"less":             {payment.Fact{Amount: amountOf(t, "9.99")}, payment.CaseAmountMismatch},
		"more":             {payment.Fact{Amount: amountOf(t, "10.01")}, payment.CaseAmountMismatch},
		"another currency": {payment.Fact{Amount: &dollars}, payment.CaseCurrencyMismatch},
		"another account":  {payment.Fact{Account: "shop-us"}, payment.CaseAccountMismatch},
		"play money":       {payment.Fact{Mode: payment.ModeLive}, payment.CaseModeMismatch},
	} {
		o, p := sale(t)
		f := c.claim
		f.Reference, f.State = reference("A"), payment.Approved
		finding, err := o.Record(f, noon())
		require.NoError(t, err, name)
		require.True(t, finding.Mismatch, name)
		require.Equal(t, payment.Unknown, p.Transactions[0].State, name)
		require.False(t, o.Covered(), name)
		require.Equal(t, []payment.CaseKind{c.kind}, kinds(o), name)
		require.Equal(t, c.kind, o.Review, "%s: the order is held", name)
		require.False(t, p.Transactions[0].DueAt.IsZero(), "%s: the PSP is asked", name)
		record(t, o, f, f)
		require.Len(t, o.Staged.Cases, 1, "%s: one case, however often it is said", name)
	}
}

func TestAllThatIsNotAsAskedIsNamed(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	record(t, o, payment.Fact{
		Reference: reference("A"), State: payment.Approved, Account: "shop-us", Mode: payment.ModeLive, Amount: amountOf(t, "1.00"),
	})
	require.Equal(t, []payment.CaseKind{
		payment.CaseAccountMismatch, payment.CaseModeMismatch, payment.CaseAmountMismatch,
	}, kinds(o))
}

// I4 again: an authorization is less than a sale.
func TestReservedMoneyDoesNotPayWhereItWasToBeTaken(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	reserved := approved("A")
	reserved.Type = payment.Authorize
	record(t, o, reserved)
	require.Equal(t, payment.Pending, p.Transactions[0].State)
	require.False(t, o.Covered())
	record(t, o, approved("A"))
	require.Equal(t, payment.StatusPaid, o.PaymentStatus())
}

func TestTheReasonBelongsToTheState(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	unknown := payment.Fact{Reference: reference("A"), State: payment.Unknown, Reason: payment.Reason{Code: "timeout"}}
	record(t, o, unknown)
	require.Equal(t, "timeout", p.Transactions[0].Reason.Code)
	record(t, o, declined("A"))
	require.Empty(t, p.Transactions[0].Reason, "it was not declined because of a timeout")
}

func TestTheFirstNameThatThePSPTellsIsKept(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	named := payment.Fact{Reference: reference("A"), State: payment.Sending, GatewayReference: "psp-1"}
	renamed := approved("A")
	renamed.GatewayReference = "psp-2"
	record(t, o, named, renamed)
	require.Equal(t, "psp-1", p.Transactions[0].GatewayReference)
	require.Equal(t, payment.Added, p.Transactions[0].Change())
}

func TestWhatTheShopperMustDoIsKeptWhileThereIsSomethingToDo(t *testing.T) {
	t.Parallel()
	redirect := &payment.NextAction{Type: "redirect", URL: "https://psp.example/pay"}
	action := payment.Fact{Reference: reference("A"), State: payment.ActionRequired, NextAction: redirect}
	for name, c := range map[string]struct {
		facts []payment.Fact
		want  *payment.NextAction
	}{
		"told":                 {[]payment.Fact{action}, redirect},
		"told on the second":   {[]payment.Fact{{Reference: reference("A"), State: payment.ActionRequired}, action}, redirect},
		"then pending":         {[]payment.Fact{action, {Reference: reference("A"), State: payment.Pending}}, nil},
		"after pending":        {[]payment.Fact{{Reference: reference("A"), State: payment.Pending}, action}, nil},
		"then declined":        {[]payment.Fact{action, declined("A")}, nil},
		"then approved":        {[]payment.Fact{action, approved("A")}, nil},
		"told with the refund": {[]payment.Fact{approved("A"), refundWithAction(t, redirect)}, nil},
	} {
		o, p := sale(t)
		record(t, o, c.facts...)
		require.Equal(t, c.want, p.NextAction, name)
	}
}

func refundWithAction(t require.TestingT, a *payment.NextAction) payment.Fact {
	f := byPSP(t, "A", payment.Refund, "x", "1.00")
	f.NextAction, f.State = a, payment.Pending
	return f
}

func TestThePSPIsAskedAboutWhatIsOpenAndNobodyAboutTheRest(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	x := p.Transactions[0]
	record(t, o, payment.Fact{Reference: reference("A"), State: payment.Pending})
	require.Equal(t, noon().Add(15*time.Second), x.DueAt)
	record(t, o, declined("A"))
	require.True(t, x.DueAt.IsZero())

	o, p = sale(t)
	record(t, o, payment.Fact{Source: payment.SourceGateway, Reference: reference("A"), State: payment.Pending})
	require.True(t, p.Transactions[0].DueAt.IsZero(), "an invoice waits for no PSP")

	refund := byPSP(t, "A", payment.Refund, "x", "1.00")
	refund.State = payment.Pending
	record(t, o, refund)
	require.True(t, p.Transactions[1].DueAt.IsZero(), "what the PSP began has no reference to ask by")
}

func TestWhatThePSPBeganByItselfBecomesATransactionOnce(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	refund := byPSP(t, "A", payment.Refund, "re_1", "4.00")
	refund.At = noon().Add(-time.Hour)
	record(t, o, approved("A"), refund, refund, byPSP(t, "A", payment.Refund, "re_2", "4.00"))
	require.Len(t, p.Transactions, 3)
	require.Equal(t, payment.Transaction{
		N: p.Transactions[1].N, Type: payment.Refund, State: payment.Approved, Amount: euros(t, "4.00"), GatewayReference: "re_1",
		Parent: p.Transactions[0].N, CreatedAt: refund.At, SettledAt: noon(),
	}, without(p.Transactions[1]))
	require.Equal(t, "8.00", p.Sums.Refunded.String())
	require.Equal(t, payment.StatusPartiallyRefunded, p.Status)
	require.Equal(t, []string{"transaction.approved", "payment.paid", "transaction.approved", "refund.approved",
		"payment.partially_refunded", "transaction.approved", "refund.approved"}, eventTypes(o))
}

// without returns the transaction as a store would load it.
func without(x *payment.Transaction) payment.Transaction {
	return payment.Transaction{
		N: x.N, Type: x.Type, State: x.State, Amount: x.Amount, Reference: x.Reference, GatewayReference: x.GatewayReference,
		Parent: x.Parent, Held: x.Held, Reason: x.Reason, CreatedAt: x.CreatedAt, SettledAt: x.SettledAt, DueAt: x.DueAt,
	}
}

func TestARefundWithoutANameIsNotCountedAgainWhenItIsRepeated(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	refund := byPSP(t, "A", payment.Refund, "", "4.00")
	record(t, o, approved("A"), refund, refund)
	require.Equal(t, "4.00", p.Sums.Refunded.String())
}

func TestOfTwoAmountsOfOneThingTheSmallerCountsAndAPersonIsTold(t *testing.T) {
	t.Parallel()
	for _, amounts := range [][2]string{{"4.00", "5.00"}, {"5.00", "4.00"}} {
		o, p := sale(t)
		record(t, o, approved("A"), byPSP(t, "A", payment.Refund, "x", amounts[0]), byPSP(t, "A", payment.Refund, "x", amounts[1]))
		require.Equal(t, "4.00", p.Sums.Refunded.String())
		require.Len(t, p.Transactions, 3, "both are on record")
		require.Equal(t, []payment.CaseKind{payment.CaseAmountMismatch}, kinds(o))
	}
}

// What the PSP told of a thing is known of it under each amount that it told.
func TestTheAmountsOfOneThingAreInOneState(t *testing.T) {
	t.Parallel()
	large, small := byPSP(t, "A", payment.Refund, "x", "5.00"), byPSP(t, "A", payment.Refund, "x", "4.00")
	large.State = payment.Pending
	for _, facts := range [][]payment.Fact{{large, small}, {small, large}} {
		o, p := sale(t)
		record(t, o, append([]payment.Fact{approved("A")}, facts...)...)
		require.Equal(t, "4.00", p.Sums.Refunded.String())
		require.Equal(t, payment.Approved, p.Transactions[1].State)
		require.Equal(t, payment.Approved, p.Transactions[2].State)
		require.Empty(t, o.OpenTransactions())
	}
}

func TestARefundAndAChargebackOfOneNameAreTwoThings(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	record(t, o, approved("A"), byPSP(t, "A", payment.Refund, "x", "2.00"), byPSP(t, "A", payment.Chargeback, "x", "3.00"),
		byPSP(t, "A", payment.Refund, "x", "4.00"))
	require.Equal(t, "5.00", p.Sums.Refunded.String())
	require.Equal(t, []payment.CaseKind{payment.CaseChargeback, payment.CaseAmountMismatch}, kinds(o))
}

func TestAnImpossibleAmountOfThePSPIsOnRecordAndCountsNothing(t *testing.T) {
	t.Parallel()
	negative := payment.FromMinor(-400, currency(t, "EUR"))
	o, p := sale(t)
	refund := byPSP(t, "A", payment.Refund, "x", "4.00")
	refund.Amount = &negative
	record(t, o, approved("A"), refund)
	require.Equal(t, "0.00", p.Sums.Refunded.String())
	require.Equal(t, payment.Unknown, p.Transactions[1].State)
	require.Equal(t, []payment.CaseKind{payment.CaseAmountMismatch}, kinds(o))
}

func TestMoreThanThePaymentHoldsIsHeldOutAndOpensACase(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	record(t, o, approved("A"), byPSP(t, "A", payment.Refund, "x", "6.00"), byPSP(t, "A", payment.Chargeback, "y", "6.00"))
	require.Equal(t, "6.00", p.Sums.Refunded.String())
	require.True(t, p.Transactions[2].Held)
	require.Equal(t, []payment.CaseKind{payment.CaseOverLimit, payment.CaseChargeback}, kinds(o))
}

// The case must be about what is held now, which is not what the fact was about.
func TestWhatALaterFactPushesOutOfTheSumsHasACase(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	record(t, o, approved("A"), byPSP(t, "A", payment.Refund, "y", "6.00"), byPSP(t, "A", payment.Refund, "x", "6.00"))
	pushed := p.Transactions[1]
	require.True(t, pushed.Held)
	require.Equal(t, []payment.CaseKind{payment.CaseOverLimit}, kinds(o))
	require.Equal(t, pushed.N, o.Staged.Cases[0].Transaction)
}

func TestARefundThatIsToldBeforeTheCaptureCountsOnceBothAreKnown(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "10.00")
	p := begun(o, payment.Authorize, "A", euros(t, "10.00"))
	record(t, o, byPSP(t, "A", payment.Refund, "x", "4.00"))
	require.Equal(t, "0.00", p.Sums.Refunded.String())
	record(t, o, byPSP(t, "A", payment.Capture, "z", "10.00"), approved("A"))
	require.Equal(t, "4.00", p.Sums.Refunded.String())
	require.False(t, p.Transactions[1].Held)
}

func TestMoneyThatComesTwiceOrTooLateOrIsTakenBackOpensACase(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	begun(o, payment.AuthorizeAndCapture, "B", euros(t, "10.00"))
	record(t, o, approved("A"), approved("B"))
	require.Equal(t, []payment.CaseKind{payment.CaseSurplus}, kinds(o), "two tabs paid")

	o, _ = sale(t)
	o.MoveTo(payment.OrderCancelled)
	o.Save()
	record(t, o, approved("A"))
	require.Equal(t, []payment.CaseKind{payment.CasePaidAfterCancel}, kinds(o))
	require.Equal(t, payment.StatusPaid, o.PaymentStatus(), "and the money is in the books")

	o, _ = sale(t)
	record(t, o, approved("A"), payment.Fact{Reference: reference("A"), State: payment.Reversed})
	require.Equal(t, []payment.CaseKind{payment.CaseReversed}, kinds(o))
	require.False(t, o.Covered())

	o, _ = sale(t)
	record(t, o, approved("A"), byPSP(t, "A", payment.Chargeback, "cb", "10.00"))
	require.Equal(t, []payment.CaseKind{payment.CaseChargeback}, kinds(o))
	require.Equal(t, payment.StatusRefunded, o.PaymentStatus())
}

func TestACaseNamesItsOrderAndTellsAPersonWhatIsWrong(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	o.OpenCase(payment.Case{Kind: payment.CaseOutOfStock, Subject: "SKU-1", OpenedAt: noon()})
	o.OpenCase(payment.Case{Kind: payment.CaseOutOfStock, Subject: "SKU-2", OpenedAt: noon()})
	o.OpenCase(payment.Case{Kind: payment.CaseOutOfStock, Subject: "SKU-1", OpenedAt: noon().Add(time.Hour)})
	require.Len(t, o.Staged.Cases, 2)
	require.Equal(t, payment.Case{
		Store: "demo", Order: o.ID, Kind: payment.CaseOutOfStock, Subject: "SKU-1", State: "open", OpenedAt: noon(),
	}, o.Staged.Cases[0])
	record(t, o, payment.Fact{Reference: reference("A"), State: payment.Reversed})
	require.NotEmpty(t, o.Staged.Cases[2].Detail)
	require.Equal(t, payment.CaseOutOfStock, o.Review, "the first reason to hold the order stays")
}
