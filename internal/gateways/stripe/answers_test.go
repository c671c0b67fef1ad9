package stripe_test

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// Answers that Stripe once gave, to others; only the names in them are ours.
func TestAnswersOfTheVectors(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		file, intent string
		status       int
		typ          payment.Type
		state        payment.State
		amount, rest string
		reason       string
	}{
		{"successful_capture_response", "pi_1F1xauAWOtgoysogIfHO8jGi", 200, payment.Capture, payment.Approved, "20.20", "", ""},
		{"successful_capture_with_multicapture", "", 200, payment.Capture, payment.Approved, "70.00", "30.00", ""},
		{"successful_void_response", "pi_1F1yBVAWOtgoysogearamRvl", 200, payment.Void, payment.Approved, "20.20", "", "requested_by_customer"},
		{"failed_capture_response", "pi_1", 402, payment.Capture, payment.Declined, "", "", "generic_decline"},
		{"failed_service_response", "pi_1", 500, payment.Capture, payment.Unknown, "", "", "psp_error_5xx"},
		{"failed_service_response", "pi_1", 400, payment.Refund, payment.Unknown, "", "", "api_error"},
		{"failed_cancel_response", "pi_1", 400, payment.Void, payment.Unknown, "", "", "payment_intent_unexpected_state"}, // and Stripe can't be asked
	} {
		t.Run(c.file, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, "card-manual")
			raw, err := os.ReadFile(filepath.Join(vectors(t), "activemerchant_json", c.file+".json"))
			require.NoError(t, err)
			var answer object
			require.NoError(t, json.Unmarshal(raw, &answer))
			if c.intent == "" {
				c.intent = answer["id"].(string)
			}
			s.payment.Initial().GatewayReference = c.intent
			r := s.plan(t, c.typ, "20.20")
			answer["livemode"], answer["currency"] = false, "gbp" // one was cut short
			answer["metadata"] = object{"reference": s.reference, "capture": r.Reference}
			s.gateway = open(t, carrier(func(req *http.Request) (*http.Response, error) {
				if req.Method != http.MethodPost {
					return says{500, ""}.RoundTrip(req)
				}
				return says{c.status, string(encode(answer))}.RoundTrip(req)
			}), nil)
			facts := s.ask(t, r)
			require.Equal(t, c.state, facts[0].State)
			require.Equal(t, c.reason, facts[0].Reason.Code)
			if c.amount != "" {
				require.Equal(t, c.amount, facts[0].Amount.String())
				require.Equal(t, c.intent, facts[0].GatewayReference)
			}
			if c.rest != "" {
				require.Equal(t, payment.Void, facts[1].Type)
				require.Equal(t, r.Reference, facts[1].Reference)
				require.Equal(t, c.rest, facts[1].Amount.String())
			}
		})
	}
}
