package sandbox

import "slices"

// takenBack is the kind of operation that an event takes back, "" for none.
func takenBack(event string) string {
	switch event {
	case eventRefundReversed, eventRefundFailed:
		return opRefund
	case eventChargebackReversed:
		return opChargeback
	default:
		return ""
	}
}

// target finds what the event takes back: the operation that was named, else the
// last one of its kind that is approved or, for a refund that fails, may yet be.
func (q *notifyRequest) target(p *payment) (index int, ok bool) {
	kind := takenBack(q.Event)
	for i, o := range slices.Backward(p.Operations) {
		named := q.Operation == "" || q.Operation == o.Reference
		goes := o.State == stateApproved || q.Event == eventRefundFailed && o.State == statePending
		if kind != "" && o.Kind == kind && named && goes {
			return i, true
		}
	}
	return 0, false
}

// takeBack makes an event that takes something back so, and gives the operation
// that it is about. A lie may be about one that never was.
func (s *Simulator) takeBack(p *payment, q notifyRequest) (index int, err error) {
	amount, currency := q.money(p)
	index, ok := q.target(p)
	if !ok {
		o, err := s.newOperation(takenBack(q.Event), "", amount, currency)
		if err != nil {
			return 0, err
		}
		p.Operations = append(p.Operations, o)
		index = len(p.Operations) - 1
	}
	o := &p.Operations[index]
	state := stateReversed
	if o.State == statePending {
		state = stateDeclined
	}
	o.settle(state, reasonOfEvent(q.Event), s.now().UTC())
	o.Amount, o.Currency = amount, currency
	return index, nil
}

func reasonOfEvent(event string) *reason {
	message := "The refund was taken back."
	switch event {
	case eventRefundFailed:
		message = "The money could not be delivered and came back."
	case eventChargebackReversed:
		message = "The dispute was decided for the merchant."
	}
	return &reason{Code: event, Message: message}
}
