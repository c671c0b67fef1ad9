package sandbox

import (
	"net/http"
	"strings"
	"time"
	"unicode"

	"github.com/shopspring/decimal"
)

// The control API plays the parts of the shopper and of fate. It is open to
// anyone who can reach it, like the rest of a simulator.
//
//	GET  /sandbox/operations?reference=    the ledger, oldest first: of a payment, of one
//	     operation, or (without reference) the last 1000 operations; a JSON array of
//	     {"operation", "reference", "amount", "currency", "state", "at", "id", "payment",
//	     "account"}, payment being the reference of the operation's payment
//	POST /sandbox/payments/{reference}/pay|decline|cancel
//	     200 payment after the first try of the notification; 409 already_decided
//	POST /sandbox/payments/{reference}/notify
//	     {"event", "amount", "currency", "times", "delay_ms", "signature", "event_id", "retry",
//	     "operation"}
//	     200 {"event_id", "deliveries": [{"status", "error"?}, …]}, one for each of times;
//	     empty with delay_ms. expired voids what is left of an approved authorization;
//	     refund_reversed, refund_failed and chargeback_reversed take back the last refund
//	     or chargeback, or the one whose reference is in operation. API.md tells the
//	     rest, claim.go and takeback.go what it books.

const (
	listMax       = 1000
	timesMax      = 200
	delayMaxMS    = 3_600_000
	eventIDMax    = 64
	claimPlaces   = 6
	unknownAmount = 100 // minor units of the default currency
)

// listed is a line of the ledger as the control API shows it.
type listed struct {
	Operation string    `json:"operation"`
	Reference string    `json:"reference"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	State     string    `json:"state"`
	At        time.Time `json:"at"`
	ID        string    `json:"id"`
	Payment   string    `json:"payment"`
	Account   string    `json:"account"`
}

func listOperation(p *payment, index int) listed {
	o := &p.Operations[index]
	return listed{
		Operation: o.Kind, Reference: o.Reference, Amount: formatAmount(o.Amount, o.Currency),
		Currency: o.Currency, State: o.State, At: o.At, ID: o.ID,
		Payment: p.first().Reference, Account: p.Account,
	}
}

func (s *Simulator) listOperations(w http.ResponseWriter, r *http.Request) error {
	if !r.URL.Query().Has("reference") {
		return writeJSON(w, http.StatusOK, s.ledger.newest(listMax))
	}
	reference := r.URL.Query().Get("reference")
	out := []listed{}
	for _, a := range s.accounts {
		p, index, ok := s.ledger.operation(refKey{a.ID, reference})
		switch {
		case ok && index == 0:
			for i := range p.Operations {
				out = append(out, listOperation(p, i))
			}
		case ok:
			out = append(out, listOperation(p, index))
		}
	}
	return writeJSON(w, http.StatusOK, out)
}

// controlled finds the payment that a control request is about; references
// are looked up in the order of the accounts.
func (s *Simulator) controlled(r *http.Request) (*payment, error) {
	reference := r.PathValue("reference")
	if !validReference(reference) {
		return nil, invalid("reference", "A reference has 1 to 64 characters of A-Z a-z 0-9 . _ : -")
	}
	for _, a := range s.accounts {
		if p, ok := s.ledger.payment(refKey{a.ID, reference}); ok {
			return p, nil
		}
	}
	return nil, notFound()
}

func (s *Simulator) controlDecide(d decision) func(http.ResponseWriter, *http.Request) error {
	return func(w http.ResponseWriter, r *http.Request) error {
		p, err := s.controlled(r)
		if err != nil {
			return err
		}
		decided, err := s.decide(r.Context(), p, d, true)
		if err != nil {
			return err
		}
		return writeJSON(w, http.StatusOK, s.view(decided))
	}
}

type notifyRequest struct {
	Event     string `json:"event"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Times     *int   `json:"times"`
	DelayMS   int    `json:"delay_ms"`
	Signature string `json:"signature"`
	EventID   string `json:"event_id"`
	Retry     *bool  `json:"retry"`
	// Operation is the reference of what an event takes back; the last one if empty.
	Operation string `json:"operation"`
}

type notifyAnswer struct {
	EventID    string     `json:"event_id"`
	Deliveries []delivery `json:"deliveries"`
}

func (s *Simulator) controlNotify(w http.ResponseWriter, r *http.Request) error {
	var req notifyRequest
	if err := decode(w, r, &req); err != nil {
		return err
	}
	if err := req.check(); err != nil {
		return err
	}
	p, err := s.controlled(r)
	if pr, ok := err.(*problem); ok && pr.status == http.StatusNotFound { //nolint:errorlint // never wrapped
		p, err = s.stranger(r.PathValue("reference"), req)
	}
	if err != nil {
		return err
	}
	if s.notifyURL(p) == "" {
		return refuse(http.StatusUnprocessableEntity, "no_notify_url", "Neither the payment nor the account names a URL.")
	}
	n, err := s.claim(p, req)
	if err != nil {
		return err
	}
	answer := notifyAnswer{EventID: n.EventID, Deliveries: []delivery{}}
	first := s.dispatch(n)
	if req.DelayMS == 0 {
		answer.Deliveries = append(answer.Deliveries, s.await(r.Context(), first, s.delays.Control)...)
	}
	return writeJSON(w, http.StatusOK, answer)
}

// check validates the request and fills in its defaults.
func (q *notifyRequest) check() error {
	if q.Times == nil {
		once := 1
		q.Times = &once
	}
	if q.Signature == "" {
		q.Signature = signatureGood
	}
	if !knownEvent(q.Event) {
		return invalid("event", "An event is paid, authorized, captured, refunded, voided, failed, cancelled, expired, chargeback, "+
			"refund_reversed, refund_failed or chargeback_reversed.")
	}
	if q.Operation != "" && (takenBack(q.Event) == "" || !validReference(q.Operation)) {
		return invalid("operation", "The reference of a refund or chargeback, for an event that takes it back.")
	}
	if q.Amount != "" && !validClaim(q.Amount) {
		return invalid("amount", "An amount is a decimal string, perhaps negative, with at most 6 places.")
	}
	if q.Currency != "" && (len(q.Currency) != 3 || !isLetters(q.Currency)) {
		return invalid("currency", "A currency is three letters.")
	}
	if *q.Times < 1 || *q.Times > timesMax {
		return invalid("times", "From 1 to 200 times.")
	}
	if q.DelayMS < 0 || q.DelayMS > delayMaxMS {
		return invalid("delay_ms", "From 0 to 3600000 milliseconds.")
	}
	if !knownSignature(q.Signature) {
		return invalid("signature", "A signature is good, bad, none or old.")
	}
	if len(q.EventID) > eventIDMax || strings.ContainsFunc(q.EventID, func(c rune) bool { return c <= ' ' || c > '~' }) {
		return invalid("event_id", "An event id has at most 64 visible ASCII characters.")
	}
	return nil
}

func knownSignature(s string) bool {
	switch s {
	case signatureGood, signatureBad, signatureNone, signatureOld:
		return true
	default:
		return false
	}
}

// validClaim lets a notification claim amounts that no payment could have.
func validClaim(s string) bool {
	s = strings.TrimPrefix(s, "-")
	_, places, _ := strings.Cut(s, ".")
	return plainDecimal(s) && len(places) <= claimPlaces
}

func isLetters(s string) bool {
	return !strings.ContainsFunc(s, func(c rune) bool { return c > unicode.MaxASCII || !unicode.IsLetter(c) })
}

// stranger invents a payment that the ledger does not know, at the first account.
func (s *Simulator) stranger(reference string, q notifyRequest) (*payment, error) {
	currency := q.Currency
	if currency == "" {
		currency = "EUR"
	}
	o, err := s.newOperation(strangerKind(q.Event), reference, decimal.New(unknownAmount, -2), currency)
	if err != nil {
		return nil, err
	}
	id, err := s.newID("sbx_")
	return &payment{ID: id, Account: s.accounts[0].ID, Operations: []operation{o}}, err
}

func strangerKind(event string) string {
	switch event {
	case eventAuthorized, eventCaptured, eventVoided:
		return opAuthorize
	default:
		return opCharge
	}
}
