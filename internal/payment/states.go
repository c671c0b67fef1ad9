package payment

import "slices"

// State is what is known about a transaction.
type State string

// The states of a transaction.
const (
	Sending        State = "sending"         // announced; it may or may not have left us
	NotSent        State = "not_sent"        // provably never arrived at the PSP
	Unknown        State = "unknown"         // it left us and nobody said what became of it
	ActionRequired State = "action_required" // the shopper must do something
	Pending        State = "pending"         // the PSP will decide later
	Declined       State = "declined"        // the PSP, or the shopper, said no
	Approved       State = "approved"        // money was reserved or moved
	Reversed       State = "reversed"        // the PSP took its approval back
)

// transitions is the published graph of a transaction. Facts arrive late, early,
// twice and in any order, so the graph is an order of evidence: a state is only
// left for one that weighs more, and any set of facts ends in its heaviest,
// whatever their sequence. The edges out of not_sent and declined are the "late
// truth" edges: a PSP that says money moved is always believed.
var transitions = map[State][]State{
	Sending:        {Unknown, NotSent, ActionRequired, Pending, Declined, Approved, Reversed},
	Unknown:        {NotSent, ActionRequired, Pending, Declined, Approved, Reversed},
	NotSent:        {ActionRequired, Pending, Declined, Approved, Reversed},
	ActionRequired: {Pending, Declined, Approved, Reversed},
	Pending:        {Declined, Approved, Reversed},
	Declined:       {Approved, Reversed},
	Approved:       {Reversed},
	Reversed:       nil,
}

// CanBecome tells whether next is an edge of the graph.
func (s State) CanBecome(next State) bool { return slices.Contains(transitions[s], next) }

// Known tells whether s is a state of the graph.
func (s State) Known() bool { _, ok := transitions[s]; return ok }

// Open tells whether the transaction may still move money: nothing else may be
// charged for the same purpose, and the PSP is asked until it says.
func (s State) Open() bool {
	switch s {
	case Sending, Unknown, ActionRequired, Pending:
		return true
	case NotSent, Declined, Approved, Reversed:
		return false
	}
	return true // a state that nobody knows is not known to be closed
}

// Type is the kind of money exchange that a transaction is.
type Type string

// The types of transactions.
const (
	Authorize           Type = "authorize"
	AuthorizeAndCapture Type = "authorize_and_capture"
	Capture             Type = "capture"
	Refund              Type = "refund"
	Void                Type = "void"
	Credit              Type = "credit"
	Chargeback          Type = "chargeback"
)

// Initial tells whether a transaction of this type begins a payment.
func (t Type) Initial() bool { return t == Authorize || t == AuthorizeAndCapture }

// GivesBack tells whether a transaction of this type gives back what was taken.
func (t Type) GivesBack() bool { return t == Refund || t == Credit || t == Chargeback }

// stage orders the types by what can only follow what.
func (t Type) stage() int {
	switch t {
	case Authorize, AuthorizeAndCapture:
		return 0
	case Capture:
		return 1
	case Void:
		return 2
	case Refund, Credit, Chargeback:
		return 3
	}
	return 4
}

// OrderStatus is where an order stands. It only moves forward.
type OrderStatus string

// The statuses of an order.
const (
	OrderPending    OrderStatus = "pending"
	OrderProcessing OrderStatus = "processing"
	OrderComplete   OrderStatus = "complete"
	OrderCancelled  OrderStatus = "cancelled"
)

var orderTransitions = map[OrderStatus][]OrderStatus{
	OrderPending:    {OrderProcessing, OrderComplete, OrderCancelled},
	OrderProcessing: {OrderComplete, OrderCancelled},
	OrderComplete:   {OrderCancelled},
	OrderCancelled:  nil,
}

// CanBecome tells whether an order may move from s to next.
func (s OrderStatus) CanBecome(next OrderStatus) bool {
	return slices.Contains(orderTransitions[s], next)
}

// Status is what the sums over the transactions say about a payment, or about
// an order. It is derived and never set.
type Status string

// The payment statuses. StatusFailed is of payments only: an order whose payment
// failed is pending, since another attempt is allowed.
const (
	StatusPending           Status = "pending"
	StatusAuthorized        Status = "authorized"
	StatusPartiallyPaid     Status = "partially_paid"
	StatusPaid              Status = "paid"
	StatusPartiallyRefunded Status = "partially_refunded"
	StatusRefunded          Status = "refunded"
	StatusVoided            Status = "voided"
	StatusFailed            Status = "failed"
)
