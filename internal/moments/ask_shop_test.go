package moments_test

import (
	"bytes"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// poster is the shop that the http step asks.
type poster struct{ b *bundle }

func (poster) CheckURL(string) error    { return nil }
func (poster) CheckSecret(string) error { return nil }

func (p poster) Post(_ context.Context, m steps.Message) (steps.Reply, error) {
	answer := p.b.shop.Load()
	if answer == nil {
		return steps.Reply{Status: http.StatusNoContent}, nil
	}
	return (*answer)(m)
}

// says sets what the shop answers.
func (b *bundle) says(answer func(m steps.Message) (steps.Reply, error)) { b.shop.Store(&answer) }

func reply(body string) (steps.Reply, error) {
	return steps.Reply{Status: http.StatusOK, Body: []byte(body)}, nil
}

// asking is the demo whose shop is asked before a payment begins.
func asking() string {
	const ask = "[{insert: http, as: ask-shop, before: TARGET, with: {url: https://shop.example/ask, secret: {env: PAYSVC_SANDBOX_API_KEY}, attributes: [risk]}}]"
	return with("{pre-process: " + strings.Replace(ask, "TARGET", "save-order", 1) +
		", internal: " + strings.Replace(ask, "TARGET", "decide-payment", 1) + "}")
}

// A shop's program may write its customer's name into a refusal, and answer
// whatever it likes.
func TestTheWordsOfAShopAreNotLogged(t *testing.T) {
	t.Parallel()
	for answer, code := range map[string]string{
		`{"decision":"reject","message":"Sorry, Ada Canary","code":"canary"}`: `"code":"rejected_by_store"`,
		`{"decision":"Ada Canary"}`: `"code":"store_unavailable"`,
	} {
		b := setup(t)
		var log bytes.Buffer
		b.Log = zerolog.New(&log)
		b.reload(asking())
		b.says(func(steps.Message) (steps.Reply, error) { return reply(answer) })
		c := b.command(b.order(plain), "card", "")
		c.Render = renderRefusals(c.Render)
		_, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.Contains(t, log.String(), code)
		require.NotContains(t, strings.ToLower(log.String()), "canary")
	}
}

func TestAShopMayRefuseAPaymentBeforeItBegins(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"card", "invoice"} {
		b := setup(t)
		b.reload(asking())
		b.says(func(steps.Message) (steps.Reply, error) {
			return reply(`{"decision":"reject","message":"not this time"}`)
		})
		o := b.order(plain)
		c := b.command(o, method, "")
		c.Render = renderRefusals(c.Render)
		answer, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, "refused: rejected_by_store", string(answer.Body), method)
		again, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.True(t, again.Replayed)
		require.Equal(t, answer.Body, again.Body)
		o = b.read(o)
		require.Equal(t, payment.OrderPending, o.Saved.Status)
		require.Equal(t, payment.StatusFailed, o.Payments[0].Status)
		require.Empty(t, b.charges(o))

		b.says(func(steps.Message) (steps.Reply, error) {
			return reply(`{"decision":"continue","attributes":{"risk":3}}`)
		})
		_, err = b.pay(o, method, "")
		require.NoError(t, err, "another attempt is allowed")
		o = b.read(o)
		require.NotEqual(t, payment.StatusFailed, o.Payments[1].Status)
		o, err = b.store.ReadOrderWithAttributes(t.Context(), o.Store, o.ID)
		require.NoError(t, err)
		require.JSONEq(t, "3", string(o.Attributes["risk"].Value))
	}
}

// renderRefusals renders what the plain render does not know.
func renderRefusals(render func(moments.Outcome) payment.Reply) func(moments.Outcome) payment.Reply {
	return func(o moments.Outcome) payment.Reply {
		if o.Refusal != nil {
			return payment.Reply{Status: http.StatusUnprocessableEntity, Body: []byte("refused: " + o.Refusal.Code), Final: true}
		}
		return render(o)
	}
}

// While the shop thinks the order is not locked: whatever happens to it then, it
// is charged once.
func TestWhileTheShopThinksNobodyIsChargedTwice(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		meanwhile func(b *bundle, o *payment.Order)
		refused   string
		charges   int
	}{
		"another request pays": {func(b *bundle, o *payment.Order) {
			_, err := b.pay(o, "card", "approve")
			require.NoError(b.t, err)
		}, "order_already_paid", 1},
		"another request sends the shopper to a PSP": {func(b *bundle, o *payment.Order) {
			_, err := b.pay(o, "wallet", "")
			require.NoError(b.t, err)
		}, "payment_in_progress", 0},
		"the order is cancelled": {func(b *bundle, o *payment.Order) {
			_, err := b.CancelOrder(b.t.Context(), moments.CancelCommand{Store: "demo", Order: o.ID, Author: "test", Reason: "no"})
			require.NoError(b.t, err)
		}, "order_not_open", 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.reload(asking())
			o := b.order(plain)
			asked := 0
			b.says(func(steps.Message) (steps.Reply, error) {
				if asked++; asked == 1 {
					c.meanwhile(b, o)
				}
				return reply(`{"decision":"continue"}`)
			})
			command := b.command(o, "card", "approve")
			command.Render = renderRefusals(command.Render)
			answer, err := b.Pay(t.Context(), command)
			require.NoError(t, err)
			require.Equal(t, "refused: "+c.refused, string(answer.Body))
			require.Len(t, b.charges(o), c.charges)
		})
	}
}

func TestNotificationsMayBeTakenFromSomeNetworksOnly(t *testing.T) {
	t.Parallel()
	for networks, taken := range map[string]bool{"203.0.113.0/24": false, "192.0.2.0/24": true} {
		b := setup(t)
		b.reload(with("{confirm: [{insert: ip-range-validation, before: order-path-selector, with: {networks: [" + networks + "]}}]}"))
		o := b.order(plain)
		_, err := b.pay(o, "wallet", "")
		require.NoError(t, err, "our own work has no address")
		b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/notify", `{"event":"paid"}`)
		o = b.read(o)
		require.Equal(t, payment.StatusPaid, o.PaymentStatus(), "what the PSP proved is a fact wherever it came from")
		require.Equal(t, taken, o.Saved.Status == payment.OrderProcessing, networks)
		if !taken {
			b.requireReplayRefused(o)
		}
	}
}

// requireReplayRefused has the kept notification tried again, as the job does.
func (b *bundle) requireReplayRefused(o *payment.Order) {
	b.t.Helper()
	b.clock.advance(time.Hour)
	due, err := b.store.DueNotifications(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 10)
	require.NoError(b.t, err)
	require.Len(b.t, due, 1)
	require.NoError(b.t, b.Replay(b.t.Context(), due[0]))
	require.Equal(b.t, payment.OrderPending, b.read(o).Saved.Status, "waiting does not help")
}

// Settings may leave out the step that begins a payment: the payment ends there,
// and nobody waits for it.
func TestAPaymentThatNoStepBeginsFails(t *testing.T) {
	t.Parallel()
	for method, pipelines := range map[string]string{
		"card":    "{pre-process: [{change: psp-redirect, when: order.total > 1000}]}",
		"invoice": "{internal: [{change: decide-payment, when: order.total > 1000}]}",
	} {
		b := setup(t)
		b.reload(with(pipelines))
		o := b.order(plain)
		c := b.command(o, method, "")
		for range 2 {
			answer, err := b.Pay(t.Context(), c)
			require.Equal(t, "gateway_unavailable", payment.CodeOf(err), "%s: %v", method, answer)
		}
		require.Equal(t, payment.StatusFailed, b.read(o).Payments[0].Status)
		b.reload(with("{}"))
		_, err := b.pay(o, method, "")
		require.NoError(t, err, "another attempt is allowed")
	}
}
