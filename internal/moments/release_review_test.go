package moments_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

func (b *bundle) cancel(o *payment.Order, release string) (*payment.Order, error) {
	b.t.Helper()
	return b.CancelOrder(b.t.Context(), moments.CancelCommand{Store: "demo", Order: o.ID, Author: "test", Reason: "no", Release: release})
}

// operate does something with the payment of this index of an order; -1 is the order.
func (b *bundle) operate(o *payment.Order, index int, c moments.OperateCommand) (moments.Answer, error) {
	b.t.Helper()
	c.Store, c.Order, c.Author, c.Claim = "demo", o.ID, "test", b.claim("")
	if index >= 0 {
		c.Payment = b.read(o).Payments[index].N
	}
	c.Render = func(out moments.Outcome) payment.Reply {
		var states []string
		for _, t := range out.Transactions {
			states = append(states, string(t.State))
		}
		if out.Refusal != nil {
			states = append(states, out.Refusal.Code)
		}
		return payment.Reply{Status: http.StatusOK, Body: []byte(strings.Join(states, " ")), Final: true}
	}
	return b.Operate(b.t.Context(), c)
}

func some(amount string) func(payment.Currency) (*payment.Money, error) {
	return func(c payment.Currency) (*payment.Money, error) {
		m, err := payment.ParseMoney(amount, c)
		return &m, err
	}
}

// What holds no money any more, or never cost any, is cancelled without a word about
// money.
func TestAnOrderThatHoldsNoMoneyIsCancelledWithoutSayingWhatBecomesOfIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	refunded := b.order(plain)
	_, err := b.pay(refunded, "card", "approve")
	require.NoError(t, err)
	_, err = b.operate(refunded, 0, moments.OperateCommand{Action: payment.ActRefund})
	require.NoError(t, err)
	free := b.order(plain, func(o *payment.Order) {
		o.Total = payment.Zero(o.Currency)
		o.Lines = nil
	})
	_, err = b.pay(free, "free", "")
	require.NoError(t, err)
	for _, o := range []*payment.Order{refunded, free} {
		require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
		cancelled, err := b.cancel(o, "")
		require.NoError(t, err)
		require.Equal(t, payment.OrderCancelled, cancelled.Saved.Status)
	}
}

// The shop refuses a cancellation: what was to be given back with it stays.
func TestACancellationThatTheShopRefusesGivesNothingBack(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(askingIn("status-cancel", "before: cancel-order"))
	b.unwilling()
	o := b.order(plain)
	_, err := b.pay(o, "card", "approve")
	require.NoError(t, err)
	_, err = b.cancel(o, "refund")
	require.Error(t, err)
	o = b.read(o)
	require.Equal(t, payment.OrderProcessing, o.Saved.Status)
	require.Nil(t, o.Payments[0].Release, "it is not cancelled")

	b.willing()
	o, err = b.cancel(o, "refund")
	require.NoError(t, err)
	require.Equal(t, payment.OrderCancelled, o.Saved.Status)
	require.Equal(t, payment.StatusRefunded, o.Payments[0].Status)
}

// While the rest of a capture is on its way back, the order is cancelled: what was
// captured is given back too.
func TestACancellationRefundsThoughTheRestIsBeingReleased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	_, err := b.pay(o, "card-manual", "approve")
	require.NoError(t, err)
	_, err = b.operate(o, 0, moments.OperateCommand{Action: payment.ActCapture, Amount: some("29.95")})
	require.NoError(t, err)
	require.NoError(t, b.store.Stretch(t.Context(), payment.Opening{Store: "demo", Order: o.ID, Token: b.ids.New()}, func(o *payment.Order) (payment.Closing, error) {
		o.ReleaseLater(o.Payments[0], payment.Release{Reason: payment.ReleaseRest}, b.clock.now())
		return payment.Closing{}, nil
	}))
	_, err = b.cancel(o, "")
	require.Equal(t, "release_required", payment.CodeOf(err))
	o, err = b.cancel(o, "refund")
	require.NoError(t, err)
	p := o.Payments[0]
	require.Equal(t, "29.95 100.00", p.Sums.Refunded.String()+" "+p.Sums.Voided.String())
}

// An order that was paid outside any PSP is refunded there, too, when the order is
// refunded as a whole.
func TestARefundOfAnOrderRecordsWhatIsGivenBackOutsideAnyPSP(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	_, err := b.pay(o, "invoice", "")
	require.NoError(t, err)
	_, err = b.operate(o, 0, moments.OperateCommand{Action: payment.ActMarkPaid, Reason: "statement 7"})
	require.NoError(t, err)
	answer, err := b.operate(o, -1, moments.OperateCommand{Action: payment.ActRefund})
	require.NoError(t, err)
	require.Equal(t, "approved", string(answer.Body))
	require.Equal(t, payment.StatusRefunded, b.read(o).Payments[0].Status)
}

// A part that a PSP gives back and a part that is only recorded are one refund.
func TestARefundOfAnOrderGoesThroughPSPsAndBesideThem(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	c := b.command(o, "", "")
	c.Parts = []moments.PartCommand{{Method: "card", Amount: some("29.95")}, {Method: "invoice"}}
	_, err := b.Pay(t.Context(), c)
	require.NoError(t, err)
	_, err = b.operate(o, 1, moments.OperateCommand{Action: payment.ActMarkPaid, Reason: "statement 7"})
	require.NoError(t, err)
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
	answer, err := b.operate(o, -1, moments.OperateCommand{Action: payment.ActRefund})
	require.NoError(t, err)
	require.Equal(t, "approved approved", string(answer.Body))
	require.Equal(t, payment.StatusRefunded, b.read(o).PaymentStatus())
	require.Equal(t, 1, b.refunds(o), "the PSP has given its part back")
}

// refunds counts what the PSP gave back for an order.
func (b *bundle) refunds(o *payment.Order) (n int) {
	b.t.Helper()
	for _, p := range b.read(o).Payments {
		n += strings.Count(string(b.control(http.MethodGet, "/sandbox/operations?reference="+p.Initial().Reference, "")), `"operation":"refund"`)
	}
	return n
}

// declines lets the PSP decline all that goes to a path that ends so.
func (b *bundle) declines(path string) {
	simulator := b.psp
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, path) {
			body, _ := io.ReadAll(r.Body)
			changed := strings.Replace(string(body), "{", `{"scenario":"decline",`, 1)
			r.Body, r.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
		}
		simulator.ServeHTTP(w, r)
	})
}

// What is reserved cannot be released, it has lapsed perhaps: what was taken goes back
// all the same.
func TestWhatWasTakenIsGivenBackThoughTheRestCannotBeReleased(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	_, err := b.pay(o, "card-manual", "approve")
	require.NoError(t, err)
	_, err = b.operate(o, 0, moments.OperateCommand{Action: payment.ActCapture, Amount: some("29.95")})
	require.NoError(t, err)
	b.declines("/voids")
	o, err = b.cancel(o, "refund")
	require.NoError(t, err)
	p := o.Payments[0]
	require.Equal(t, "29.95", p.Sums.Refunded.String())
	require.True(t, p.Release.Open(), "the rest is tried again")
	require.Equal(t, 1, p.Release.Tries)
	for range payment.ReleaseTriesMax - 1 {
		require.NoError(t, b.Release(t.Context(), "demo", payment.PaymentID{Order: o.ID, N: p.N}))
	}
	o = b.read(o)
	require.False(t, o.Payments[0].Release.Open(), "and given up in the end")
	require.Equal(t, []payment.CaseKind{payment.CaseStuckRelease}, b.openCases(o))
	require.Equal(t, 1, b.refunds(o))
}

// Nor is a transfer given up that the shopper may make for an order that goes on.
func TestACancellationThatTheShopRefusesLeavesATransferOpen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	_, err := b.pay(o, "invoice", "")
	require.NoError(t, err)
	b.reload(askingIn("status-cancel", "before: cancel-order"))
	b.unwilling()
	_, err = b.cancel(o, "")
	require.Error(t, err)
	require.Equal(t, payment.Pending, b.read(o).Payments[0].Initial().State)
	b.willing()
	o, err = b.cancel(o, "")
	require.NoError(t, err)
	require.Equal(t, payment.OrderCancelled, o.Saved.Status)
	require.Equal(t, payment.Declined, o.Payments[0].Initial().State)
}
