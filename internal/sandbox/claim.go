package sandbox

import (
	"time"

	"github.com/shopspring/decimal"
)

// claim builds and commits the notification that the control API was asked
// for. A well-signed event that could be true becomes true: it is booked. Any
// other is a lie about a copy of the payment, and the ledger stays as it is,
// but for the version of a payment that a well-signed lie is told about.
func (s *Simulator) claim(p *payment, q notifyRequest) (*notification, error) {
	authentic := q.Signature == signatureGood
	build := func(next *payment) (*notification, error) {
		index, err := s.force(next, q)
		if err != nil {
			return nil, err
		}
		return s.claimNotification(next, index, q)
	}
	if _, known := s.ledger.payment(refKey{p.Account, p.first().Reference}); !known || !authentic {
		lie := p.clone()
		lie.Version++
		n, err := build(lie)
		if err != nil {
			return nil, err
		}
		return n, s.ledger.write(entry{Notification: n})
	}
	e, err := s.ledger.update(p.ID, func(next *payment) (*notification, error) {
		if q.couldBeTrue(next) {
			return build(next)
		}
		return build(next.clone())
	})
	return e.Notification, err
}

func (s *Simulator) claimNotification(p *payment, index int, q notifyRequest) (*notification, error) {
	n, err := s.newNotification(p, index, q.Event, q.EventID)
	if err != nil {
		return nil, err
	}
	n.Signature, n.Times = q.Signature, *q.Times
	n.Retry = q.Signature == signatureGood && (q.Retry == nil || *q.Retry)
	n.Due = n.Due.Add(time.Duration(q.DelayMS) * time.Millisecond)
	return n, nil
}

// couldBeTrue reports whether the event may happen to the payment now.
func (q *notifyRequest) couldBeTrue(p *payment) bool {
	first := p.first()
	amount, currency := q.money(p)
	if takenBack(q.Event) != "" {
		index, ok := q.target(p)
		return ok && amount.Equal(p.Operations[index].Amount) && currency == p.Operations[index].Currency
	}
	if currency != first.Currency {
		return false
	}
	if kind := q.adds(p); kind != "" {
		return amount.IsPositive() && amount.LessThanOrEqual(p.room(kind))
	}
	switch q.Event {
	case eventPaid:
		fresh := first.State != stateApproved || first.Kind == opAuthorize && p.room(opCapture).Equal(p.authorized())
		return fresh && amount.Equal(first.Amount)
	case eventAuthorized:
		return first.Kind == opAuthorize && first.State != stateApproved && amount.Equal(first.Amount)
	default: // failed, cancelled or expired
		return p.undecided() && amount.Equal(first.Amount)
	}
}

// money is what the event is about: what was asked for, else what it takes
// back, else all that is left of the payment for it, else its amount.
func (q *notifyRequest) money(p *payment) (decimal.Decimal, string) {
	amount, currency := p.first().Amount, p.first().Currency
	if kind := q.adds(p); kind != "" && p.room(kind).IsPositive() {
		amount = p.room(kind)
	}
	if index, ok := q.target(p); ok {
		amount, currency = p.Operations[index].Amount, p.Operations[index].Currency
	}
	if q.Currency != "" && q.Currency != currency {
		currency = q.Currency
		amount = amount.Truncate(digitsOf(currency))
	}
	if q.Amount != "" {
		// check has let through only what decimal can read.
		amount, _ = decimal.NewFromString(q.Amount)
	}
	return amount, currency
}

// force makes the event so, whatever the rules say, and gives the operation
// that it is about.
func (s *Simulator) force(p *payment, q notifyRequest) (index int, err error) {
	amount, currency := q.money(p)
	first := p.first()
	kind := q.adds(p)
	if takenBack(q.Event) != "" {
		return s.takeBack(p, q)
	}
	if kind == "" {
		first.settle(claimedState(q.Event), reasonOf(claimedState(q.Event)), s.now().UTC())
		first.Amount, first.Currency = amount, currency
		if q.Event != eventPaid || first.Kind != opAuthorize {
			return 0, nil
		}
		kind = opCapture // paid says of an authorization that it was captured, too
	}
	o, err := s.newOperation(kind, "", amount, currency)
	if q.Event == eventExpired {
		o.Reason = reasonOf(stateExpired)
	}
	p.Operations = append(p.Operations, o)
	return len(p.Operations) - 1, err
}

// adds is the operation that the event adds to the payment: what is still
// reserved when an authorization expires is voided.
func (q *notifyRequest) adds(p *payment) string {
	if q.Event == eventExpired && p.first().State == stateApproved && p.room(opVoid).IsPositive() {
		return opVoid
	}
	return addedBy(q.Event)
}

// addedBy is the operation that an event adds; "" if it is about the first one.
func addedBy(event string) string {
	switch event {
	case eventCaptured:
		return opCapture
	case eventRefunded:
		return opRefund
	case eventVoided:
		return opVoid
	case eventChargeback:
		return opChargeback
	default:
		return ""
	}
}

// claimedState is what an event about the first operation makes of it; "" is
// any other event.
func claimedState(event string) string {
	switch event {
	case eventPaid, eventAuthorized:
		return stateApproved
	case eventFailed:
		return stateDeclined
	case eventCancelled:
		return stateCancelled
	case eventExpired:
		return stateExpired
	default:
		return ""
	}
}

func knownEvent(event string) bool {
	return addedBy(event) != "" || claimedState(event) != "" || takenBack(event) != ""
}
