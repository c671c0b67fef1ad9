package sandbox

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/shopspring/decimal"
)

const (
	flowDirect   = "direct"
	flowRedirect = "redirect"

	descriptionMaxRunes = 200
)

type payRequest struct {
	Reference   string `json:"reference"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
	Capture     *bool  `json:"capture"`
	Flow        string `json:"flow"`
	Scenario    string `json:"scenario"`
	Description string `json:"description"`
	SuccessURL  string `json:"success_url"`
	FailureURL  string `json:"failure_url"`
	NotifyURL   string `json:"notify_url"`
}

func (s *Simulator) createPayment(w http.ResponseWriter, r *http.Request, a Account) error {
	var req payRequest
	if err := decode(w, r, &req); err != nil {
		return err
	}
	amount, sc, err := req.check()
	if err != nil {
		return err
	}
	content, err := hashOf(req)
	if err != nil {
		return err
	}
	key := refKey{a.ID, req.Reference}
	if sc.state == "" { // nothing is booked, unless it was before
		if known, _, ok := s.ledger.operation(key); ok {
			return s.repeatPayment(w, known, key, content)
		}
		return s.answerAs(w, r, sc.answer, nil, nil)
	}
	created, taken, err := s.ledger.open(key, func() (entry, error) {
		return s.newPayment(a, req, amount, sc, content)
	})
	if err != nil {
		return fmt.Errorf("open payment: %w", err)
	}
	if taken != nil {
		return s.repeatPayment(w, taken, key, content)
	}
	p := created.Payment
	s.dispatch(created.Notification)
	if p.first().State == statePending {
		s.settleLater(place{p.ID, 0})
	}
	v := s.view(p)
	return s.answerAs(w, r, sc.answer, v, bareAnswer{ID: v.ID, State: v.State, RedirectURL: v.RedirectURL})
}

// repeatPayment answers a reference that is taken.
func (s *Simulator) repeatPayment(w http.ResponseWriter, p *payment, key refKey, content string) error {
	if first := p.first(); first.Reference != key.reference || first.Content != content {
		return referenceConflict()
	}
	return writeJSON(w, http.StatusOK, s.view(p))
}

func referenceConflict() *problem {
	return refuse(http.StatusConflict, "reference_conflict", "The reference was used before with other content.")
}

// check validates the request and fills in its defaults.
func (q *payRequest) check() (decimal.Decimal, scenario, error) {
	fail := func(field, message string) (decimal.Decimal, scenario, error) {
		return decimal.Decimal{}, scenario{}, invalid(field, message)
	}
	if q.Capture == nil {
		capture := true
		q.Capture = &capture
	}
	if q.Flow == "" {
		q.Flow = flowDirect
	}
	redirect := q.Flow == flowRedirect
	if !validReference(q.Reference) {
		return fail("reference", "A reference has 1 to 64 characters of A-Z a-z 0-9 . _ : -")
	}
	if !validCurrency(q.Currency) {
		return fail("currency", "A currency is three capital letters.")
	}
	amount, ok := parseAmount(q.Amount, q.Currency)
	if !ok {
		return fail("amount", "An amount is a decimal string above zero with the currency's digits.")
	}
	if !redirect && q.Flow != flowDirect {
		return fail("flow", "A flow is direct or redirect.")
	}
	if !plainText(q.Description) {
		return fail("description", "A description has at most 200 printable characters.")
	}
	if !validReturn(q.SuccessURL, redirect) {
		return fail("success_url", "An absolute http(s) URL is needed.")
	}
	if !validReturn(q.FailureURL, redirect) {
		return fail("failure_url", "An absolute http(s) URL is needed.")
	}
	if !validReturn(q.NotifyURL, false) {
		return fail("notify_url", "An absolute http(s) URL is needed.")
	}
	sc, ok := scenarioNamed(q.Scenario)
	if !ok || sc.answer == answerDone {
		return decimal.Decimal{}, scenario{}, unknownScenario()
	}
	return amount, sc, nil
}

func unknownScenario() *problem {
	return refuse(http.StatusUnprocessableEntity, "unknown_scenario", "The simulator does not know this scenario here.")
}

func validReturn(url string, required bool) bool {
	return url == "" && !required || validURL(url)
}

func plainText(s string) bool {
	if utf8.RuneCountInString(s) > descriptionMaxRunes {
		return false
	}
	for _, c := range s {
		if !unicode.IsPrint(c) {
			return false
		}
	}
	return true
}

// newPayment builds what a valid request opens. In the redirect flow the
// scenario's outcome waits for the shopper.
func (s *Simulator) newPayment(a Account, q payRequest, amount decimal.Decimal, sc scenario, content string) (entry, error) {
	kind := opCharge
	if !*q.Capture {
		kind = opAuthorize
	}
	o, err := s.newOperation(kind, q.Reference, amount, q.Currency)
	if err != nil {
		return entry{}, err
	}
	o.Content = content
	p := &payment{
		Account: a.ID, Scenario: q.Scenario, Description: q.Description,
		SuccessURL: q.SuccessURL, FailureURL: q.FailureURL, NotifyURL: q.NotifyURL, Version: 1,
	}
	if p.ID, err = s.newID("sbx_"); err != nil {
		return entry{}, err
	}
	if q.Flow == flowRedirect {
		o.State = stateActionRequired
	} else {
		sc.play(&o, s.now().UTC(), s.delays.Pending)
	}
	if o.State == stateActionRequired {
		if p.Session, err = s.newID(""); err != nil {
			return entry{}, err
		}
	}
	p.Operations = []operation{o}
	e := entry{Payment: p}
	if s.notifyDirect {
		e.Notification, err = s.notificationOf(p, 0)
	}
	return e, err
}

func (s *Simulator) newOperation(kind, reference string, amount decimal.Decimal, currency string) (operation, error) {
	id, err := s.newID("sbo_")
	if reference == "" {
		reference = id
	}
	now := s.now().UTC()
	return operation{
		ID: id, Kind: kind, Reference: reference, Amount: amount, Currency: currency,
		State: stateApproved, At: now, ChangedAt: now,
	}, err
}

func (s *Simulator) getPayment(w http.ResponseWriter, r *http.Request, a Account) error {
	p, ok := s.ledger.payment(refKey{a.ID, r.PathValue("reference")})
	if !ok {
		return notFound()
	}
	return writeJSON(w, http.StatusOK, s.view(p))
}

// closePayment ends a session that nobody paid. Whatever came of it before is
// the answer, unless money moved or still may.
func (s *Simulator) closePayment(w http.ResponseWriter, r *http.Request, a Account) error {
	p, ok := s.ledger.payment(refKey{a.ID, r.PathValue("reference")})
	if !ok {
		return notFound()
	}
	e, err := s.ledger.update(p.ID, func(next *payment) (*notification, error) {
		switch first := next.first(); first.State {
		case stateApproved:
			return nil, refuse(http.StatusConflict, "already_paid", "The payment was made.")
		case statePending:
			return nil, refuse(http.StatusConflict, "payment_pending", "The payment is under way and cannot be stopped.")
		case stateActionRequired:
			first.settle(stateCancelled, reasonOf(stateCancelled), s.now().UTC())
			return s.directNotification(next, 0)
		default:
			return nil, errUnchanged
		}
	})
	if err != nil {
		return withPayment(err, e.Payment)
	}
	s.dispatch(e.Notification)
	return writeJSON(w, http.StatusOK, s.view(e.Payment))
}

// withPayment shows the payment as it stands beside the problem.
func withPayment(err error, p *payment) error {
	if pr, ok := err.(*problem); ok { //nolint:errorlint // made by the caller's own closure, never wrapped
		pr.payment = p
	}
	return err
}

// hashOf identifies the content of a request.
func hashOf(request any) (string, error) {
	b, err := json.Marshal(request)
	if err != nil {
		return "", fmt.Errorf("hash request: %w", err)
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:]), nil
}
