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
	"voided":   payment.Approved,
	"reversed": payment.Reversed,
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
	"increase":   payment.Authorize, // of more
	"capture":    payment.Capture,
	"refund":     payment.Refund,
	"void":       payment.Void,
	"chargeback": payment.Chargeback,
}

// events says for each event that we know what it may be about: which state of
// which operations. Of an authorization, "paid" tells that it was captured, and
// "expired" that what was left of it is released.
var events = map[string]map[payment.State][]string{
	"paid":                {payment.Approved: {"charge", "capture"}},
	"authorized":          {payment.Approved: {"authorize"}},
	"increased":           {payment.Approved: {"increase"}},
	"captured":            {payment.Approved: {"capture"}},
	"refunded":            {payment.Approved: {"refund"}},
	"voided":              {payment.Approved: {"void"}},
	"chargeback":          {payment.Approved: {"chargeback"}},
	"refund_reversed":     {payment.Reversed: {"refund"}},
	"refund_failed":       {payment.Reversed: {"refund"}, payment.Declined: {"refund"}},
	"chargeback_reversed": {payment.Reversed: {"chargeback"}},
	"failed":              {payment.Declined: nil}, // of any operation
	"cancelled":           {payment.Declined: nil},
	"expired":             {payment.Declined: nil, payment.Approved: {"void"}},
}

// contradicts tells whether an event is about something else than its operation.
func contradicts(event string, o operationObject) bool {
	operations, right := events[event][stateOf(o.State)]
	return !right || operations != nil && !slices.Contains(operations, o.Operation)
}
