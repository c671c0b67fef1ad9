package sandbox

import "time"

// paymentView is a payment on the wire.
type paymentView struct {
	ID          string `json:"id"`
	Reference   string `json:"reference"`
	Account     string `json:"account"`
	Mode        string `json:"mode"`
	Amount      string `json:"amount"`
	Currency    string `json:"currency"`
	Operation   string `json:"operation"`
	State       string `json:"state"`
	Authorized  string `json:"authorized"`
	Captured    string `json:"captured"`
	Refunded    string `json:"refunded"`
	Voided      string `json:"voided"`
	ChargedBack string `json:"charged_back"`
	// CaptureBefore is until when an authorization is promised to be kept.
	CaptureBefore time.Time       `json:"capture_before,omitzero"`
	Reason        *reason         `json:"reason"`
	RedirectURL   string          `json:"redirect_url,omitempty"`
	Version       int64           `json:"version"`
	Operations    []operationView `json:"operations"`
}

// operationView is an operation on the wire.
type operationView struct {
	ID        string    `json:"id"`
	Operation string    `json:"operation"`
	Reference string    `json:"reference"`
	Amount    string    `json:"amount"`
	Currency  string    `json:"currency"`
	State     string    `json:"state"`
	Reason    *reason   `json:"reason"`
	Parent    string    `json:"parent,omitempty"`
	At        time.Time `json:"at"` // when it came to its state
}

// operationAnswer is what an increase, capture, refund or void answers.
type operationAnswer struct {
	Operation operationView `json:"operation"`
	Payment   paymentView   `json:"payment"`
}

// bareAnswer is an answer that echoes nothing.
type bareAnswer struct {
	ID          string `json:"id"`
	State       string `json:"state"`
	RedirectURL string `json:"redirect_url,omitempty"`
}

// bareOperationAnswer is the same for what follows a payment.
type bareOperationAnswer struct {
	Operation bareAnswer `json:"operation"`
}

func (s *Simulator) view(p *payment) paymentView {
	first := p.first()
	v := paymentView{
		ID: p.ID, Reference: first.Reference, Account: p.Account, Mode: s.mode(p.Account),
		Amount: formatAmount(first.Amount, first.Currency), Currency: first.Currency,
		Operation: first.Kind, State: p.state(),
		Authorized:    formatAmount(p.authorized().Add(p.booked(opCharge)), first.Currency),
		Captured:      formatAmount(p.captured(), first.Currency),
		Refunded:      formatAmount(p.booked(opRefund), first.Currency),
		Voided:        formatAmount(p.booked(opVoid), first.Currency),
		ChargedBack:   formatAmount(p.booked(opChargeback), first.Currency),
		CaptureBefore: s.captureBefore(p),
		Reason:        first.Reason, RedirectURL: s.redirectURL(p), Version: p.Version,
		Operations: make([]operationView, len(p.Operations)),
	}
	for i := range p.Operations {
		v.Operations[i] = viewOperation(&p.Operations[i])
	}
	return v
}

func viewOperation(o *operation) operationView {
	return operationView{
		ID: o.ID, Operation: o.Kind, Reference: o.Reference,
		Amount: formatAmount(o.Amount, o.Currency), Currency: o.Currency,
		State: o.State, Reason: o.Reason, Parent: o.Parent, At: o.ChangedAt,
	}
}

// captureBefore is until when the money of an authorization is kept, zero for
// any other payment.
func (s *Simulator) captureBefore(p *payment) time.Time {
	first := p.first()
	if first.Kind != opAuthorize || first.State != stateApproved {
		return time.Time{}
	}
	return first.ChangedAt.Add(s.authorizationLife)
}

// redirectURL is the shopper's page while there is something to do on it.
func (s *Simulator) redirectURL(p *payment) string {
	if p.Session == "" || p.first().State != stateActionRequired {
		return ""
	}
	return s.publicURL + "/sandbox/pay/" + p.Session
}
