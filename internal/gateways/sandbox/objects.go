package sandbox

import (
	"errors"
	"net/url"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// paymentObject is a payment in the PSP's words.
type paymentObject struct {
	ID          string        `json:"id"`
	Reference   string        `json:"reference"`
	Account     string        `json:"account"`
	Mode        string        `json:"mode"`
	Amount      string        `json:"amount"`
	Currency    string        `json:"currency"`
	State       string        `json:"state"`
	Reason      *reasonObject `json:"reason"`
	RedirectURL string        `json:"redirect_url"`
	// CaptureBefore is until when an authorization is kept; zero for what is none.
	CaptureBefore time.Time         `json:"capture_before"`
	Operations    []operationObject `json:"operations"`
}

// operationObject is one movement of a payment in the PSP's words.
type operationObject struct {
	ID        string        `json:"id"`
	Operation string        `json:"operation"`
	Reference string        `json:"reference"`
	Amount    string        `json:"amount"`
	Currency  string        `json:"currency"`
	State     string        `json:"state"`
	Reason    *reasonObject `json:"reason"`
	// Parent is the reference of the operation that this one came along with.
	Parent string    `json:"parent"`
	At     time.Time `json:"at"` // when it came to its state
}

// operatedObject is an operation with its payment in the PSP's words.
type operatedObject struct {
	Operation operationObject `json:"operation"`
	Payment   paymentObject   `json:"payment"`
}

// reasonObject is why something was declined in the PSP's words.
type reasonObject struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Decline string `json:"decline"`
}

// errorObject is a refusal in the PSP's words.
type errorObject struct {
	Error struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
	Payment *paymentObject `json:"payment"`
}

var errUnreadable = errors.New("the object cannot be read")

// decode reads a JSON object: no duplicate and no wrongly cased names, valid
// UTF-8, nothing behind it. Fields that we do not know are the PSP's future.
func decode[T any](body []byte) (T, error) {
	var object T
	err := json.Unmarshal(body, &object)
	return object, err
}

// echoes tells whether the object says what it is about.
func (o *operatedObject) echoes() bool {
	op := o.Operation
	return o.Payment.echoes() && op.Operation != "" && op.Reference != "" && op.Amount != "" && op.Currency != ""
}

// echoes tells whether the object says what it is about.
func (p *paymentObject) echoes() bool {
	return p.Reference != "" && p.Amount != "" && p.Currency != "" && p.Account != "" && p.Mode != ""
}

// facts returns what the object says: first of the payment itself, then of the
// operations that followed, oldest first. An object of which a part cannot be
// kept says nothing.
func (g *Gateway) facts(p *paymentObject, source payment.Source) ([]payment.Fact, error) {
	amount, err := money(p.Amount, p.Currency)
	if err != nil || !gateways.PlainID(p.ID) || !gateways.PlainID(p.Reference) {
		return nil, errUnreadable
	}
	first := payment.Fact{
		Source: source, Reference: p.Reference, GatewayReference: p.ID, State: stateOf(p.State),
		Amount: &amount, Account: g.ourAccount(p.Account), Mode: payment.Mode(p.Mode),
		Reason: reasonOf(p.State, p.Reason), CaptureBefore: p.CaptureBefore,
	}
	if first.State == payment.ActionRequired && validRedirect(p.RedirectURL) {
		first.NextAction = &payment.NextAction{Type: "redirect", URL: p.RedirectURL}
	}
	facts := []payment.Fact{first}
	for _, o := range p.Operations {
		typ, known := types[o.Operation]
		if !known || typ.Initial() && !o.increases() {
			continue
		}
		f, err := operationFact(first, o, typ)
		if err != nil {
			return nil, err
		}
		facts = append(facts, f)
	}
	return facts, nil
}

// increases tells of more that we asked to reserve. The PSP's own is nothing that
// our books could take: nobody asked for it.
func (o *operationObject) increases() bool {
	return o.Operation == "increase" && gateways.OurReference(o.Reference)
}

// operationFact returns what an operation says. One that we asked for is named
// by our reference, one that came along with such by that of the other, and one
// that the PSP began by that of the payment it acts upon.
func operationFact(of payment.Fact, o operationObject, typ payment.Type) (payment.Fact, error) {
	amount, err := money(o.Amount, o.Currency)
	if err != nil || !gateways.PlainID(o.ID) {
		return payment.Fact{}, errUnreadable
	}
	f := payment.Fact{
		Source: of.Source, Reference: of.Reference, Type: typ, GatewayReference: o.ID, State: stateOf(o.State),
		Amount: &amount, Account: of.Account, Mode: of.Mode, Reason: reasonOf(o.State, o.Reason), At: o.At,
	}
	switch {
	case gateways.OurReference(o.Reference):
		f.Reference = o.Reference
	case gateways.OurReference(o.Parent):
		f.Reference = o.Parent
	}
	return f, nil
}

func money(amount, currency string) (payment.Money, error) {
	c, err := payment.ParseCurrency(currency)
	if err != nil {
		return payment.Money{}, err
	}
	return payment.ParseMoney(amount, c)
}

// reasonOf returns why something is in its state, if there is something to say.
func reasonOf(state string, r *reasonObject) payment.Reason {
	switch {
	case r != nil:
		return gateways.PlainReason(r.Code, r.Message, r.Decline)
	case stateOf(state) == payment.Declined:
		return payment.Reason{Code: state}
	case stateOf(state) == payment.Unknown:
		return payment.Reason{Code: "unknown_state", Message: "The payment provider reported a state that is not known."}
	}
	return payment.Reason{}
}

// validRedirect keeps browsers from anything but a web page.
func validRedirect(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != ""
}
