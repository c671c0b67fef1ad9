package moments_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// A fixed discount is granted for a payment. Whoever splits one into ten gets it once,
// and no part is for nothing.
func TestAFixedDiscountIsNotMultipliedBySplittingAPayment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(strings.Replace(string(settings.Demo()), "title: Card\n", "title: Card\n        fee: {EUR: -5.00}\n", 1))
	o := b.order(plain)
	for name, parts := range map[string][]moments.PartCommand{
		"granted twice":  {{Method: "card", Amount: some("60.00")}, {Method: "card"}},
		"all of a part":  {{Method: "card", Amount: some("5.00")}, {Method: "card-manual"}},
		"more than that": {{Method: "card", Amount: some("4.00")}, {Method: "card-manual"}},
	} {
		c := b.command(o, "", "")
		c.Parts = parts
		_, err := b.Pay(t.Context(), c)
		require.Equal(t, "method_unavailable", payment.CodeOf(err), name)
	}
	require.Empty(t, b.read(o).Payments)
	c := b.command(o, "", "")
	c.Parts = []moments.PartCommand{{Method: "card", Amount: some("60.00")}, {Method: "card-manual"}}
	_, err := b.Pay(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
	require.Len(t, b.charges(o), 2)
}

// A part that came outside any PSP, of a tender that is broken, is given back by a
// person: the books do not say that it is before.
func TestWhatCameOutsideAnyPSPIsNotGivenBackByAJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	c := b.command(o, "", "")
	c.Parts = []moments.PartCommand{{Method: "card-manual", Amount: some("29.95")}, {Method: "invoice"}}
	_, err := b.Pay(t.Context(), c)
	require.NoError(t, err)
	b.control(http.MethodPost, "/sandbox/payments/"+b.read(o).Payments[0].Initial().Reference+"/notify", `{"event":"voided"}`)
	require.Equal(t, payment.StatusVoided, b.read(o).Payments[0].Status)
	_, err = b.operate(o, 1, moments.OperateCommand{Action: payment.ActMarkPaid, Reason: "statement 7"})
	require.NoError(t, err)
	require.Equal(t, payment.ReleaseTender, b.read(o).Payments[1].Release.Reason)
	b.clock.advance(time.Hour)
	b.giveBackAll()
	o = b.read(o)
	require.Equal(t, "0.00", o.Payments[1].Sums.Refunded.String())
	require.Equal(t, "129.95", o.Due().String(), "it does not pay the order either")
	require.Equal(t, []payment.CaseKind{payment.CaseStuckRelease}, b.openCases(o))

	_, err = b.operate(o, 1, moments.OperateCommand{Action: payment.ActRefund, Reason: "transferred back"})
	require.NoError(t, err)
	require.Equal(t, "100.00", b.read(o).Payments[1].Sums.Refunded.String())
	require.Empty(t, b.openCases(o))
}
