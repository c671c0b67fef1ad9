package stripe

import "github.com/paysvc/paysvc/internal/payment"

// found is a payment at Stripe: a session or an intent, one of both.
type found struct {
	session *sessionObject
	intent  *intentObject
}

// decodeFound reads a session or an intent by its own word for what it is.
func decodeFound(body []byte) (found, error) {
	named, err := decode[struct {
		Object string `json:"object"`
	}](body)
	if err != nil {
		return found{}, err
	}
	switch named.Object {
	case objectSession:
		s, err := decode[sessionObject](body)
		return found{session: &s}, err
	case objectIntent:
		p, err := decode[intentObject](body)
		return found{intent: &p}, err
	}
	return found{}, errUnreadable
}

func (f found) id() string {
	if f.session != nil {
		return f.session.ID
	}
	return f.intent.ID
}

func (f found) reference() string {
	if f.session != nil {
		return f.session.ClientReferenceID
	}
	return f.intent.Metadata[metaReference]
}

func (f found) echoes() bool {
	if f.session != nil {
		return f.session.echoes()
	}
	return f.intent.echoes()
}

// waits tells whether it is the shopper's turn: nothing is reserved or on its way.
func (f found) waits() bool {
	if f.session != nil {
		return f.session.Status == "open"
	}
	return stateIn(intentStates, f.intent.Status) == payment.ActionRequired
}

// paid returns the intent, if there is one by now.
func (f found) paid() *intentObject {
	if f.session != nil {
		return f.session.PaymentIntent.Object
	}
	return f.intent
}

func (f found) facts(g *Gateway, source payment.Source) ([]payment.Fact, error) {
	if f.session != nil {
		return g.sessionFacts(f.session, source)
	}
	return g.intentFacts(f.intent, source)
}
