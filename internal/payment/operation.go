package payment

import "encoding/json"

// OperationRequest asks a gateway to do something with a payment that was begun
// with it.
type OperationRequest struct {
	// Type is Capture, Refund or Void; Authorize asks for more to be reserved.
	Type Type
	// Reference is our reference of the operation, and its idempotency key.
	Reference string
	// Amount is how much; of a void, all that is still reserved.
	Amount Money
	// Final says of a capture that no other follows: what it leaves is released,
	// where the gateway can do so.
	Final bool
	// Reason is why money is given back, for people.
	Reason string
	// Method is the gateway's own word for the payment's method.
	Method string
	// Order and Payment are what it is about, as they were when it was announced:
	// the operation itself stands in them as sending. They must not be changed.
	Order   *Order
	Payment *Payment
	// Data is for simulators: what the caller sent along.
	Data json.RawMessage
	// NotifyURL is where the PSP's notifications go.
	NotifyURL string
}

// Initial returns the transaction that began the payment.
func (r OperationRequest) Initial() *Transaction { return r.Payment.Initial() }

// Capabilities say what can be done with a payment of a method.
type Capabilities struct {
	Capture          bool
	PartialCapture   bool
	MultipleCaptures bool
	// ReleasesRest tells that a capture that no other can follow releases what it
	// leaves at the PSP: a final one, or any where MultipleCaptures is false.
	ReleasesRest  bool
	Refund        bool
	PartialRefund bool
	Void          bool
	// VoidRest tells that what a capture left can be voided too.
	VoidRest  bool
	Increase  bool
	Recurring string // one of the constants below
	Save      bool
}

// How a method can be charged again without the shopper.
const (
	RecurringNotSupported = "not_supported"
	RecurringManual       = "manual"    // we ask for each payment
	RecurringAutomatic    = "automatic" // the PSP keeps the schedule
)
