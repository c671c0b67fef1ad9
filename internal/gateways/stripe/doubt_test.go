package stripe_test

import (
	"net/http"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Somebody was faster at the dashboard, and its webhook is still on its way.
func TestDoneAtTheDashboardBefore(t *testing.T) {
	t.Parallel()
	t.Run("captured", func(t *testing.T) {
		t.Parallel()
		s := reserved(t, "card-manual", nil)
		s.stripe.capture(s.intent(), 60_00)
		f := s.do(t, payment.Capture, "100.00")
		require.Equal(t, payment.Declined, f.State)
		require.Equal(t, "charge_already_captured", f.Reason.Code, "by Stripe's word")
		require.Empty(t, f.GatewayReference, "that is of the other one")
		s.requireBooks(t, "100.00", "60.00", "0.00", "40.00")
		require.Equal(t, payment.Declined, s.do(t, payment.Void, "100.00").State)
		s.deliver(t)
		s.requireBooks(t, "100.00", "60.00", "0.00", "40.00")
	})
	t.Run("let go", func(t *testing.T) {
		t.Parallel()
		s := reserved(t, "card-manual", nil)
		s.stripe.cancelAtDashboard(s.intent())
		require.Equal(t, payment.Declined, s.do(t, payment.Capture, "100.00").State)
		s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
		s.deliver(t)
		s.requireBooks(t, "100.00", "0.00", "0.00", "100.00")
	})
	t.Run("refunded", func(t *testing.T) {
		t.Parallel()
		s := reserved(t, "card", nil)
		s.stripe.refund(s.intent(), 100_00, "succeeded")
		f := s.do(t, payment.Refund, "10.00")
		require.Equal(t, payment.Declined, f.State)
		require.Equal(t, "charge_already_refunded", f.Reason.Code)
		s.deliver(t)
		s.requireBooks(t, "100.00", "100.00", "100.00", "0.00")
	})
	t.Run("and Stripe cannot be asked", func(t *testing.T) {
		t.Parallel()
		s := reserved(t, "card-manual", nil)
		s.stripe.capture(s.intent(), 60_00)
		s.stripe.lost["GET /v1/payment_intents/"+s.intent()] = true
		f := s.do(t, payment.Capture, "100.00")
		require.Equal(t, payment.Unknown, f.State)
		require.Equal(t, "charge_already_captured", f.Reason.Code)
	})
}

// What Stripe answers must show what was asked for, or Stripe is asked once more.
func TestAnswersThatDoNotShowWhatWasDone(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		typ    payment.Type
		change func(p object)
		state  payment.State
	}{
		"captured, but canceled":          {payment.Capture, func(p object) { p["status"] = "canceled" }, payment.Approved},
		"captured, but still reserved":    {payment.Capture, func(p object) { p["status"] = "requires_capture" }, payment.Approved},
		"captured, but in other words":    {payment.Capture, func(p object) { p["status"] = "processing" }, payment.Unknown},
		"let go, without the charge":      {payment.Void, func(p object) { p["latest_charge"] = "ch_1" }, payment.Approved},
		"let go, as if nothing was there": {payment.Void, func(p object) { p["latest_charge"] = nil }, payment.Approved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := reserved(t, "card-manual", nil)
			s.gateway = open(t, carrier(func(r *http.Request) (*http.Response, error) {
				resp, err := s.stripe.RoundTrip(r)
				if r.Method != http.MethodPost {
					return resp, err
				}
				var p object
				require.NoError(t, json.UnmarshalRead(resp.Body, &p))
				c.change(p)
				return says{http.StatusOK, string(encode(p))}.RoundTrip(r)
			}), nil)
			f := s.do(t, c.typ, "100.00")
			require.Equal(t, c.state, f.State)
			s.gateway = open(t, s.stripe, nil)
			s.deliver(t)
			_, tx := s.order.TransactionByReference(f.Reference)
			require.Equal(t, payment.Approved, tx.State)
			require.Empty(t, s.order.Review)
		})
	}
}

func TestOperationOfAPaymentThatStripeDoesNotName(t *testing.T) {
	t.Parallel()
	s := reserved(t, "checkout-manual", nil)
	s.stripe.lost["GET /v1/checkout/sessions/"+s.payment.Initial().GatewayReference] = true
	f := s.do(t, payment.Capture, "100.00")
	require.Equal(t, payment.NotSent, f.State, "only a question got lost")
	delete(s.stripe.lost, "GET /v1/checkout/sessions/"+s.payment.Initial().GatewayReference)
	require.Equal(t, payment.Approved, s.do(t, payment.Capture, "100.00").State)
}

// A canceled intent tells only with its charge whether anything was let go.
func TestVoidOfWhichTheChargeIsNeverShown(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	r := s.plan(t, payment.Void, "100.00")
	s.ask(t, r)
	s.stripe.checked = func(map[string]any) {}
	s.gateway = open(t, carrier(func(req *http.Request) (*http.Response, error) {
		p := copied(s.stripe.intents[s.intent()])
		p["latest_charge"] = "ch_1"
		return says{http.StatusOK, string(encode(p))}.RoundTrip(req)
	}), nil)
	_, err := s.became(t, r)
	require.Equal(t, payment.KindUnavailable, payment.KindOf(err), "nothing was learnt")
}

func TestOperationOfAPaymentThatStripeNoLongerKnows(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	s.payment.Initial().GatewayReference, s.stripe.intents = "", map[string]object{}
	for _, typ := range []payment.Type{payment.Capture, payment.Refund} {
		r := s.plan(t, typ, "100.00")
		_, err := s.became(t, r)
		require.Error(t, err)
		require.NotErrorIs(t, err, gateways.ErrNotFound, "that says more about our key than about the operation")
		require.Equal(t, payment.NotSent, s.ask(t, r)[0].State)
	}
}

func TestOperationOfAPaymentThatOnlyItsReferenceNames(t *testing.T) {
	t.Parallel()
	s := reserved(t, "card-manual", nil)
	s.payment.Initial().GatewayReference = ""
	require.Equal(t, payment.Approved, s.do(t, payment.Capture, "100.00").State)
}
