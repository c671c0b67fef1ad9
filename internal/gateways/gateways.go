// Package gateways is the port to payment service providers. A gateway is a
// small core plus optional one-method interfaces; the registry asks once, at
// start, which of them a gateway has. Time-outs, retries, redaction, breakers and
// the classification of failures belong to the transport kit here, not to a
// gateway: a gateway maps words.
package gateways

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Gateway is a connector to one PSP, opened for one account of one store.
// Implementations are safe for concurrent use.
type Gateway interface {
	Describe() Description
}

// Description is what a gateway says about itself.
type Description struct {
	Name string // as in settings: "sandbox"
	// Methods are the kinds of payment it offers, by its own words.
	Methods map[string]Method
	// Finality is how long after the announcement of a transaction the answer "no
	// such payment" means that it will never exist. Until then it means nothing.
	Finality time.Duration
}

// Method describes one kind of payment of a gateway.
type Method struct {
	Title               string
	Type                MethodType
	RequiresInteraction bool
	// AuthorizeOnly tells that the method reserves money and captures later.
	AuthorizeOnly bool
	// AuthorizationLife is how long the PSP keeps money reserved for which it does
	// not say so itself; 0 for unknown, or for ever.
	AuthorizationLife time.Duration
	// Reversal ranks how hard it is to give back what a payment of this method took:
	// of several that pay one order together, the hardest comes last.
	Reversal     Reversal
	Widget       map[string]any // what a page needs to ask for the payment data, nil for nothing
	Capabilities Capabilities
}

// MethodType is how the shopper meets a method.
type MethodType string

// The method types.
const (
	Standard               MethodType = "standard"
	Redirection            MethodType = "redirection"
	Button                 MethodType = "button"
	StandardAndButton      MethodType = "standard_and_button"
	StandardAndRedirection MethodType = "standard_and_redirection"
)

// Capabilities say what can be done with a payment of a method.
type Capabilities = payment.Capabilities

// How a method can be charged again without the shopper.
const (
	RecurringNotSupported = payment.RecurringNotSupported
	RecurringManual       = payment.RecurringManual
	RecurringAutomatic    = payment.RecurringAutomatic
)

// Reversal ranks methods by how hard it is to give money back.
type Reversal int

// The ranks of methods. One that needs the shopper comes after all that do not.
const (
	ReversalUnknown Reversal = iota // as hard as anything
	ReversalOurs                    // our own books: a gift card
	ReversalVoid                    // money is only reserved
	ReversalRefund                  // money is taken, and refunded
)

// Payer begins payments at a PSP. The fact that it returns is never empty: a
// time-out, a broken connection or an unreadable answer after the request may
// have left is a fact of state unknown, and one that provably never left is
// not_sent. Pay is called at most once per reference.
type Payer interface {
	Pay(ctx context.Context, r payment.PayRequest) payment.Fact
}

// Capturer takes money that a payment reserved. As with Pay, what it returns is
// never empty, each call is made at most once per reference, and a time-out or an
// unreadable answer after the request may have left is a fact of state unknown.
// The first fact is about the request's own reference. Others tell what the PSP
// did along with it, such as the void of what a final capture left: a fact of that
// Type that names the request's Reference and a GatewayReference.
//
// "Already done" is no error: it is told as what is true of the operation, found
// out by its reference where the PSP can tell, unknown where it cannot.
type Capturer interface {
	Capture(ctx context.Context, r payment.OperationRequest) []payment.Fact
}

// Refunder gives back money that was taken; the rules are those of Capturer.
type Refunder interface {
	Refund(ctx context.Context, r payment.OperationRequest) []payment.Fact
}

// Voider releases money that is only reserved; the rules are those of Capturer.
type Voider interface {
	Void(ctx context.Context, r payment.OperationRequest) []payment.Fact
}

// Increaser reserves more on top of what a payment has reserved; the rules are
// those of Capturer.
type Increaser interface {
	Increase(ctx context.Context, r payment.OperationRequest) []payment.Fact
}

// Lister lists what happened at the account between two times, for a comparison
// with our books: by every operation that moved money one fact, as a notification
// would tell it, and by our reference of what it acted upon; a fact of something
// that we have no name for has no Reference, only a GatewayReference. next is "" on
// the last page. It is called on its own bulkhead, nightly.
type Lister interface {
	List(ctx context.Context, from, to time.Time, cursor string) (facts []payment.Fact, next string, err error)
}

// Decider is a gateway without a PSP (zero total, offline): it decides at once,
// in memory, inside the stretch that opens the payment. It must do no I/O.
type Decider interface {
	Decide(r payment.PayRequest) payment.Fact
}

// Inquirer asks the PSP what became of a transaction. ErrNotFound means that the
// PSP knows of none; any other error that nothing was learnt.
type Inquirer interface {
	Inquire(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error)
}

// Closer ends an attempt that the shopper abandoned, so that another may begin.
// It returns what is true afterwards: declined when it was closed, or approved
// when the shopper was faster.
type Closer interface {
	Close(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error)
}

// NotificationReader verifies a message on its raw bytes and only then reads it.
// An error of kind unauthenticated means that nothing proves who sent it; it
// fails closed when no secret is configured. A PSP that signs nothing is asked
// here for the object that its message names. An error of kind invalid means that
// the message is authentic and contradicts itself or cannot be read; the Notice
// beside it holds what could be.
type NotificationReader interface {
	ReadNotification(ctx context.Context, raw payment.RawNotification) (Notice, error)
}

// Notice is a verified notification.
type Notice struct {
	// EventID is the PSP's id of the event, the same for each repetition.
	EventID string
	Type    string
	// Reference is our reference of the transaction, and Facts what the PSP says.
	// No facts means a message that concerns no money: recorded, nothing else.
	Reference string
	Facts     []payment.Fact
}

// Acknowledger is a gateway whose PSP expects something else than 200 and an
// empty body when a notification has been received.
type Acknowledger interface {
	Acknowledge() (contentType string, body []byte)
}

// DataValidator checks what the shopper entered before paying. Errors are of
// kind invalid with fields below "data".
type DataValidator interface {
	ValidateData(method string, data json.RawMessage) (payment.DataSummary, error)
}

// OperationDataValidator checks the data of an operation before anything of it is
// kept. Errors are as those of DataValidator.
type OperationDataValidator interface {
	ValidateOperationData(data json.RawMessage) error
}

// Reserver is a gateway with data that only one order may use. What it returns
// is taken in the commit that opens the payment; where another order holds it, the
// payment is refused. The data was validated.
type Reserver interface {
	Reserve(method string, o *payment.Order, data json.RawMessage) []payment.Reservation
}

// MethodFilter hides a method from orders that it cannot pay and says why, for
// people; "" offers it. A filter that cannot tell must hide.
type MethodFilter interface {
	Exclude(method string, o *payment.Order) (reason string)
}

// PipelineEditor is a gateway that needs other pipelines than the default ones
// for the payments of its methods.
type PipelineEditor interface {
	EditPipelines(method string) []pipeline.Edit
}

// ErrNotFound is an inquiry about a payment that the PSP does not know.
var ErrNotFound = errors.New("the PSP knows no such payment")
