package moments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// part is a pending order that holds a part of its price: the PSP took less than was
// asked, and a person approved that.
func (b *bundle) part(change ...func(*payment.Order)) *payment.Order {
	b.t.Helper()
	o := b.order(change...)
	_, err := b.pay(o, "card", "wrong_amount")
	require.NoError(b.t, err)
	_, err = b.ResolveCase(b.t.Context(), b.resolving(b.only(o), payment.CaseActApprove))
	require.NoError(b.t, err)
	o = b.read(o)
	require.Equal(b.t, payment.OrderPending, o.Saved.Status)
	require.True(b.t, o.Held().IsPositive())
	require.True(b.t, o.Due().IsPositive())
	return o
}

// most is up to how much an action of an order is allowed.
func (b *bundle) most(o *payment.Order, action payment.Action) string {
	b.t.Helper()
	for _, possible := range b.Actions(b.read(o)) {
		if possible.Action == action && possible.Payment == 0 && possible.WhyNot == nil {
			return possible.Max.String()
		}
	}
	return "not allowed"
}

// A part of the price came and was given back. The shopper is asked for all of it, and
// nothing is shipped for less.
func TestWhatWasGivenBackBeforeTheOrderWasPaidIsPaidAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.part()
	held := o.Held().String()
	require.Equal(t, held, b.most(o, payment.ActRefund))
	_, err := b.operate(o, 0, moments.OperateCommand{Action: payment.ActRefund})
	require.NoError(t, err)
	require.Equal(t, o.Total.String(), b.most(o, payment.ActPay))
	require.Equal(t, "not allowed", b.most(o, payment.ActRefund))

	state, err := b.pay(o, "card", "approve")
	require.NoError(t, err)
	require.Equal(t, payment.Approved, state)
	o = b.read(o)
	require.Equal(t, payment.OrderProcessing, o.Saved.Status)
	require.Equal(t, payment.StatusPaid, o.PaymentStatus())
	require.Equal(t, o.Total.String(), b.read(o).LatestPayment().Amount.String(), "all of it, not what was missing before")
	require.Empty(t, b.openCases(o))

	_, err = b.operate(o, 1, moments.OperateCommand{Action: payment.ActRefund})
	require.NoError(t, err)
	require.Equal(t, "0.00", b.read(o).Due().String(), "it was paid for: that is not asked again")
	require.Equal(t, payment.StatusRefunded, b.read(o).PaymentStatus())
}

// While the shopper pays the rest at the PSP, the shop gives the first part back: the
// rest is not enough any more.
func TestARestThatIsPaidAfterTheFirstPartWasGivenBackDoesNotPlaceTheOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.part()
	rest := o.Due().String()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	require.Equal(t, rest, b.read(o).LatestPayment().Amount.String())
	_, err = b.operate(o, 0, moments.OperateCommand{Action: payment.ActRefund})
	require.NoError(t, err)
	b.control(http.MethodPost, "/sandbox/payments/"+b.read(o).LatestPayment().Initial().Reference+"/pay", "")
	b.askAll(o)
	o = b.read(o)
	require.Equal(t, rest, o.Held().String())
	require.Equal(t, payment.OrderPending, o.Saved.Status)
	require.Zero(t, b.told(o, "order.paid"))
}

// Nobody asks about an expired order's money while it is on its way back; whoever has
// an eye on it is told if it stays.
func TestAnOrderDoesNotExpireUnseenWhileItsMoneyIsOnItsWayBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.part(func(o *payment.Order) { o.ExpiresAt = b.clock.now().Add(time.Hour) })
	_, err := b.operate(o, 0, moments.OperateCommand{Action: payment.ActRefund, Data: []byte(`{"scenario":"timeout_no_charge"}`)})
	require.NoError(t, err)
	require.Equal(t, "0.00", b.read(o).Held().String())
	b.down()
	b.clock.advance(2 * time.Hour)
	require.False(t, b.expire(o).IsZero(), "it is looked at again")
	require.Equal(t, payment.OrderPending, b.read(o).Saved.Status)
}

// A person has money given back that was transferred for an order which never went on:
// that it went back is in the books, since they said so, and the order is not paid.
func TestATransferThatAPersonGivesBackIsGoneFromTheOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(askingIn("confirm", "before: order-path-selector"))
	b.unreachable()
	o := b.order()
	_, err := b.pay(o, "invoice", "")
	require.NoError(t, err)
	_, _ = b.operate(o, 0, moments.OperateCommand{Action: payment.ActMarkPaid, Reason: "statement 7"}) // nothing can be decided
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
	require.NoError(t, b.store.Stretch(t.Context(), payment.Opening{Store: "demo", Order: o.ID, Token: b.ids.New()}, func(o *payment.Order) (payment.Closing, error) {
		o.OpenCase(payment.Case{ID: payment.CaseID(b.ids.New()), Kind: payment.CaseExpiredHeld, Payment: o.Payments[0].N, OpenedAt: b.clock.now()})
		return payment.Closing{}, nil
	}))
	_, err = b.ResolveCase(t.Context(), b.resolving(b.only(o), payment.CaseActRefund))
	require.NoError(t, err)
	require.Equal(t, payment.ReleaseUncovered, b.read(o).Payments[0].Release.Reason)
	require.Equal(t, o.Total.String(), b.read(o).Due().String(), "from the decision on")
	b.willing()
	b.giveBackAll()
	b.takeUp()
	o = b.read(o)
	require.Equal(t, payment.StatusRefunded, o.Payments[0].Status)
	require.Equal(t, payment.OrderPending, o.Saved.Status)
	require.Empty(t, b.openCases(o))
}

// cardAndInvoice is an order that a card pays in part, and an invoice the rest.
func (b *bundle) cardAndInvoice() *payment.Order {
	b.t.Helper()
	o := b.order(plain)
	c := b.command(o, "", "")
	c.Parts = []moments.PartCommand{{Method: "card-manual", Amount: some("29.95")}, {Method: "invoice"}}
	_, err := b.Pay(b.t.Context(), c)
	require.NoError(b.t, err)
	return b.read(o)
}

// Whoever cancels an order and says none means none: not the part that was paid either,
// because the other one is not coming now.
func TestACancellationThatGivesNothingBackLeavesThePartsOfATenderAlone(t *testing.T) {
	t.Parallel()
	for release, given := range map[string]string{"none": "0.00", "void": "29.95", "refund": "29.95"} {
		b := setup(t)
		o := b.cardAndInvoice()
		o, err := b.cancel(o, release)
		require.NoError(t, err)
		require.Equal(t, payment.OrderCancelled, o.Saved.Status)
		require.Equal(t, payment.Declined, o.Payments[1].Initial().State, "nobody waits for the transfer")
		b.clock.advance(time.Hour)
		b.giveBackAll()
		require.Equal(t, given, b.read(o).Payments[0].Sums.Voided.String(), release)
		require.Equal(t, release == "none", b.read(o).Payments[0].Release == nil)
	}
}

// The card part is voided in the PSP's dashboard: the invoice is not waited for, and
// no job looks at it again and again. Money that comes all the same is told.
func TestABrokenTenderDoesNotWaitForATransfer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.cardAndInvoice()
	b.control(http.MethodPost, "/sandbox/payments/"+o.Payments[0].Initial().Reference+"/notify", `{"event":"voided"}`)
	o = b.read(o)
	require.Equal(t, payment.Declined, o.Payments[1].Initial().State)
	require.Equal(t, "tender_incomplete", o.Payments[1].Initial().Reason.Code)
	require.Empty(t, o.OpenTransactions())
	due, err := b.store.DueReleases(t.Context(), b.clock.now().Add(1000*time.Hour), b.clock.now(), 10)
	require.NoError(t, err)
	require.Empty(t, due, "there is nothing to give back")
	require.Equal(t, o.Total.String(), b.most(o, payment.ActPay), "and the shopper may pay in another way")

	_, err = b.operate(o, 1, moments.OperateCommand{Action: payment.ActMarkPaid, Reason: "statement 7"})
	require.NoError(t, err)
	require.Equal(t, payment.ReleaseTender, b.read(o).Payments[1].Release.Reason, "it came after all, alone")
}
