package payment

// ID names the event: by its order, or, where a case without an order tells of
// itself, by that case.
func (e Event) ID() EventID {
	if e.Order == (OrderID{}) {
		return EventID{Order: OrderID(e.Case), N: e.N}
	}
	return EventID{Order: e.Order, N: e.N}
}

// The numbers of the events of a case without an order.
const (
	caseOpenedN   = 1
	caseResolvedN = 2
)

// Told is the event of a case without an order: that it is open, or resolved, as its
// state says. by is who resolved it, for the audit.
func (c Case) Told(by AuditEntry) Event {
	e := c.event()
	e.Type, e.N, e.At = CaseOpenedEvent, caseOpenedN, c.OpenedAt
	if c.State == CaseResolved {
		e.Type, e.N, e.At = CaseResolvedEvent, caseResolvedN, c.Resolution.At
	}
	e.Actor, e.Source = by.Actor, by.Source
	return e
}

// The types of events about cases.
const (
	CaseOpenedEvent   = "case.opened"
	CaseResolvedEvent = "case.resolved"
)

// event is what every event about the case says.
func (c Case) event() Event {
	return Event{Case: c.ID, CaseKind: c.Kind, Payment: c.Payment, Transaction: c.Transaction, Status: c.State, Amount: c.Amount}
}
