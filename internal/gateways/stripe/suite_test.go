package stripe_test

import (
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/paysvc/paysvc/internal/gateways/gatewaytest"
	"github.com/paysvc/paysvc/internal/payment"
)

// suiteOperations say in Stripe's words what the suite wants said of what is done
// with a payment.
func suiteOperations() *gatewaytest.Operations {
	return &gatewaytest.Operations{
		Does: func(r *http.Request) bool {
			return r.Method == http.MethodPost && r.URL.Path != "/v1/checkout/sessions" && r.URL.Path != "/v1/payment_intents"
		},
		Answer:       suiteOperation,
		NotFound:     suiteUndone,
		AlreadyDone:  suiteDoneBefore,
		Notification: suiteEvent,
		Never: map[payment.Type][]payment.State{
			payment.Capture: {payment.Pending}, payment.Authorize: {payment.Pending},
			payment.Void: {payment.Pending, payment.Declined}, // Stripe lets go at once
		},
		// An intent is let go once, whoever asked. Of several increases each has its
		// name: that there is another says nothing.
		Unnamed: []payment.Type{payment.Void, payment.Authorize},
	}
}

func suiteOperation(w http.ResponseWriter, r *http.Request, says gatewaytest.OperationSays) {
	switch path := strings.TrimPrefix(r.URL.Path, "/v1/"); {
	case r.Method == http.MethodPost && says.State == payment.Declined && says.Type != payment.Refund:
		write(w, http.StatusPaymentRequired, object{"error": object{"type": "card_error", "code": "card_declined", "decline_code": "do_not_honor"}})
	case path == "refunds" && r.Method == http.MethodGet:
		named := object{"id": "re_1", "metadata": object{"reference": "01K3SV1TEREFERENCE01"}} // so that what re_1 says counts
		write(w, http.StatusOK, object{"object": "list", "data": []any{named}, "has_more": false, "url": "/v1/refunds"})
	case strings.HasPrefix(path, "refunds"):
		write(w, http.StatusOK, suiteRefund(says, suiteOperated(says)))
	case strings.HasPrefix(path, "checkout/sessions"):
		write(w, http.StatusOK, suiteSession(says.Of))
	default:
		write(w, http.StatusOK, suiteOperated(says))
	}
}

// suiteUndone is a Stripe that knows the payment and nothing that followed.
func suiteUndone(w http.ResponseWriter, r *http.Request, says gatewaytest.OperationSays) {
	if r.URL.Path == "/v1/refunds" {
		write(w, http.StatusOK, object{"object": "list", "data": []any{}, "has_more": false, "url": "/v1/refunds"})
		return
	}
	write(w, http.StatusOK, suiteIntent(says.Of))
}

func suiteDoneBefore(w http.ResponseWriter, _ *http.Request, says gatewaytest.OperationSays) {
	code := map[payment.Type]string{
		payment.Capture: "charge_already_captured", payment.Refund: "charge_already_refunded",
		payment.Void: "payment_intent_unexpected_state", payment.Authorize: "payment_intent_unexpected_state",
	}[says.Type]
	write(w, http.StatusBadRequest, refusal("invalid_request_error", code, "Already done."))
}

func suiteEvent(says gatewaytest.OperationSays, eventID string) []byte {
	intent := suiteOperated(says)
	typ := map[payment.Type]string{
		payment.Capture: "payment_intent.succeeded", payment.Void: "payment_intent.canceled",
		payment.Authorize: "payment_intent.amount_capturable_updated",
	}[says.Type]
	shown := intent
	if says.Type == payment.Refund {
		typ, shown = "refund.created", suiteRefund(says, intent)
		shown["payment_intent"] = intent["id"]
	} else {
		shown["latest_charge"] = "ch_1"
	}
	e := eventBody(eventID, typ, says.Of.Mode == payment.ModeLive, shown)
	return []byte(strings.Replace(string(e), `"idempotency_key":null`, `"idempotency_key":"`+says.Reference+`"`, 1))
}

// suiteOperated is the intent after the operation.
func suiteOperated(says gatewaytest.OperationSays) object {
	if says.Bare {
		return suiteIntent(gatewaytest.Says{Bare: true})
	}
	of := says.Of
	whole, metadata := of.Amount.Minor(), object{"reference": of.Reference, "method": "card"}
	p := suiteIntent(of)
	charge := object{"id": "ch_1", "object": "charge", "status": "succeeded", "captured": of.Capture}
	p["metadata"], p["latest_charge"], p["currency"] = metadata, charge, strings.ToLower(says.Amount.Currency().String())
	for _, done := range append(slices.Clone(says.Before), says) {
		if done.State != payment.Approved {
			p["status"] = map[bool]string{true: "succeeded", false: "canceled"}[of.Capture || says.Type == payment.Refund]
			continue
		}
		minor := done.Amount.Minor()
		switch done.Type { //nolint:exhaustive // what is begun by us
		case payment.Capture:
			p["status"], p["amount_received"], charge["captured"], charge["amount_captured"] = "succeeded", minor, true, minor
			metadata["capture"] = done.Reference
			if whole-minor <= 1 {
				whole = minor // an intent of another amount
			}
		case payment.Void:
			p["status"], p["amount_received"], whole = "canceled", 0, minor
		case payment.Authorize:
			whole += minor
			metadata["increase_"+done.Reference] = strconv.FormatInt(minor, 10)
		case payment.Refund:
			charge["refunds"] = object{"object": "list", "data": []any{suiteRefund(done, nil)}, "has_more": false}
		}
	}
	p["amount"] = whole
	return p
}

// suiteRefund is a refund of the intent.
func suiteRefund(says gatewaytest.OperationSays, intent object) object {
	if says.Bare {
		return object{"id": "re_1", "object": "refund"}
	}
	return object{
		"id": "re_1", "object": "refund", "amount": says.Amount.Minor(), "created": 1772366398,
		"currency": strings.ToLower(says.Amount.Currency().String()), "metadata": object{"reference": says.Reference},
		"status":         map[payment.State]string{payment.Approved: "succeeded", payment.Declined: "failed", payment.Pending: "pending"}[says.State],
		"payment_intent": intent, "failure_reason": nil, "balance_transaction": map[bool]any{true: "txn_1"}[says.State == payment.Approved],
	}
}
