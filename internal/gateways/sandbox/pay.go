package sandbox

import (
	"context"
	"net"
	"net/http"
	"syscall"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

const paymentsPath = "/sandbox/v1/payments"

// payRequest is what a payment begins with, in the PSP's words.
type payRequest struct {
	Reference  string `json:"reference"`
	Amount     string `json:"amount"`
	Currency   string `json:"currency"`
	Capture    bool   `json:"capture"`
	Flow       string `json:"flow"`
	Scenario   string `json:"scenario"`
	SuccessURL string `json:"success_url,omitempty"`
	FailureURL string `json:"failure_url,omitempty"`
	NotifyURL  string `json:"notify_url,omitempty"`
}

// Pay implements gateways.Payer.
func (g *Gateway) Pay(ctx context.Context, r payment.PayRequest) payment.Fact {
	scenario, err := scenarioOf(r.Data, scenarios())
	if err != nil {
		return neverSent(r.Reference, "invalid_data", "The payment data is not valid.")
	}
	flow := "direct"
	if r.Method == methodWallet {
		flow = "redirect"
	}
	sent := payRequest{
		Reference: r.Reference, Amount: r.Amount.String(), Currency: r.Amount.Currency().String(),
		Capture: r.Capture, Flow: flow, Scenario: scenario,
		SuccessURL: r.SuccessURL, FailureURL: r.FailureURL, NotifyURL: r.NotifyURL,
	}
	client := g.clientFor(&sent.Scenario)
	body, err := json.Marshal(sent)
	if err != nil {
		return neverSent(r.Reference, "invalid_request", "The payment cannot be put into the payment provider's words.")
	}
	ctx, cancel := context.WithTimeout(ctx, client.Timeout())
	defer cancel()
	return g.paid(ctx, r.Reference, client.Do(ctx, g.exchange("pay", r.Reference, http.MethodPost, "", body)))
}

// paid reads the answer to a request to pay.
func (g *Gateway) paid(ctx context.Context, reference string, a gateways.Answer) payment.Fact {
	if a.Outcome != gateways.Answered {
		return a.Fact(reference)
	}
	if a.Status != http.StatusOK {
		return refused(reference, a)
	}
	p, err := decode[paymentObject](a.Body)
	if err != nil {
		return a.Unreadable().Fact(reference)
	}
	if !p.echoes() {
		return g.askAgain(ctx, reference)
	}
	if p.Reference != reference {
		return unknown(reference, "reference_mismatch", "The payment provider answered about another payment.")
	}
	facts, err := g.facts(&p, payment.SourceAnswer)
	if err != nil {
		return a.Unreadable().Fact(reference)
	}
	return facts[0]
}

// askAgain asks for what an answer did not say. Such an answer is a hint that
// the payment exists, and proves nothing about it.
func (g *Gateway) askAgain(ctx context.Context, reference string) payment.Fact {
	facts, err := g.Inquire(ctx, payment.Inquiry{Reference: reference, Type: payment.Authorize})
	if err != nil {
		return unknown(reference, "answer_without_echo", "The payment provider did not say what its answer is about.")
	}
	return facts[0]
}

// refused reads an answer that is an error. The PSP books nothing of a request
// that it finds wrong; any other error says nothing about what it booked.
func refused(reference string, a gateways.Answer) payment.Fact {
	e, err := decode[errorObject](a.Body)
	if err != nil || e.Error.Code == "" {
		return a.Unreadable().Fact(reference)
	}
	f := unknown(reference, "", "")
	f.Reason = gateways.PlainReason(e.Error.Code, e.Error.Message, "")
	switch a.Status {
	case http.StatusBadRequest, http.StatusUnauthorized, http.StatusForbidden,
		http.StatusRequestEntityTooLarge, http.StatusUnprocessableEntity:
		f.State = payment.NotSent
	}
	return f
}

// neverSent is the fact of a request that was not made.
func neverSent(reference, code, message string) payment.Fact {
	f := unknown(reference, code, message)
	f.State = payment.NotSent
	return f
}

// exchange returns a request about a payment.
func (g *Gateway) exchange(operation, reference, method, path string, body []byte) gateways.Exchange {
	return gateways.Exchange{
		Operation: operation, Reference: reference, Safe: method == http.MethodGet,
		Method: method, URL: g.config().BaseURL + paymentsPath + path, Body: body,
		Header: http.Header{
			"Authorization": {"Bearer " + g.config().APIKey.Reveal()},
			"Content-Type":  {"application/json"},
			"Accept":        {"application/json"},
		},
	}
}

// clientFor returns what carries a request, and makes the scenario one that the
// PSP knows.
func (g *Gateway) clientFor(scenario *string) *gateways.Client {
	if *scenario != scenarioRefuse {
		return g.client
	}
	*scenario = scenarioApprove
	return g.unreachable()
}

// unreachable returns a client that finds nobody listening, with a breaker of
// its own: the scenario must not open the one of the account.
func (g *Gateway) unreachable() *gateways.Client {
	d := g.deps
	d.Transport = func(string, string) http.RoundTripper { return nobodyListens{} }
	return gateways.NewClient(Name, d, gateways.Limits{Timeout: g.config().Timeout})
}

type nobodyListens struct{}

// RoundTrip implements http.RoundTripper.
func (nobodyListens) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		_ = r.Body.Close() // a reader in memory
	}
	return nil, &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
}
