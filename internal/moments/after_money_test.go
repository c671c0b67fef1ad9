package moments_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// askingIn is the demo whose shop is asked somewhere.
func askingIn(pipeline, where string) string {
	return with("{" + pipeline + ": [{insert: http, as: ask-shop, " + where +
		", with: {url: https://shop.example/ask, secret: {env: PAYSVC_SANDBOX_API_KEY}}}]}")
}

var errNobody = errors.New("nobody answers")

func (b *bundle) unreachable() {
	b.says(func(steps.Message) (steps.Reply, error) { return steps.Reply{}, errNobody })
}

func (b *bundle) willing() {
	b.says(func(steps.Message) (steps.Reply, error) { return reply(`{"decision":"continue"}`) })
}

func (b *bundle) unwilling() {
	b.says(func(steps.Message) (steps.Reply, error) {
		return reply(`{"decision":"reject","message":"Sorry, Ada Canary"}`)
	})
}

// takeUp does what the job does with runs that wait to be taken up.
func (b *bundle) takeUp() {
	b.t.Helper()
	b.clock.advance(10 * time.Minute)
	due, err := b.store.DueRuns(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 10)
	require.NoError(b.t, err)
	for _, d := range due {
		record, err := b.store.Run(b.t.Context(), d.Store, d.ID)
		require.NoError(b.t, err)
		require.NoError(b.t, b.Resume(b.t.Context(), d.Store, d.ID, record))
	}
}

// openCases are the kinds of the order's open cases.
func (b *bundle) openCases(o *payment.Order) (kinds []payment.CaseKind) {
	b.t.Helper()
	cases, _, err := b.store.ListCases(b.t.Context(), "demo", "open", "", payment.Page{Limit: 100})
	require.NoError(b.t, err)
	for _, c := range cases {
		if c.Order == o.ID {
			kinds = append(kinds, c.Kind)
		}
	}
	return kinds
}

// requireApproved pays with a method and is told, now and again, that it is paid.
func (b *bundle) requireApproved(o *payment.Order, method string) {
	b.t.Helper()
	c := b.command(o, method, "")
	c.From = netip.MustParseAddr("192.0.2.7")
	c.Render = renderRefusals(c.Render)
	for _, replayed := range []bool{false, true} {
		answer, err := b.Pay(b.t.Context(), c)
		require.NoError(b.t, err)
		require.Equal(b.t, string(payment.Approved), string(answer.Body))
		require.Equal(b.t, replayed, answer.Replayed)
	}
}

// Whatever refuses confirm once the PSP has the money, nobody is told that the
// payment was refused.
func TestARefusalAfterTheMoneyMovedIsNoRefusalOfThePayment(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"confirm refuses the sender":                with("{confirm: [{insert: ip-range-validation, before: order-path-selector, with: {networks: [203.0.113.0/24]}}]}"),
		"the shop refuses confirm":                  askingIn("confirm", "before: order-path-selector"),
		"the shop refuses after the PSP was called": askingIn("pre-process", "after: psp-redirect"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.reload(source)
			b.unwilling()
			o := b.order(plain)
			b.requireApproved(o, "card")
			require.Len(t, b.charges(o), 1)
			require.Equal(t, []payment.CaseKind{payment.CaseFailedRun}, b.openCases(o))
			require.Equal(t, payment.OrderPending, b.read(o).Saved.Status)
		})
	}
}

// What a shop that cannot be reached holds up after money moved goes on by itself.
func TestAfterTheMoneyMovedAShopThatIsDownIsAskedUntilItAnswers(t *testing.T) {
	t.Parallel()
	trusted := func(source string) string {
		return strings.Replace(source, "mode_on_order: pending", "mode_on_order: authorized", 1)
	}
	for name, c := range map[string]struct{ source, method string }{
		"in confirm":                  {askingIn("confirm", "before: order-path-selector"), "card"},
		"in status-ok":                {askingIn("status-ok", "before: pay-order"), "card"},
		"after the PSP was called":    {askingIn("pre-process", "after: psp-redirect"), "card"},
		"after a payment was decided": {trusted(askingIn("internal", "after: decide-payment")), "invoice"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.reload(c.source)
			b.unreachable()
			o := b.order(plain)
			b.requireApproved(o, c.method)
			b.willing()
			b.takeUp()
			require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
			require.Empty(t, b.openCases(o))
		})
	}
}

func TestAShopThatRefusesADecidedPaymentIsACase(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(strings.Replace(askingIn("internal", "after: decide-payment"), "mode_on_order: pending", "mode_on_order: authorized", 1))
	b.unwilling()
	o := b.order(plain)
	b.requireApproved(o, "invoice")
	require.Equal(t, []payment.CaseKind{payment.CaseFailedRun}, b.openCases(o))
}

func TestMarkedAsPaidIsPaidAlthoughTheShopIsDown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	_, err := b.pay(o, "invoice", "")
	require.NoError(t, err)
	b.reload(askingIn("confirm", "before: order-path-selector"))
	b.unreachable()
	c := moments.OperateCommand{
		Store: "demo", Order: o.ID, Payment: b.read(o).Payments[0].N, Action: payment.ActMarkPaid, Claim: b.claim(""),
		Author: "test", Reason: "statement 7", Render: b.command(o, "", "").Render,
	}
	for _, replayed := range []bool{false, true} {
		answer, err := b.Operate(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, string(payment.Approved), string(answer.Body))
		require.Equal(t, replayed, answer.Replayed)
	}
	b.willing()
	b.takeUp()
	require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
}

// While the shop thinks about an order that nothing can pay, money may arrive.
func TestWhileTheShopThinksMoneySavesTheOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(askingIn("status-cancel", "before: cancel-order"))
	o := b.expiring(func(o *payment.Order) { o.PromotionCodes = []string{"SUMMER"} })
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	reference := b.reference(o)
	b.control(http.MethodPost, "/sandbox/payments/"+reference+"/notify", `{"event":"failed"}`)
	b.clock.advance(2 * time.Hour)
	asked := 0
	b.says(func(steps.Message) (steps.Reply, error) {
		if asked++; asked == 1 {
			b.control(http.MethodPost, "/sandbox/payments/"+reference+"/notify", `{"event":"paid"}`)
			require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
		}
		return reply(`{"decision":"continue"}`)
	})
	_, _ = b.Expire(t.Context(), "demo", o.ID)
	require.Positive(t, asked)
	o = b.read(o)
	require.Equal(t, payment.OrderProcessing, o.Saved.Status)
	require.NotEqual(t, payment.EffectUndoDue, o.Effects["track_promotion_code:SUMMER"].State)
	require.NotEqual(t, payment.EffectUndone, o.Effects["track_promotion_code:SUMMER"].State)
}

// While the shop thinks about a cancellation, somebody may pay: what was agreed to
// cancel held no money.
func TestWhileTheShopThinksOfACancellationNobodyPaysForNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(askingIn("status-cancel", "before: cancel-order"))
	o := b.order(plain)
	asked := 0
	b.says(func(steps.Message) (steps.Reply, error) {
		if asked++; asked == 1 {
			_, err := b.pay(o, "card", "approve")
			require.NoError(t, err)
		}
		return reply(`{"decision":"continue"}`)
	})
	_, err := b.CancelOrder(t.Context(), moments.CancelCommand{Store: "demo", Order: o.ID, Author: "test", Reason: "no"})
	require.Error(t, err)
	require.Len(t, b.charges(o), 1)
	require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
}

// While the shop thinks about a paid order, it may be cancelled: nothing is done
// for it then.
func TestWhileTheShopThinksACancelledOrderGetsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(askingIn("status-ok", "before: pay-order"))
	o := b.order()
	asked := 0
	b.says(func(steps.Message) (steps.Reply, error) {
		if asked++; asked == 1 {
			_, err := b.CancelOrder(b.t.Context(), moments.CancelCommand{Store: "demo", Order: o.ID, Author: "test", Reason: "no", Release: "none"})
			require.NoError(t, err)
		}
		return reply(`{"decision":"continue"}`)
	})
	_, err := b.pay(o, "card", "approve")
	require.NoError(t, err)
	o = b.read(o)
	require.Equal(t, payment.OrderCancelled, o.Saved.Status)
	require.NotContains(t, o.Effects, "send_order_mail")
	require.NotContains(t, o.Effects, "deduct_stock")
}

// A PSP that is told that we failed repeats its message, and in the end sends none
// at all: what a shop says afterwards is none of its business.
func TestAPSPIsAnsweredOnceItsMessageIsDurable(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says  func(b *bundle)
		cases int
	}{
		"the shop is down": {(*bundle).unreachable, 0}, "the shop refuses": {(*bundle).unwilling, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			var log bytes.Buffer
			b.Log = zerolog.New(zerolog.SyncWriter(&log))
			o := b.order(plain)
			_, err := b.pay(o, "wallet", "")
			require.NoError(t, err)
			b.reload(askingIn("confirm", "before: order-path-selector"))
			c.says(b)
			var told struct{ Deliveries []struct{ Status int } }
			answer := b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/notify", `{"event":"paid"}`)
			require.NoError(t, json.Unmarshal(answer, &told))
			require.Len(t, told.Deliveries, 1)
			require.Equal(t, http.StatusOK, told.Deliveries[0].Status)
			require.Len(t, b.openCases(o), c.cases)
			require.NotContains(t, log.String(), "Canary")
			b.willing()
			b.takeUp()
			require.Equal(t, c.cases == 0, b.read(o).Saved.Status == payment.OrderProcessing)
		})
	}
}
