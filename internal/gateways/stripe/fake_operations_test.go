package stripe_test

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
)

// operate does something with an intent, or refuses it as Stripe does.
func (f *fake) operate(id, verb string, form url.Values) (int, object) {
	p, ok := f.intents[id]
	if !ok {
		return http.StatusNotFound, refusal("invalid_request_error", "resource_missing", "No such payment_intent.")
	}
	amount, _ := strconv.ParseInt(form.Get("amount_to_capture")+form.Get("amount"), 10, 64)
	reserved := p["status"] == "requires_capture"
	switch {
	case verb == "capture" && p["status"] == "succeeded":
		return http.StatusBadRequest, refusal("invalid_request_error", "charge_already_captured", "This charge has already been captured.")
	case verb == "cancel" && (p["status"] == "succeeded" || p["status"] == "canceled" || p["status"] == "processing"),
		verb != "cancel" && !reserved:
		return http.StatusBadRequest, refusal("invalid_request_error", "payment_intent_unexpected_state", "The PaymentIntent is in another state.")
	case verb == "capture" && amount > p["amount_capturable"].(int64):
		return http.StatusBadRequest, refusal("invalid_request_error", "amount_too_large", "More than there is.")
	case verb == "increment_authorization" && f.declines:
		return http.StatusPaymentRequired, object{"error": object{
			"type": "card_error", "code": "card_declined", "decline_code": "insufficient_funds", "message": "Your card has insufficient funds.",
		}}
	}
	for key, value := range metadataOf(form, "metadata") {
		p["metadata"].(object)[key] = value
	}
	switch verb {
	case "cancel":
		f.cancel(p, form.Get("cancellation_reason"))
	case "capture":
		f.take(p, amount)
	case "increment_authorization":
		p["amount"], p["amount_capturable"] = amount, amount
		f.charges[p["latest_charge"].(string)]["amount"] = amount
		f.emit("payment_intent.amount_capturable_updated", p)
	}
	return http.StatusOK, f.show(p, form)
}

func (f *fake) createRefund(form url.Values) (int, object) {
	p, ok := f.intents[form.Get("payment_intent")]
	if !ok {
		return http.StatusNotFound, refusal("invalid_request_error", "resource_missing", "No such payment_intent.")
	}
	c := f.charges[p["latest_charge"].(string)]
	amount, _ := strconv.ParseInt(form.Get("amount"), 10, 64)
	left := c["amount_captured"].(int64) - c["amount_refunded"].(int64)
	switch {
	case left == 0:
		return http.StatusBadRequest, refusal("invalid_request_error", "charge_already_refunded", "Charge has already been refunded.")
	case amount > left:
		return http.StatusBadRequest, refusal("invalid_request_error", "", "Refund amount is greater than unrefunded amount on charge.")
	}
	status, moved := f.refunding, any("txn_1")
	switch status {
	case "":
		status = "succeeded"
	case "requires_action":
		moved = nil
	case "unmoved":
		status, moved = "succeeded", nil
	}
	r := f.addRefund(c, amount, status, moved)
	r["metadata"] = metadataOf(form, "metadata")
	if reason := form.Get("reason"); reason != "" {
		r["reason"] = reason
	}
	c["amount_refunded"] = c["amount_refunded"].(int64) + amount
	f.emit("refund.created", r)
	f.emit("charge.refunded", c)
	return http.StatusOK, f.show(r, form)
}

// listEvents pages through the events of the types, the newest first.
func (f *fake) listEvents(query url.Values) object {
	var types []string
	for name, values := range query {
		if len(name) > 5 && name[:5] == "types" {
			types = append(types, values...)
		}
	}
	events := map[string]object{}
	for _, e := range f.log {
		if slices.Contains(types, e["type"].(string)) {
			events[e["id"].(string)] = e
		}
	}
	return f.list(events, query)
}
