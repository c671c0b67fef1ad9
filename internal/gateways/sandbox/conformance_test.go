package sandbox_test

import (
	"net/http"
	"strings"

	"github.com/paysvc/paysvc/internal/gateways/gatewaytest"
	"github.com/paysvc/paysvc/internal/payment"
)

// operations speak of what follows a payment as internal/sandbox documents it.
func operations() *gatewaytest.Operations {
	return &gatewaytest.Operations{
		Does: func(r *http.Request) bool {
			return r.Method == http.MethodPost && strings.HasPrefix(r.URL.Path, "/sandbox/v1/payments/")
		},
		Answer: func(w http.ResponseWriter, _ *http.Request, says gatewaytest.OperationSays) {
			if says.Bare {
				write(w, http.StatusOK, map[string]any{"operation": map[string]any{"id": "sbo_2", "state": string(says.State)}})
				return
			}
			all := operated(says)
			write(w, http.StatusOK, map[string]any{"operation": all[len(says.Before)+1], "payment": operatedPayment(says)})
		},
		NotFound: func(w http.ResponseWriter, _ *http.Request, _ gatewaytest.OperationSays) {
			write(w, http.StatusNotFound, map[string]any{"error": map[string]any{"code": "not_found", "message": "No such operation."}})
		},
		AlreadyDone: func(w http.ResponseWriter, _ *http.Request, says gatewaytest.OperationSays) {
			write(w, http.StatusConflict, map[string]any{
				"error": map[string]any{"code": "not_allowed", "message": "Nothing is left."}, "payment": operatedPayment(says),
			})
		},
		Notification: func(says gatewaytest.OperationSays, eventID string) []byte {
			return encode(map[string]any{
				"id": eventID, "event": eventOf(says), "created": "2026-03-01T11:59:58Z", "version": 3,
				"payment": operatedPayment(says), "operation": operated(says)[len(says.Before)+1],
			})
		},
	}
}

func eventOf(says gatewaytest.OperationSays) string {
	if says.State == payment.Declined {
		return "failed"
	}
	return map[payment.Type]string{
		payment.Authorize: "increased", payment.Capture: "captured", payment.Refund: "refunded", payment.Void: "voided",
	}[says.Type]
}

// operatedPayment is the payment after the operation, in the PSP's words.
func operatedPayment(says gatewaytest.OperationSays) map[string]any {
	o := object(says.Of)
	o["operations"] = operated(says)
	return o
}

// operated are the operations of the payment, oldest first.
func operated(says gatewaytest.OperationSays) []map[string]any {
	all := object(says.Of)["operations"].([]map[string]any)
	for _, before := range append(says.Before, says) {
		all = append(all, operationObject(before))
	}
	rest := says.Of.Amount.Minor() - says.Amount.Minor()
	if says.Final && says.State == payment.Approved && rest > 0 {
		all = append(all, map[string]any{
			"id": "sbo_void", "operation": "void", "reference": "sbo_void", "parent": says.Reference,
			"amount": payment.FromMinor(rest, says.Amount.Currency()).String(), "currency": says.Amount.Currency().String(),
			"state": "approved", "at": "2026-03-01T11:59:58Z",
		})
	}
	return all
}

func operationObject(says gatewaytest.OperationSays) map[string]any {
	word := map[payment.Type]string{
		payment.Authorize: "increase", payment.Capture: "capture", payment.Refund: "refund", payment.Void: "void",
	}[says.Type]
	var reason any
	if says.State == payment.Declined {
		reason = map[string]any{"code": "do_not_honor", "message": "No.", "decline": "soft"}
	}
	return map[string]any{
		"id": "sbo_" + word, "operation": word, "reference": says.Reference, "amount": says.Amount.String(),
		"currency": says.Amount.Currency().String(), "state": string(says.State), "reason": reason, "at": "2026-03-01T11:59:58Z",
	}
}
