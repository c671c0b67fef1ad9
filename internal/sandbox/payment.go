package sandbox

import (
	"slices"
	"time"

	"github.com/shopspring/decimal"
)

// What an operation does.
const (
	opCharge     = "charge"
	opAuthorize  = "authorize"
	opCapture    = "capture"
	opRefund     = "refund"
	opVoid       = "void"
	opChargeback = "chargeback"
)

// How far an operation, or the payment that it opened, has come.
const (
	stateActionRequired = "action_required"
	statePending        = "pending"
	stateApproved       = "approved"
	stateDeclined       = "declined"
	stateCancelled      = "cancelled"
	stateExpired        = "expired"
	stateVoided         = "voided" // payments only
)

// payment is one entry of the ledger. A committed payment is never changed:
// changes are made on a clone that then takes its place.
type payment struct {
	ID          string      `json:"id"`
	Account     string      `json:"account"`
	Session     string      `json:"session,omitempty"`
	Scenario    string      `json:"scenario,omitempty"`
	Description string      `json:"description,omitempty"`
	SuccessURL  string      `json:"success_url,omitempty"`
	FailureURL  string      `json:"failure_url,omitempty"`
	NotifyURL   string      `json:"notify_url,omitempty"`
	Version     int64       `json:"version"`
	Operations  []operation `json:"operations"` // the first is the charge or authorization
}

// operation is one movement, or attempt at one, of a payment.
type operation struct {
	ID        string          `json:"id"`
	Kind      string          `json:"operation"`
	Reference string          `json:"reference"`
	Amount    decimal.Decimal `json:"amount"`
	Currency  string          `json:"currency"`
	State     string          `json:"state"`
	Reason    *reason         `json:"reason,omitempty"`
	At        time.Time       `json:"at"`
	// Content is a hash of the request, against reuse of a reference.
	Content string `json:"content,omitempty"`
	// SettleAt and SettleTo say when a pending operation decides itself, and how.
	SettleAt time.Time `json:"settle_at,omitzero"`
	SettleTo string    `json:"settle_to,omitempty"`
}

// reason says why something was declined.
type reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Decline string `json:"decline"`
}

func (p *payment) clone() *payment {
	c := *p
	c.Operations = slices.Clone(p.Operations)
	return &c
}

// first is the charge or authorization that opened the payment.
func (p *payment) first() *operation { return &p.Operations[0] }

// state is the first operation's, or voided once an authorization is wholly given up.
func (p *payment) state() string {
	first := p.first()
	if first.State == stateApproved && first.Kind == opAuthorize &&
		p.captured().IsZero() && p.booked(opVoid).GreaterThanOrEqual(first.Amount) {
		return stateVoided
	}
	return first.State
}

// booked is the sum of the approved operations of a kind.
func (p *payment) booked(kind string) decimal.Decimal { return p.sum(kind, stateApproved) }

// held is the sum of the operations of a kind that are approved or may still be.
func (p *payment) held(kind string) decimal.Decimal {
	return p.sum(kind, stateApproved).Add(p.sum(kind, statePending))
}

func (p *payment) sum(kind, state string) decimal.Decimal {
	total := decimal.Zero
	for i := range p.Operations {
		if o := &p.Operations[i]; o.Kind == kind && o.State == state {
			total = total.Add(o.Amount)
		}
	}
	return total
}

func (p *payment) captured() decimal.Decimal { return p.booked(opCharge).Add(p.booked(opCapture)) }

// room is how much may still be captured, refunded, voided or charged back.
func (p *payment) room(kind string) decimal.Decimal {
	switch kind {
	case opCapture, opVoid:
		return p.booked(opAuthorize).Sub(p.held(opCapture)).Sub(p.held(opVoid))
	case opRefund, opChargeback:
		return p.captured().Sub(p.held(opRefund)).Sub(p.held(opChargeback))
	default:
		return decimal.Zero
	}
}

// undecided reports whether the payment can still go either way.
func (p *payment) undecided() bool {
	s := p.first().State
	return s == stateActionRequired || s == statePending
}

// settle decides an operation.
func (o *operation) settle(state string, why *reason) {
	o.State, o.Reason = state, why
	o.SettleAt, o.SettleTo = time.Time{}, ""
}

// eventOf is the event that tells about an operation in its state, "" if none does.
func eventOf(o *operation) string {
	switch o.State {
	case stateDeclined:
		return eventFailed
	case stateCancelled:
		return eventCancelled
	case stateExpired:
		return eventExpired
	case stateApproved:
		return approvalEvent(o.Kind)
	default:
		return ""
	}
}

func approvalEvent(kind string) string {
	switch kind {
	case opCharge:
		return eventPaid
	case opAuthorize:
		return eventAuthorized
	case opCapture:
		return eventCaptured
	case opRefund:
		return eventRefunded
	case opVoid:
		return eventVoided
	case opChargeback:
		return eventChargeback
	default:
		return ""
	}
}
