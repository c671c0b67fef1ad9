package sandbox_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"go.uber.org/goleak"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/gatewaytest"
	"github.com/paysvc/paysvc/internal/gateways/sandbox"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// theirAccount is the PSP's name of the account; ours is another.
const theirAccount = "acct-77"

func TestConformance(t *testing.T) {
	t.Parallel()
	gatewaytest.Run(t, gatewaytest.Harness{
		Name: sandbox.Name,
		Open: func(d gateways.Deps, s gatewaytest.Settings) (gateways.Gateway, error) {
			return sandbox.New(sandbox.Config{
				BaseURL: s.BaseURL, Account: theirAccount, APIKey: s.APIKey,
				WebhookSecrets: s.WebhookSecrets, Timeout: s.Timeout,
			}, d)
		},
		PSP: &gatewaytest.PSP{
			Pays:   func(r *http.Request) bool { return r.Method == http.MethodPost && r.URL.Path == "/sandbox/v1/payments" },
			Answer: answer,
			NotFound: func(w http.ResponseWriter, _ *http.Request) {
				write(w, http.StatusNotFound, map[string]any{"error": map[string]any{"code": "not_found", "message": "No such payment."}})
			},
			Notification: func(says gatewaytest.Says, eventID string) []byte {
				object := object(says)
				event := map[payment.State]string{payment.Approved: "paid", payment.Declined: "failed"}[says.State]
				return encode(map[string]any{
					"id": eventID, "event": event, "created": "2026-03-01T11:59:58Z", "version": 2,
					"payment": object, "operation": object["operations"].([]map[string]any)[0],
				})
			},
			UnknownEvent: func(eventID string) []byte {
				return encode(map[string]any{"id": eventID, "event": "dispute_opened", "created": "2026-03-01T11:59:58Z"})
			},
			Sign: sign, SignedHeaders: []string{"Sandbox-Signature"}, Tolerance: 300 * time.Second,
			Operations: operations(),
		},
	})
}

// answer speaks the protocol as internal/sandbox documents it.
func answer(w http.ResponseWriter, r *http.Request, says gatewaytest.Says) {
	object := object(says)
	switch {
	case says.Bare:
		write(w, http.StatusOK, map[string]any{"id": object["id"], "state": object["state"]})
	case r.Method == http.MethodPost && r.URL.Path != "/sandbox/v1/payments" && says.State == payment.Approved:
		write(w, http.StatusConflict, map[string]any{
			"error": map[string]any{"code": "already_paid", "message": "The payment was made."}, "payment": object,
		})
	default:
		write(w, http.StatusOK, object)
	}
}

// object is a payment in the PSP's words.
func object(says gatewaytest.Says) map[string]any {
	account := says.Account
	if account == "" {
		account = theirAccount
	}
	kind := "authorize"
	if says.Capture {
		kind = "charge"
	}
	var reason any
	if says.State == payment.Declined {
		reason = map[string]any{"code": "insufficient_funds", "message": "Not enough money.", "decline": "soft"}
	}
	amount, currency := says.Amount.String(), says.Amount.Currency().String()
	o := map[string]any{
		"id": "sbx_1", "reference": says.Reference, "account": account, "mode": string(says.Mode), "amount": amount,
		"currency": currency, "operation": kind, "state": string(says.State), "reason": reason, "version": 1,
		"operations": []map[string]any{{
			"id": "sbo_1", "operation": kind, "reference": says.Reference, "amount": amount, "currency": currency,
			"state": string(says.State), "reason": reason,
		}},
	}
	if says.State == payment.ActionRequired {
		o["redirect_url"] = "https://psp.example/pay/1"
	}
	return o
}

func sign(body []byte, secret gateways.Secret, at time.Time) payment.RawNotification {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret.Reveal()))
	mac.Write([]byte(t + "." + string(body)))
	return payment.RawNotification{Method: http.MethodPost, Body: body, Headers: map[string][]string{
		"Sandbox-Signature": {"t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))},
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
		panic(err) // maps of the test's own
	}
	return b
}
