package gatewaytest

import (
	"net/http"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
)

// Operations speaks of what is done with a payment that the suite began in the
// words of PSP: captures, refunds, voids and increases. A gateway that implements
// none of them needs none of it.
type Operations struct {
	// Does tells a request to do something with a payment from a question.
	Does func(r *http.Request) bool
	// Answer answers any request of the gateway with what is said of the operation.
	Answer func(w http.ResponseWriter, r *http.Request, says OperationSays)
	// NotFound answers an inquiry about an operation that the PSP does not know, of
	// a payment that it knows.
	NotFound func(w http.ResponseWriter, r *http.Request, says OperationSays)
	// AlreadyDone refuses a request because what it asks for was done before; nil
	// for a PSP without such an answer.
	AlreadyDone func(w http.ResponseWriter, r *http.Request, says OperationSays)
	// Notification returns the body of a notification about the operation with this
	// event id; nil for a PSP that sends none.
	Notification func(says OperationSays, eventID string) []byte
	// Never lists, by type, the states that the PSP never tells of an operation.
	Never map[payment.Type][]payment.State
	// Unnamed are the types of operations of which the PSP keeps no reference of
	// ours: those of them with one payment cannot be told apart.
	Unnamed []payment.Type
}

// OperationSays is what the PSP says of something that was done with a payment.
type OperationSays struct {
	// Type is Capture, Refund, Void, or Authorize for an increase.
	Type      payment.Type
	Reference string // ours, of the operation
	State     payment.State
	Amount    payment.Money
	// Final is of a capture that no other follows. Approved, it releases the rest
	// where the PSP does so.
	Final bool
	// Of is the payment as it was approved; its account and mode are those of the
	// answer.
	Of Says
	// Before are the operations on the payment that were approved before this one.
	Before []OperationSays
	// Bare leaves out everything that tells what the answer is about.
	Bare bool
}

// never tells whether the PSP never tells this state of the type.
func (o *Operations) never(typ payment.Type, state payment.State) bool {
	return slices.Contains(o.Never[typ], state)
}
