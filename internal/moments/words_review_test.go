package moments_test

import (
	"bytes"
	"net/netip"
	"strings"
	"testing"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// A shop's program may refuse that money is given back, too, and name its customer.
func TestWhatAShopSaysAgainstARefundIsNotLogged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var log bytes.Buffer
	b.Log = zerolog.New(&log)
	b.reload(askingIn("refund", "before: psp-refund"))
	o := b.order()
	_, err := b.pay(o, "card", "")
	require.NoError(t, err)
	b.says(func(steps.Message) (steps.Reply, error) {
		return reply(`{"decision":"reject","message":"Not to Ada Canary","code":"canary"}`)
	})
	_, err = b.CancelOrder(t.Context(), moments.CancelCommand{
		Store: "demo", Order: o.ID, Author: "till", Reason: "Ada Canary called.", Release: "refund", Actor: "key_1",
	})
	require.NoError(t, err)
	err = b.Release(t.Context(), "demo", payment.PaymentID{Order: o.ID, N: 1})
	require.Error(t, err)
	require.NotContains(t, strings.ToLower(err.Error()), "canary", "a job logs it")
	require.Contains(t, log.String(), "could not be given back")
	require.NotContains(t, strings.ToLower(log.String()), "canary")
}

// Nor is what it says against what an inquiry has learnt.
func TestWhatAShopSaysAgainstAnInquiryIsNotLogged(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var log bytes.Buffer
	b.Log = zerolog.New(&log)
	b.reload(askingIn("confirm", "before: order-path-selector"))
	b.willing()
	o := b.order()
	_, err := b.pay(o, "card", "timeout_after_charge")
	require.NoError(t, err)
	b.unwilling()
	b.LookedAt("demo", o.ID)(t.Context())
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
	require.NotEmpty(t, log.String())
	require.NotContains(t, strings.ToLower(log.String()), "canary")

	b.willing()
	other := b.order()
	_, err = b.pay(other, "card", "timeout_after_charge")
	require.NoError(t, err)
	b.unwilling()
	if err := b.Inquire(t.Context(), "demo", b.id(other)); err != nil {
		require.NotContains(t, strings.ToLower(err.Error()), "canary", "a job logs it")
	}
	_, err = b.Submit(t.Context(), b.read(other), netip.Addr{})
	require.NoError(t, err)
	require.NotContains(t, strings.ToLower(log.String()), "canary")
}
