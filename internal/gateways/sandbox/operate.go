package sandbox

import (
	"context"
	"net/http"
	"net/url"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// operationRequest is what is asked of a payment, in the PSP's words.
type operationRequest struct {
	Reference string `json:"reference"`
	Amount    string `json:"amount"`
	Currency  string `json:"currency"`
	Scenario  string `json:"scenario"`
	Final     bool   `json:"final,omitempty"`
}

// Capture implements gateways.Capturer.
func (g *Gateway) Capture(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	return g.operate(ctx, "capture", r)
}

// Refund implements gateways.Refunder.
func (g *Gateway) Refund(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	return g.operate(ctx, "refund", r)
}

// Void implements gateways.Voider.
func (g *Gateway) Void(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	return g.operate(ctx, "void", r)
}

// Increase implements gateways.Increaser.
func (g *Gateway) Increase(ctx context.Context, r payment.OperationRequest) []payment.Fact {
	return g.operate(ctx, "increase", r)
}

// operate asks for an operation by the PSP's word for it.
func (g *Gateway) operate(ctx context.Context, word string, r payment.OperationRequest) []payment.Fact {
	scenario, err := scenarioOf(r.Data, operationScenarios())
	if err != nil {
		return []payment.Fact{neverSent(r.Reference, "invalid_data", "The data of the operation is not valid.")}
	}
	sent := operationRequest{
		Reference: r.Reference, Amount: r.Amount.String(), Currency: r.Amount.Currency().String(),
		Scenario: scenario, Final: r.Final && word == "capture",
	}
	client := g.clientFor(&sent.Scenario)
	body, err := json.Marshal(sent)
	if err != nil {
		return []payment.Fact{neverSent(r.Reference, "invalid_request", "The request cannot be put into the payment provider's words.")}
	}
	o := operation{word: word, reference: r.Reference, of: r.Initial().Reference}
	ctx, cancel := context.WithTimeout(ctx, client.Timeout())
	defer cancel()
	path := "/" + url.PathEscape(o.of) + "/" + word + "s"
	return g.operated(ctx, o, client.Do(ctx, g.exchange(word, r.Reference, http.MethodPost, path, body)))
}

// operation names what was asked for: the PSP's word, our reference, and that of
// the payment that it acts upon.
type operation struct{ word, reference, of string }

// operated reads the answer to a request for an operation.
func (g *Gateway) operated(ctx context.Context, o operation, a gateways.Answer) []payment.Fact {
	if a.Outcome != gateways.Answered {
		return []payment.Fact{a.Fact(o.reference)}
	}
	if a.Status != http.StatusOK {
		return g.notOperated(ctx, o, a)
	}
	object, err := decode[operatedObject](a.Body)
	switch {
	case err != nil:
		return []payment.Fact{a.Unreadable().Fact(o.reference)}
	case !object.echoes():
		return g.askOperation(ctx, o)
	case !o.is(&object):
		return []payment.Fact{unknown(o.reference, "reference_mismatch", "The payment provider answered about something else.")}
	}
	facts, err := g.operationFacts(&object, payment.SourceAnswer)
	if err != nil {
		return []payment.Fact{a.Unreadable().Fact(o.reference)}
	}
	return facts
}

// is tells whether the object is about the operation.
func (o operation) is(object *operatedObject) bool {
	return object.Operation.Reference == o.reference && object.Payment.Reference == o.of && object.Operation.Operation == o.word
}

// operationFacts returns what the object says of its operation, and of what came
// along with it.
func (g *Gateway) operationFacts(object *operatedObject, source payment.Source) ([]payment.Fact, error) {
	all, err := g.facts(&object.Payment, source)
	if err != nil {
		return nil, err
	}
	first, err := operationFact(all[0], object.Operation, types[object.Operation.Operation])
	if err != nil {
		return nil, err
	}
	facts := []payment.Fact{first}
	for _, f := range all[1:] {
		if f.Reference == first.Reference && f.GatewayReference != first.GatewayReference {
			facts = append(facts, f)
		}
	}
	return facts, nil
}
