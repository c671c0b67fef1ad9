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
	opIncrease   = "increase" // reserves more on top of an authorization
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
	stateVoided         = "voided"   // payments only
	stateReversed       = "reversed" // an approval that was taken back; never a payment's
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
	ID        string `json:"id"`
	Kind      string `json:"operation"`
	Reference string `json:"reference"`
	// Parent is the reference of the operation that this one came along with: of
	// the release of what a final capture left.
	Parent   string          `json:"parent,omitempty"`
	Amount   decimal.Decimal `json:"amount"`
	Currency string          `json:"currency"`
	State    string          `json:"state"`
	Reason   *reason         `json:"reason,omitempty"`
	At       time.Time       `json:"at"`
	// ChangedAt is when it came to its state.
	ChangedAt time.Time `json:"changed_at"`
	// Final releases, once the capture is approved, what it left.
	Final bool `json:"final,omitempty"`
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
		p.captured().IsZero() && p.booked(opVoid).GreaterThanOrEqual(p.authorized()) {
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

// authorized is what was reserved to be captured later; of a charge, nothing.
func (p *payment) authorized() decimal.Decimal {
	return p.booked(opAuthorize).Add(p.booked(opIncrease))
}

func (p *payment) captured() decimal.Decimal { return p.booked(opCharge).Add(p.booked(opCapture)) }

// room is how much may still be captured, refunded, voided or charged back. An
// increase has no bound; it needs that something is still reserved.
func (p *payment) room(kind string) decimal.Decimal {
	switch kind {
	case opCapture, opVoid, opIncrease:
		return p.authorized().Sub(p.held(opCapture)).Sub(p.held(opVoid))
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
func (o *operation) settle(state string, why *reason, at time.Time) {
	o.State, o.Reason, o.ChangedAt = state, why, at
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
	case opIncrease:
		return eventIncreased
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
