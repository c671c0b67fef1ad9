package stripe_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestIncrease(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", func(c *stripe.Config) { c.IncrementalAuthorization = true })
	first := s.do(t, payment.Authorize, "20.00")
	require.Equal(t, payment.Approved, first.State)
	second := s.do(t, payment.Authorize, "5.00")
	require.NotEqual(t, first.GatewayReference, second.GatewayReference)
	require.EqualValues(t, 125_00, s.stripe.intents[s.intent()]["amount"])
	s.requireBooks(t, "125.00", "0.00", "0.00", "0.00")
	s.deliver(t)
	_, err := s.inquire(t)
	require.NoError(t, err)
	s.requireBooks(t, "125.00", "0.00", "0.00", "0.00")

	s.stripe.declines = true
	declined := s.do(t, payment.Authorize, "7.00")
	require.Equal(t, payment.Declined, declined.State)
	require.Equal(t, "insufficient_funds", declined.Reason.Code)
	s.do(t, payment.Capture, "110.00")
	s.deliver(t)
	s.requireBooks(t, "125.00", "110.00", "0.00", "15.00")
	require.Len(t, s.payment.Transactions, 6)
}

func TestOneIncreaseAtATime(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	s.plan(t, payment.Authorize, "20.00")
	s.stripe.requests = nil
	f := s.do(t, payment.Authorize, "5.00")
	require.Equal(t, payment.NotSent, f.State)
	require.Equal(t, "increase_under_way", f.Reason.Code)
	require.Empty(t, s.stripe.requests)
}

func TestStripeIsToldBeforeThatMoreMayBeReserved(t *testing.T) {
	t.Parallel()
	for _, asked := range []bool{true, false} {
		for _, method := range []string{"card", "card-manual", "checkout-manual"} {
			s := newShop(t, method)
			s.gateway = open(t, s.stripe, func(c *stripe.Config) { c.IncrementalAuthorization = asked })
			s.pay(t)
			want := asked && method != "card"
			require.Equal(t, want, s.gateway.Describe().Methods[method].Capabilities.Increase)
			told := slices.ContainsFunc(s.stripe.forms, func(form string) bool {
				return form == "payment_method_options[card][request_incremental_authorization]=if_available"
			})
			require.Equal(t, want, told, method)
		}
	}
}
