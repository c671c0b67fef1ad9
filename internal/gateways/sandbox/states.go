package sandbox

import (
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
)

// states maps the PSP's states of payments and operations to ours, all of them.
// A word that is not here is unknown, never guessed.
var states = map[string]payment.State{
	"action_required": payment.ActionRequired,
	"pending":         payment.Pending,
	"approved":        payment.Approved,
	"declined":        payment.Declined,
	"cancelled":       payment.Declined,
	"expired":         payment.Declined,
	// A voided payment was approved; that it is given up is an operation of its own.
	"voided": payment.Approved,
}

func stateOf(word string) payment.State {
	if s, ok := states[word]; ok {
		return s
	}
	return payment.Unknown
}

// types maps the PSP's operations to our types of transactions.
var types = map[string]payment.Type{
	"charge":     payment.AuthorizeAndCapture,
	"authorize":  payment.Authorize,
	"capture":    payment.Capture,
	"refund":     payment.Refund,
	"void":       payment.Void,
	"chargeback": payment.Chargeback,
}

// events says for each event that we know what state, and which operation, it
// must be about: of an authorization, "paid" tells that it was captured.
var events = map[string]struct {
	state      payment.State
	operations []payment.Type
}{
	"paid":       {payment.Approved, []payment.Type{payment.AuthorizeAndCapture, payment.Capture}},
	"authorized": {payment.Approved, []payment.Type{payment.Authorize}},
	"captured":   {payment.Approved, []payment.Type{payment.Capture}},
	"refunded":   {payment.Approved, []payment.Type{payment.Refund}},
	"voided":     {payment.Approved, []payment.Type{payment.Void}},
	"chargeback": {payment.Approved, []payment.Type{payment.Chargeback}},
	"failed":     {payment.Declined, nil}, // of any operation
	"cancelled":  {payment.Declined, nil},
	"expired":    {payment.Declined, nil},
}

// contradicts tells whether an event is about something else than its operation.
func contradicts(event string, o operationObject) bool {
	e := events[event]
	return stateOf(o.State) != e.state || e.operations != nil && !slices.Contains(e.operations, types[o.Operation])
}
