package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// part is one payment of an order and what became of it.
type part struct {
	amount string
	typ    payment.Type
	state  payment.State
	then   []payment.Fact
}

// What the payments say together, and whether that is enough. All orders are
// over 10 euros but those that cost nothing.
func TestTheMoneyOfAnOrder(t *testing.T) {
	t.Parallel()
	const sold, reserved = payment.AuthorizeAndCapture, payment.Authorize
	capture := func(amount string) payment.Fact { return byPSP(t, "0", payment.Capture, "c", amount) }
	refund := func(amount string) payment.Fact { return byPSP(t, "0", payment.Refund, "r", amount) }
	void := func(amount string) payment.Fact { return byPSP(t, "0", payment.Void, "v", amount) }
	for name, c := range map[string]struct {
		parts     []part
		status    payment.Status
		of        payment.Status // of the first payment
		held, due string
		covered   bool
	}{
		"nothing begun":  {status: payment.StatusPending, held: "0.00", due: "10.00"},
		"under way":      {[]part{{"10.00", sold, payment.Pending, nil}}, payment.StatusPending, payment.StatusPending, "0.00", "10.00", false},
		"nobody knows":   {[]part{{"10.00", sold, payment.Unknown, nil}}, payment.StatusPending, payment.StatusPending, "0.00", "10.00", false},
		"declined":       {[]part{{"10.00", sold, payment.Declined, nil}}, payment.StatusPending, payment.StatusFailed, "0.00", "10.00", false},
		"never arrived":  {[]part{{"10.00", sold, payment.NotSent, nil}}, payment.StatusPending, payment.StatusFailed, "0.00", "10.00", false},
		"paid":           {[]part{{"10.00", sold, payment.Approved, nil}}, payment.StatusPaid, payment.StatusPaid, "10.00", "0.00", true},
		"taken back":     {[]part{{"10.00", sold, payment.Reversed, nil}}, payment.StatusPending, payment.StatusFailed, "0.00", "10.00", false},
		"reserved":       {[]part{{"10.00", reserved, payment.Approved, nil}}, payment.StatusAuthorized, payment.StatusAuthorized, "10.00", "0.00", true},
		"captured":       {[]part{{"10.00", reserved, payment.Approved, []payment.Fact{capture("10.00")}}}, payment.StatusPaid, payment.StatusPaid, "10.00", "0.00", true},
		"partly":         {[]part{{"10.00", reserved, payment.Approved, []payment.Fact{capture("4.00")}}}, payment.StatusPartiallyPaid, payment.StatusPartiallyPaid, "10.00", "0.00", true},
		"rest given up":  {[]part{{"10.00", reserved, payment.Approved, []payment.Fact{capture("4.00"), void("6.00")}}}, payment.StatusPartiallyPaid, payment.StatusPartiallyPaid, "4.00", "6.00", false},
		"voided":         {[]part{{"10.00", reserved, payment.Approved, []payment.Fact{void("10.00")}}}, payment.StatusVoided, payment.StatusVoided, "0.00", "10.00", false},
		"partly voided":  {[]part{{"10.00", reserved, payment.Approved, []payment.Fact{void("4.00")}}}, payment.StatusPending, payment.StatusPending, "6.00", "4.00", false},
		"refunded":       {[]part{{"10.00", sold, payment.Approved, []payment.Fact{refund("10.00")}}}, payment.StatusRefunded, payment.StatusRefunded, "0.00", "10.00", false},
		"partly back":    {[]part{{"10.00", sold, payment.Approved, []payment.Fact{refund("0.01")}}}, payment.StatusPartiallyRefunded, payment.StatusPartiallyRefunded, "9.99", "0.01", false},
		"second attempt": {[]part{{"10.00", sold, payment.Declined, nil}, {"10.00", sold, payment.Approved, nil}}, payment.StatusPaid, payment.StatusFailed, "10.00", "0.00", true},
		"one of two":     {[]part{{"4.00", sold, payment.Approved, nil}, {"6.00", sold, payment.Pending, nil}}, payment.StatusPartiallyPaid, payment.StatusPaid, "4.00", "6.00", false},
		"both of two":    {[]part{{"4.00", sold, payment.Approved, nil}, {"6.00", sold, payment.Approved, nil}}, payment.StatusPaid, payment.StatusPaid, "10.00", "0.00", true},
		"split reserved": {[]part{{"4.00", reserved, payment.Approved, nil}, {"6.00", reserved, payment.Approved, nil}}, payment.StatusAuthorized, payment.StatusAuthorized, "10.00", "0.00", true},
		"one half void":  {[]part{{"4.00", reserved, payment.Approved, []payment.Fact{void("4.00")}}, {"6.00", reserved, payment.Approved, nil}}, payment.StatusPending, payment.StatusVoided, "6.00", "4.00", false},
		"paid twice":     {[]part{{"10.00", sold, payment.Approved, nil}, {"10.00", sold, payment.Approved, nil}}, payment.StatusPaid, payment.StatusPaid, "20.00", "0.00", true},
	} {
		o := unpaid(t, "10.00")
		for i, part := range c.parts {
			ref := string(rune('0' + i))
			begun(o, part.typ, ref, euros(t, part.amount))
			record(t, o, payment.Fact{Reference: reference(ref), State: part.state})
			record(t, o, part.then...)
		}
		require.Equal(t, c.status, o.PaymentStatus(), name)
		require.Equal(t, c.held, o.Held().String(), name)
		require.Equal(t, c.due, o.Due().String(), name)
		require.Equal(t, c.covered, o.Covered(), name)
		if len(c.parts) > 0 {
			require.Equal(t, c.of, o.Payments[0].Status, name)
		}
	}
}

func TestAnOrderThatCostsNothingIsPaidOnceAPaymentSaysSo(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "0.00")
	require.False(t, o.Covered(), "nobody has ordered yet")
	require.Equal(t, payment.StatusPending, o.PaymentStatus())
	begun(o, payment.AuthorizeAndCapture, "A", euros(t, "0.00"))
	require.False(t, o.Covered())
	record(t, o, approved("A"))
	require.True(t, o.Covered())
	require.Equal(t, payment.StatusPaid, o.PaymentStatus())
	require.Equal(t, "0.00", o.Due().String())
}

func TestTheFeeOfAMethodIsPaidOnTop(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "10.00")
	p := begun(o, payment.AuthorizeAndCapture, "A", euros(t, "11.00"))
	p.Amount, p.Fee = euros(t, "10.00"), euros(t, "1.00")
	record(t, o, approved("A"))
	require.Equal(t, payment.StatusPaid, p.Status)
	require.Equal(t, "10.00", o.Held().String(), "the fee pays nothing of the order")
	require.Empty(t, kinds(o), "and is no surplus")
}

// The shopper pays twice at once, and one of both was refused before anything was
// sent: where the order stands, the other one says.
func TestTheLatestPaymentIsOneThatWasSent(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "10.00")
	only := o.OpenPayment("card", "sandbox", "shop-eu", payment.ModeTest, o.Due(), noon())
	o.Abandon(only, noon())
	require.Same(t, only, o.LatestPayment(), "there is no other")
	sent := begun(o, payment.AuthorizeAndCapture, "A", euros(t, "10.00"))
	refused := o.OpenPayment("card", "sandbox", "shop-eu", payment.ModeTest, o.Due(), noon())
	require.Same(t, refused, o.LatestPayment(), "it may still be sent")
	o.Abandon(refused, noon())
	require.Same(t, sent, o.LatestPayment())
}

func TestWhatIsOpenOnAnOrder(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "10.00")
	require.Nil(t, o.LatestPayment())
	first := begun(o, payment.AuthorizeAndCapture, "A", euros(t, "4.00"))
	second := begun(o, payment.AuthorizeAndCapture, "B", euros(t, "6.00"))
	require.Len(t, o.OpenTransactions(), 2)
	record(t, o, declined("A"))
	require.Equal(t, second.Transactions, o.OpenTransactions())
	require.Same(t, second, o.LatestPayment())
	require.Same(t, first, o.Payment(first.N))
	require.Nil(t, o.Payment(99))
	require.Nil(t, (&payment.Payment{}).Initial())
	p, x := o.TransactionByReference(reference("B"))
	require.Same(t, second, p)
	require.Same(t, second.Initial(), x)
	require.NotEqual(t, first.N, first.Transactions[0].N, "an order gives out each number once")
}

func TestAnOrderIsPayableUntilItExpiresOrIsDone(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "10.00")
	require.True(t, o.Payable(noon()), "it never expires")
	o.ExpiresAt = noon()
	require.True(t, o.Payable(noon().Add(-time.Nanosecond)))
	require.False(t, o.Payable(noon()))
	o.ExpiresAt = time.Time{}
	for _, s := range []payment.OrderStatus{payment.OrderProcessing, payment.OrderComplete, payment.OrderCancelled} {
		o.Progress.Status = s
		require.False(t, o.Payable(noon()), s)
	}
}

func TestTheShopperIsSentBackWithTheOrderNamed(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "10.00")
	require.Empty(t, o.SuccessURL())
	o.ReturnURLs = payment.ReturnURLs{Success: "https://shop.example/thanks?a=1&order=forged", Failure: ":// no URL"}
	require.Equal(t, "https://shop.example/thanks?a=1&order=1001&order_id="+o.ID.String(), o.SuccessURL())
	require.Empty(t, o.FailureURL())
}

func TestErrorsKeepTheirKindWhenTheyAreWrapped(t *testing.T) {
	t.Parallel()
	require.Equal(t, payment.KindInternal, payment.KindOf(nil))
	require.Empty(t, payment.CodeOf(nil))
	err := payment.Invalid("lines[0].total", "total_mismatch", "does not add up")
	require.Equal(t, payment.KindInvalid, payment.KindOf(err))
	require.Equal(t, "total_mismatch", payment.CodeOf(err))
	require.Equal(t, "lines[0].total", err.Fields[0].Field)
	require.Equal(t, "total_mismatch: does not add up", err.Error())
	require.Equal(t, "the idempotency key was used before", (&payment.Claimed{}).Error())
}

// An order of 10 of which 6 were paid and given back is not paid by another 4.
func TestWhatWasGivenBackOfAnOrderThatWasNeverCoveredIsDueAgain(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "10.00")
	p := begun(o, payment.AuthorizeAndCapture, "A", euros(t, "6.00"))
	p.Amount = euros(t, "6.00")
	record(t, o, approved("A"))
	require.Equal(t, "4.00", o.Due().String())
	record(t, o, byPSP(t, "A", payment.Refund, "re_1", "6.00"))
	require.Equal(t, "10.00", o.Due().String())
	require.False(t, o.Covered())

	paid := unpaid(t, "10.00")
	begun(paid, payment.AuthorizeAndCapture, "A", euros(t, "10.00"))
	record(t, paid, approved("A"))
	process(paid)
	record(t, paid, byPSP(t, "A", payment.Refund, "re_1", "6.00"))
	require.Equal(t, "0.00", paid.Due().String(), "it was paid, and what was given back is not due")
}
