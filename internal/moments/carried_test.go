package moments_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// generous is a demo that gives back by itself what it has no right to.
func generous(source string) string {
	return strings.Replace(source, "    methods:\n", "    auto_refund: {surplus: true, paid_after_cancel: true}\n    methods:\n", 1)
}

// twice pays an order, and has the PSP say that an earlier attempt was paid after all.
func (b *bundle) twice() *payment.Order {
	b.t.Helper()
	o := b.order(plain)
	_, err := b.pay(o, "wallet", "")
	require.NoError(b.t, err)
	_, err = b.pay(o, "card", "approve")
	require.NoError(b.t, err)
	return o
}

// requireGivenBack expects the earlier attempt's money to go back, once.
func (b *bundle) requireGivenBack(o *payment.Order, name string) {
	b.t.Helper()
	p := b.read(o).Payments[0]
	require.Equal(b.t, "129.95", p.Sums.Captured.String(), name)
	require.NotNil(b.t, p.Release, name)
	require.Equal(b.t, payment.ReleaseSurplus, p.Release.Reason, name)
	require.NoError(b.t, b.Release(b.t.Context(), "demo", payment.PaymentID{Order: o.ID, N: p.N}))
	b.sweep()
	o = b.read(o)
	require.Equal(b.t, "129.95", o.Payments[0].Sums.Refunded.String(), name)
	require.Equal(b.t, 1, b.refunds(o), name)
	require.Empty(b.t, b.openCases(o), name)
	require.Equal(b.t, payment.OrderProcessing, o.Saved.Status, name)
}

// A store that gives back a surplus by itself does so wherever its shop is asked, and
// whichever instance dies meanwhile.
func TestASurplusIsGivenBackThoughTheShopIsAskedFirst(t *testing.T) {
	t.Parallel()
	for place, where := range map[string][2]string{
		"in confirm":        {"confirm", "before: order-path-selector"},
		"in status-ok":      {"status-ok", "before: release-unwanted-money"},
		"before pay-order":  {"status-ok", "before: pay-order"},
		"after all of that": {"status-ok", "after: send-order-mail"},
	} {
		for name, dies := range map[string]struct {
			at    int
			after bool
		}{"nobody dies": {}, "it dies before the shop is asked": {1, true}, "it dies once the shop has answered": {2, false}, "it dies at the end": {2, true}} {
			t.Run(place+", "+name, func(t *testing.T) {
				t.Parallel()
				b := setup(t)
				o := b.twice()
				source := generous(askingIn(where[0], where[1]))
				b.reload(source)
				b.willing()
				living := b.Service
				dying, book := b.instance(source, dies.at, dies.after)
				b.Service = dying
				b.control(http.MethodPost, "/sandbox/payments/"+b.read(o).Payments[0].Initial().Reference+"/notify", `{"event":"paid"}`)
				require.Equal(t, dies.at > 0, book.dead)
				b.Service = living
				b.sweep()
				b.requireGivenBack(o, name)
			})
		}
	}
}

// A shop that is down when money comes twice is asked until it answers.
func TestASurplusIsGivenBackOnceTheShopIsThereAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.twice()
	b.reload(generous(askingIn("confirm", "before: order-path-selector")))
	b.unreachable()
	b.control(http.MethodPost, "/sandbox/payments/"+b.read(o).Payments[0].Initial().Reference+"/notify", `{"event":"paid"}`)
	b.sweep()
	require.Nil(t, b.read(o).Payments[0].Release)
	b.willing()
	b.takeUp()
	b.requireGivenBack(o, "")
}

// A shop that is asked again after a crash is asked the same, so it can answer the same.
func TestAShopThatIsAskedAgainIsAskedTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	source := askingIn("confirm", "before: order-path-selector")
	b.reload(source)
	var asked []steps.Message
	b.says(func(m steps.Message) (steps.Reply, error) {
		asked = append(asked, m)
		return reply(`{"decision":"continue"}`)
	})
	living := b.Service
	b.Service, _ = b.instance(source, 2, false)
	b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/notify", `{"event":"paid"}`)
	b.Service = living
	b.sweep()
	require.Len(t, asked, 2)
	require.Equal(t, asked[0].ID, asked[1].ID)
	require.Contains(t, string(asked[0].Body), `"source":"notification"`)
	require.JSONEq(t, string(asked[0].Body), string(asked[1].Body))
}

// Who may notify is told by where the message came from, and so it is after a crash.
func TestASenderIsJudgedThoughTheInstanceThatHeardItIsGone(t *testing.T) {
	t.Parallel()
	for networks, taken := range map[string]bool{"203.0.113.0/24": false, "192.0.2.0/24": true} {
		b := setup(t)
		source := with("{confirm: [{insert: http, as: ask-shop, before: order-path-selector, " +
			"with: {url: https://shop.example/ask, secret: {env: PAYSVC_SANDBOX_API_KEY}}}, " +
			"{insert: ip-range-validation, before: order-path-selector, with: {networks: [" + networks + "]}}]}")
		b.reload(source)
		b.willing()
		o := b.order(plain)
		_, err := b.pay(o, "wallet", "")
		require.NoError(t, err)
		living := b.Service
		b.Service, _ = b.instance(source, 1, true)
		b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/notify", `{"event":"paid"}`)
		b.Service = living
		b.sweep()
		require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
		require.Equal(t, taken, b.read(o).Saved.Status == payment.OrderProcessing, networks)
	}
}
