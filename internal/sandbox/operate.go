package sandbox

import (
	"net/http"

	"github.com/shopspring/decimal"
)

type operationRequest struct {
	Reference string `json:"reference"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Scenario  string `json:"scenario"`
	Final     bool   `json:"final"` // of a capture: no other follows
}

// operate increases, captures, refunds or voids.
func (s *Simulator) operate(kind string) func(http.ResponseWriter, *http.Request, Account) error {
	return func(w http.ResponseWriter, r *http.Request, a Account) error {
		var req operationRequest
		if err := decode(w, r, &req); err != nil {
			return err
		}
		amount, sc, err := req.check(kind)
		if err != nil {
			return err
		}
		p, ok := s.ledger.payment(refKey{a.ID, r.PathValue("reference")})
		if !ok {
			return notFound()
		}
		content, err := hashOf(req)
		if err != nil {
			return err
		}
		key := refKey{a.ID, req.Reference}
		if sc.state == "" { // nothing is booked, unless it was before
			if owner, index, ok := s.ledger.operation(key); ok {
				return s.repeatOperation(w, owner, index, p.ID, kind, content)
			}
			return s.answerAs(w, r, sc.answer, nil, nil)
		}
		return s.addOperation(w, r, key, p.ID, adding{kind, req, amount, sc, content})
	}
}

// adding is a checked request for one more operation.
type adding struct {
	kind     string
	request  operationRequest
	amount   decimal.Decimal // zero asks for all that is left
	scenario scenario
	content  string
}

func (s *Simulator) addOperation(w http.ResponseWriter, r *http.Request, key refKey, id string, add adding) error {
	index := -1 // stays so if the reference is taken
	e, err := s.ledger.update(id, func(next *payment) (*notification, error) {
		if _, taken := s.ledger.refs[key]; taken {
			return nil, errUnchanged
		}
		o, err := s.checkedOperation(next, add)
		if err != nil {
			return nil, err
		}
		index = len(next.Operations)
		next.Operations = append(next.Operations, o)
		if err := s.releaseRest(next, index); err != nil {
			return nil, err
		}
		return s.directNotification(next, index)
	})
	if err != nil {
		return withPayment(err, e.Payment)
	}
	if index < 0 {
		owner, index, _ := s.ledger.operation(key)
		return s.repeatOperation(w, owner, index, id, add.kind, add.content)
	}
	s.dispatch(e.Notification)
	o := &e.Payment.Operations[index]
	if o.State == statePending {
		s.settleLater(place{id, index})
	}
	full := operationAnswer{viewOperation(o), s.view(e.Payment)}
	if add.scenario.answer == answerDone {
		return withPayment(nothingLeft(), e.Payment)
	}
	return s.answerAs(w, r, add.scenario.answer, full, bareOperationAnswer{bareAnswer{ID: o.ID, State: o.State}})
}

// checkedOperation applies the rules of money to a request.
func (s *Simulator) checkedOperation(p *payment, add adding) (operation, error) {
	first, room := p.first(), p.room(add.kind)
	switch {
	case first.State != stateApproved || !room.IsPositive():
		return operation{}, nothingLeft()
	case add.request.Currency != first.Currency:
		return operation{}, refuse(http.StatusUnprocessableEntity, "currency_mismatch", "The payment has another currency.")
	case add.kind != opIncrease && add.amount.GreaterThan(room):
		pr := refuse(http.StatusUnprocessableEntity, "amount_exceeds", "This is more than is left.")
		pr.maxAmount = formatAmount(room, first.Currency)
		return operation{}, pr
	}
	amount := add.amount
	if amount.IsZero() {
		amount = room
	}
	o, err := s.newOperation(add.kind, add.request.Reference, amount, first.Currency)
	if err != nil {
		return operation{}, err
	}
	o.Content, o.Final = add.content, add.request.Final
	add.scenario.play(&o, s.now().UTC(), s.delays.Pending)
	return o, nil
}

func nothingLeft() *problem {
	return refuse(http.StatusConflict, "not_allowed", "Nothing of this payment is left for this.")
}

// releaseRest voids what an approved final capture left.
func (s *Simulator) releaseRest(p *payment, index int) error {
	capture, rest := &p.Operations[index], p.room(opVoid)
	if !capture.Final || capture.State != stateApproved || !rest.IsPositive() {
		return nil
	}
	o, err := s.newOperation(opVoid, "", rest, p.first().Currency)
	if err != nil {
		return err
	}
	o.Parent = capture.Reference
	p.Operations = append(p.Operations, o)
	return nil
}

// getOperation shows an operation of a payment by its reference.
func (s *Simulator) getOperation(w http.ResponseWriter, r *http.Request, a Account) error {
	p, index, ok := s.ledger.operation(refKey{a.ID, r.PathValue("operation")})
	if !ok || index == 0 || p.first().Reference != r.PathValue("reference") {
		return refuse(http.StatusNotFound, "not_found", "The payment has no operation of this reference.")
	}
	return writeJSON(w, http.StatusOK, operationAnswer{viewOperation(&p.Operations[index]), s.view(p)})
}

// repeatOperation answers a reference that is taken.
func (s *Simulator) repeatOperation(w http.ResponseWriter, owner *payment, index int, id, kind, content string) error {
	o := &owner.Operations[index]
	if owner.ID != id || o.Kind != kind || o.Content != content {
		return referenceConflict()
	}
	return writeJSON(w, http.StatusOK, operationAnswer{viewOperation(o), s.view(owner)})
}

func (q *operationRequest) check(kind string) (decimal.Decimal, scenario, error) {
	if !validReference(q.Reference) {
		return decimal.Decimal{}, scenario{}, invalid("reference", "A reference has 1 to 64 characters of A-Z a-z 0-9 . _ : -")
	}
	if !validCurrency(q.Currency) {
		return decimal.Decimal{}, scenario{}, invalid("currency", "A currency is three capital letters.")
	}
	amount, ok := parseAmount(q.Amount, q.Currency)
	if all := kind == opVoid && q.Amount == ""; !ok && !all {
		return decimal.Decimal{}, scenario{}, invalid("amount", "An amount is a decimal string above zero with the currency's digits.")
	}
	if q.Final && kind != opCapture {
		return decimal.Decimal{}, scenario{}, invalid("final", "Only a capture is final.")
	}
	sc, ok := scenarioNamed(q.Scenario)
	if !ok || sc.state == stateActionRequired {
		return decimal.Decimal{}, scenario{}, unknownScenario()
	}
	return amount, sc, nil
}
