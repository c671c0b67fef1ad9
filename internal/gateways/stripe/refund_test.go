package stripe_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestRefunds(t *testing.T) {
	t.Parallel()
	s := reserved(t, "checkout", nil)
	first := s.plan(t, payment.Refund, "30.00")
	first.Reason = "duplicate"
	facts := s.ask(t, first)
	s.record(t, facts...)
	second := s.plan(t, payment.Refund, "30.00")
	second.Reason = "The lamp is broken."
	s.record(t, s.ask(t, second)...)
	s.requireBooks(t, "100.00", "100.00", "60.00", "0.00")
	require.NotEqual(t, facts[0].GatewayReference, s.payment.Transactions[2].GatewayReference)
	require.Contains(t, s.stripe.keys, first.Reference, "our reference is the key of the request")
	made := s.stripe.refunds[facts[0].GatewayReference]
	require.Equal(t, object{"reference": first.Reference}, made["metadata"])
	require.Equal(t, "duplicate", made["reason"])
	made = s.stripe.refunds[s.payment.Transactions[2].GatewayReference]
	require.Equal(t, object{"reference": second.Reference, "reason": "The lamp is broken."}, made["metadata"], "a word that Stripe would refuse")
	require.Nil(t, made["reason"])

	s.stripe.refund(s.intent(), 10_00, "succeeded")
	s.deliver(t)
	s.requireBooks(t, "100.00", "100.00", "70.00", "0.00")
	require.Len(t, s.payment.Transactions, 4, "ours, the webhook knew already")
	require.Empty(t, s.payment.Transactions[3].Reference, "somebody gave it back at the dashboard")
}

func TestWhatBecomesOfARefund(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		begins  string
		then    string
		state   payment.State
		review  payment.CaseKind
		pending payment.State
	}{
		"pending, succeeds":           {"pending", "succeeded", payment.Approved, "", payment.Pending},
		"succeeded, fails":            {"succeeded", "failed", payment.Reversed, payment.CaseReversed, payment.Approved},
		"left the account, fails":     {"pending", "failed", payment.Reversed, payment.CaseReversed, payment.Pending},
		"never left the account":      {"requires_action", "failed", payment.Declined, "", payment.Pending},
		"canceled by the shop":        {"requires_action", "canceled", payment.Declined, "", payment.Pending},
		"a word that nobody ever saw": {"pondering", "succeeded", payment.Approved, "", payment.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := reserved(t, "card", nil)
			s.stripe.refunding = c.begins
			r := s.plan(t, payment.Refund, "30.00")
			s.record(t, s.ask(t, r)...)
			_, tx := s.order.TransactionByReference(r.Reference)
			require.Equal(t, c.pending, tx.State)
			s.stripe.events = nil
			s.stripe.settle(s.intent(), c.then)
			s.deliver(t)
			require.Equal(t, c.state, tx.State)
			require.Equal(t, c.review, s.order.Review)
			found, err := s.became(t, r)
			require.NoError(t, err)
			require.Equal(t, c.state, found[0].State)
			require.Len(t, s.payment.Transactions, 2)
		})
	}
}

func TestRefundOfWhatAPartialCaptureTook(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	s.do(t, payment.Capture, "50.00")
	s.stripe.refunding = "unmoved"
	r := s.plan(t, payment.Refund, "50.00") // as much as Stripe let go of, and looking alike
	require.Equal(t, payment.Approved, s.ask(t, r)[0].State)
	s.deliver(t)
	s.requireBooks(t, "100.00", "50.00", "50.00", "50.00")
}
