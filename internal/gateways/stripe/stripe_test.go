package stripe_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/gatewaytest"
	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// publishableKey goes with every test key.
const publishableKey = "pk_test_51Paysvc"

func TestConformance(t *testing.T) {
	t.Parallel()
	psp := &suitePSP{absent: map[string]bool{}}
	gatewaytest.Run(t, gatewaytest.Harness{
		Name: stripe.Name,
		Open: func(d gateways.Deps, s gatewaytest.Settings) (gateways.Gateway, error) {
			return stripe.New(stripe.Config{
				BaseURL: s.BaseURL, SecretKey: "sk_test_" + s.APIKey, PublishableKey: publishableKey,
				WebhookSecrets: s.WebhookSecrets, Timeout: s.Timeout, IncrementalAuthorization: true,
			}, d)
		},
		PSP: &gatewaytest.PSP{
			Pays: func(r *http.Request) bool {
				return r.Method == http.MethodPost && (r.URL.Path == "/v1/checkout/sessions" || r.URL.Path == "/v1/payment_intents")
			},
			Answer:   psp.answer,
			NotFound: psp.notFound,
			Notification: func(says gatewaytest.Says, eventID string) []byte {
				typ := map[payment.State]string{
					payment.Approved: "payment_intent.succeeded", payment.Declined: "payment_intent.canceled",
				}[says.State]
				return eventBody(eventID, typ, says.Mode == payment.ModeLive, suiteIntent(says))
			},
			UnknownEvent: func(eventID string) []byte {
				return eventBody(eventID, "customer.created", false, map[string]any{"id": "cus_1", "object": "customer"})
			},
			Sign: signed, SignedHeaders: []string{"Stripe-Signature"}, Tolerance: 300 * time.Second,
			NamesNoAccount: true, // but for connected accounts
			Operations:     suiteOperations(),
		},
	})
}

// suitePSP says what the suite wants said. An inquiry that finds nothing takes
// several requests; the suite counts requests, so that what one inquiry does not
// find in the index stays absent from its lists.
type suitePSP struct {
	mu     sync.Mutex
	absent map[string]bool // by server
}

const searchPath = "/v1/payment_intents/search"

func (p *suitePSP) isAbsent(r *http.Request) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if r.URL.Path == searchPath {
		delete(p.absent, r.Host)
	}
	return p.absent[r.Host]
}

func (p *suitePSP) notFound(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	p.absent[r.Host] = true
	p.mu.Unlock()
	write(w, http.StatusOK, map[string]any{"object": listWord(r), "data": []any{}, "has_more": false, "url": r.URL.Path})
}

func (p *suitePSP) answer(w http.ResponseWriter, r *http.Request, says gatewaytest.Says) {
	if p.isAbsent(r) {
		p.notFound(w, r)
		return
	}
	object := suiteIntent(says)
	if strings.HasPrefix(r.URL.Path, "/v1/checkout/sessions") {
		object = suiteSession(says)
	}
	lists := r.Method == http.MethodGet && !strings.Contains(r.URL.Path, "/pi_") && !strings.Contains(r.URL.Path, "/cs_")
	if lists {
		object = map[string]any{"object": listWord(r), "data": []any{object}, "has_more": false, "url": r.URL.Path}
	}
	write(w, http.StatusOK, object)
}

func listWord(r *http.Request) string {
	if r.URL.Path == searchPath {
		return "search_result"
	}
	return "list"
}

func suiteIntent(says gatewaytest.Says) map[string]any {
	if says.Bare {
		return map[string]any{"id": "pi_1", "object": "payment_intent"}
	}
	status := map[payment.State]string{
		payment.Approved: "succeeded", payment.Declined: "canceled", payment.Pending: "processing",
		payment.ActionRequired: "requires_payment_method",
	}[says.State]
	capture := "automatic"
	if !says.Capture {
		capture = "manual"
		if status == "succeeded" {
			status = "requires_capture"
		}
	}
	minor := says.Amount.Minor()
	return map[string]any{
		"id": "pi_1", "object": "payment_intent", "amount": minor, "amount_received": minor,
		"currency": strings.ToLower(says.Amount.Currency().String()), "livemode": says.Mode == payment.ModeLive,
		"status": status, "capture_method": capture, "client_secret": "pi_1_secret_2", "latest_charge": nil,
		"metadata": map[string]string{"reference": says.Reference, "method": "card"},
	}
}

func suiteSession(says gatewaytest.Says) map[string]any {
	if says.Bare {
		return map[string]any{"id": "cs_test_1", "object": "checkout.session"}
	}
	status := map[payment.State]string{
		payment.Approved: "complete", payment.Declined: "expired", payment.Pending: "complete", payment.ActionRequired: "open",
	}[says.State]
	paid := map[bool]string{true: "paid", false: "unpaid"}[says.State == payment.Approved && says.Capture]
	s := map[string]any{
		"id": "cs_test_1", "object": "checkout.session", "client_reference_id": says.Reference, "status": status,
		"payment_status": paid, "amount_total": says.Amount.Minor(), "livemode": says.Mode == payment.ModeLive,
		"currency": strings.ToLower(says.Amount.Currency().String()), "url": "https://checkout.stripe.com/c/pay/1",
	}
	if status == "complete" {
		s["payment_intent"] = suiteIntent(says)
	}
	return s
}

// eventBody is an event as Stripe writes it.
func eventBody(id, typ string, live bool, object any) []byte {
	return encode(map[string]any{
		"id": id, "object": "event", "api_version": "2020-08-27", "created": 1772366398, "livemode": live,
		"pending_webhooks": 1, "request": map[string]any{"id": "req_1", "idempotency_key": nil}, "type": typ,
		"data": map[string]any{"object": object},
	})
}

// signed wraps a body as Stripe does.
func signed(body []byte, secret gateways.Secret, at time.Time) payment.RawNotification {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(t + "." + string(body)))
	return payment.RawNotification{Method: http.MethodPost, Body: body, Headers: map[string][]string{
		"Stripe-Signature": {"t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))},
	}}
}

func write(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(encode(body))
}

func encode(v any) []byte {
	b, err := json.Marshal(v, json.Deterministic(true))
	if err != nil {
		panic(err) // maps of the tests' own
	}
	return b
}
