package stripe_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// says is a Stripe that always answers the same.
type says struct {
	status int
	body   string
}

// RoundTrip implements http.RoundTripper.
func (s says) RoundTrip(*http.Request) (*http.Response, error) {
	w := httptest.NewRecorder()
	w.WriteHeader(s.status)
	_, _ = w.WriteString(s.body)
	return w.Result(), nil
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		says
		state  payment.State
		reason payment.Reason
	}{
		"declined, try later": {
			says{402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"insufficient_funds","message":"Your card has insufficient funds."}}`},
			payment.Declined, payment.Reason{Code: "insufficient_funds", Message: "Your card has insufficient funds.", Decline: "soft"},
		},
		"declined for good": {
			says{402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"stolen_card","message":"No."}}`},
			payment.Declined, payment.Reason{Code: "stolen_card", Message: "No.", Decline: "hard"},
		},
		"declined by advice": {
			says{402, `{"error":{"type":"card_error","code":"card_declined","decline_code":"generic_decline","advice_code":"do_not_try_again","message":"No."}}`},
			payment.Declined, payment.Reason{Code: "generic_decline", Message: "No.", Decline: "hard"},
		},
		"declined without a word": {
			says{402, `{"error":{"type":"card_error","code":"incorrect_cvc"}}`},
			payment.Declined, payment.Reason{Code: "incorrect_cvc", Decline: "soft"},
		},
		"our request is wrong": {
			says{400, `{"error":{"type":"invalid_request_error","code":"parameter_unknown","param":"amount","message":"Received canary"}}`},
			payment.NotSent, payment.Reason{Code: "parameter_unknown", Message: "The payment provider refused the request because of amount."},
		},
		"our key is wrong": {
			says{401, `{"error":{"type":"invalid_request_error","message":"Invalid API Key provided: canary"}}`},
			payment.NotSent, payment.Reason{Code: "invalid_request_error", Message: "The payment provider refused the request."},
		},
		"our key may not": {says{403, `{"error":{"type":"invalid_request_error","code":"x"}}`}, payment.NotSent, payment.Reason{Code: "x", Message: "The payment provider refused the request."}},
		"no such setting": {says{404, `{"error":{"type":"invalid_request_error","code":"resource_missing"}}`}, payment.NotSent, payment.Reason{Code: "resource_missing", Message: "The payment provider refused the request."}},
		"the key is under way": {
			says{409, `{"error":{"type":"invalid_request_error","code":"idempotency_key_in_use","message":"canary"}}`},
			payment.Unknown, payment.Reason{Code: "idempotency_key_in_use", Message: "The payment provider refused the request."},
		},
		"the key is under way, it says with 400": {
			says{400, `{"error":{"type":"invalid_request_error","code":"idempotency_key_in_use"}}`},
			payment.Unknown, payment.Reason{Code: "idempotency_key_in_use", Message: "The payment provider refused the request."},
		},
		"the key was used otherwise": {
			says{400, `{"error":{"type":"idempotency_error","message":"canary"}}`},
			payment.Unknown, payment.Reason{Code: "idempotency_error", Message: "The payment provider refused the request."},
		},
		"locked":         {says{409, `{"error":{"type":"invalid_request_error","code":"lock_timeout"}}`}, payment.Unknown, payment.Reason{Code: "lock_timeout", Message: "The payment provider refused the request."}},
		"too much":       {says{429, `{"error":{"type":"invalid_request_error","code":"rate_limit"}}`}, payment.NotSent, payment.Reason{Code: "throttled", Message: "The payment provider accepts no more requests for now."}},
		"Stripe fails":   {says{500, `{"error":{"type":"api_error"}}`}, payment.Unknown, payment.Reason{Code: "psp_error_5xx", Message: "The payment provider reported an error of its own."}},
		"half an answer": {says{402, `{"error":{}}`}, payment.Unknown, payment.Reason{Code: "unreadable_answer", Message: "The payment provider's answer could not be read."}},
		"a card error that is none": {
			says{400, `{"error":{"type":"card_error","code":"card_declined"}}`},
			payment.Unknown, payment.Reason{Code: "card_declined", Decline: "soft"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, "card")
			f := open(t, c.says, nil).Pay(t.Context(), s.request)
			require.Equal(t, c.state, f.State)
			require.Equal(t, c.reason, f.Reason)
			require.Equal(t, s.reference, f.Reference)
		})
	}
}

func TestRequestsAskForNothingElse(t *testing.T) {
	t.Parallel()
	var sent []*http.Request
	s := newShop(t, "checkout")
	g := open(t, carrier(func(r *http.Request) (*http.Response, error) {
		sent = append(sent, r)
		return s.stripe.RoundTrip(r)
	}), nil)
	g.Pay(t.Context(), s.request)
	require.Len(t, sent, 1)
	header := sent[0].Header
	require.Equal(t, s.reference, header.Get("Idempotency-Key"))
	require.Equal(t, "Bearer sk_test_1", header.Get("Authorization"))
	require.NotEmpty(t, header.Get("Stripe-Version"), "the account's default may be another")
	require.Equal(t, "paysvc", header.Get("User-Agent"))
	for name := range header {
		require.False(t, strings.HasPrefix(name, "X-Stripe"), "%s describes the machine", name)
	}
	require.Equal(t, "https://api.stripe.com/v1/checkout/sessions", sent[0].URL.String())
}

type carrier func(*http.Request) (*http.Response, error)

// RoundTrip implements http.RoundTripper.
func (c carrier) RoundTrip(r *http.Request) (*http.Response, error) { return c(r) }
