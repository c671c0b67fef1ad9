package stripe

import (
	"net/http"
	"slices"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Stripe's words in ours. A word that is not here is unknown, never a guess.
var (
	// intentStates: an intent whose attempt failed goes back to
	// requires_payment_method and may be tried again, so that is no decline.
	intentStates = map[string]payment.State{
		"requires_payment_method": payment.ActionRequired,
		"requires_confirmation":   payment.ActionRequired,
		"requires_action":         payment.ActionRequired,
		"processing":              payment.Pending,
		"requires_capture":        payment.Approved, // the money is reserved
		"succeeded":               payment.Approved,
		"canceled":                payment.Declined,
	}

	// sessionStates: what became of a session that is complete, its payment_status
	// and its intent say.
	sessionStates = map[string]payment.State{
		"open":     payment.ActionRequired,
		"complete": payment.Pending,
		"expired":  payment.Declined,
	}

	// completeStates are those of a complete session by payment_status. One that
	// is unpaid waits for its bank, or for us to take what is reserved.
	completeStates = map[string]payment.State{
		"paid":                payment.Approved,
		"no_payment_required": payment.Approved,
		"unpaid":              payment.Pending,
	}

	// refundStates: a refund that failed may have been approved before, and what was
	// given back is then with the shop again. Whichever Stripe says first, the end
	// is that it does not count. Only one that never succeeded can be canceled.
	refundStates = map[string]payment.State{
		"pending":         payment.Pending,
		"requires_action": payment.Pending,
		"succeeded":       payment.Approved,
		"failed":          payment.Reversed,
		"canceled":        payment.Declined,
	}

	// disputeStates: while a dispute is open, its balance transactions or the event
	// say whether the money was taken.
	disputeStates = map[string]payment.State{
		"warning_needs_response": payment.Pending, // an inquiry: no money moves
		"warning_under_review":   payment.Pending,
		"warning_closed":         payment.Declined,
		"prevented":              payment.Declined,
		"needs_response":         payment.Pending,
		"under_review":           payment.Pending,
		"lost":                   payment.Approved,
		"won":                    payment.Reversed,
	}
)

func stateIn(states map[string]payment.State, word string) payment.State {
	if state, ok := states[word]; ok {
		return state
	}
	return payment.Unknown
}

// refusal is an answer that proves what became of a request to pay.
type refusal struct {
	status int
	typ    string
	state  payment.State
}

// refusals lists them. Any other error leaves open what Stripe did: above all a
// conflict and an idempotency error, for they speak of another request under the
// same key.
var refusals = []refusal{
	{http.StatusPaymentRequired, "card_error", payment.Declined},
	{http.StatusBadRequest, "invalid_request_error", payment.NotSent},
	{http.StatusUnauthorized, "invalid_request_error", payment.NotSent},
	{http.StatusForbidden, "invalid_request_error", payment.NotSent},
	{http.StatusNotFound, "invalid_request_error", payment.NotSent},
}

// codeKeyInUse comes with several types and statuses, and always of another
// request that is under way.
const codeKeyInUse = "idempotency_key_in_use"

// codeUnexpected is Stripe's word for a payment that is in another state.
const codeUnexpected = "payment_intent_unexpected_state"

// stateRefusals are the codes of operations that Stripe refuses because of the
// state that the payment is in: this very operation may have brought it there.
var stateRefusals = []string{
	codeUnexpected, "intent_invalid_state", "charge_already_captured", "charge_already_refunded", "charge_disputed",
	"charge_expired_for_capture", "charge_not_refundable", "capture_charge_authorization_expired",
	"capture_unauthorized_payment", "refund_disputed_payment", "amount_too_large",
}

func refusalState(status int, e errorDetail) payment.State {
	for _, r := range refusals {
		if r.status == status && r.typ == e.Type && e.Code != codeKeyInUse {
			return r.state
		}
	}
	return payment.Unknown
}

// hardDeclines are the issuers' words for never with this card.
var hardDeclines = []string{
	"do_not_try_again", "expired_card", "fraudulent", "lost_card", "pickup_card", "restricted_card",
	"revocation_of_all_authorizations", "revocation_of_authorization", "stolen_card", "stop_payment_order",
}

// reasonOf returns why. The message of a card error is written for the shopper;
// others may repeat the request, so they are ours and name the parameter only.
func reasonOf(e errorDetail) payment.Reason {
	code, decline, message := e.Code, "", "The payment provider refused the request."
	if code == "" {
		code = e.Type
	}
	if e.Param != "" {
		message = "The payment provider refused the request because of " + e.Param + "."
	}
	if e.Type == "card_error" {
		decline, message = "soft", e.Message
		if e.DeclineCode != "" {
			code = e.DeclineCode
		}
		if slices.Contains(hardDeclines, code) || slices.Contains(hardDeclines, e.AdviceCode) {
			decline = "hard"
		}
	}
	return gateways.PlainReason(code, message, decline)
}
