package stripe

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"

	"github.com/paysvc/paysvc/internal/gateways"
)

// wire carries the SDK's requests by the kit, which knows what may have left.
type wire struct{ client *gateways.Client }

// exchange is one request of the SDK: what the kit has to know of it, and what
// came of it.
type exchange struct {
	operation, reference string
	safe                 bool
	answer               gateways.Answer
}

type exchangeKey struct{}

var errNoExchange = errors.New("a request outside an exchange")

// passed are the header fields that leave. The SDK's others describe the program
// and the machine that it runs on, which is nobody's business.
func passed() []string {
	return []string{"Authorization", "Content-Type", "Idempotency-Key", "Stripe-Version"}
}

// exchange lets the SDK make one request and returns what came of it. What the
// SDK made of the answer is dropped: its errors repeat what Stripe sent.
func (g *Gateway) exchange(ctx context.Context, operation, reference string, safe bool, request func(context.Context) error) gateways.Answer {
	e := &exchange{operation: operation, reference: reference, safe: safe}
	e.answer = gateways.Answer{Outcome: gateways.NotSent, Reason: gateways.ReasonConnectionFailed} // should it never get to the wire
	_ = request(context.WithValue(ctx, exchangeKey{}, e))
	return e.answer
}

// RoundTrip implements http.RoundTripper.
func (w wire) RoundTrip(r *http.Request) (*http.Response, error) {
	e, ok := r.Context().Value(exchangeKey{}).(*exchange)
	if !ok {
		return nil, errNoExchange
	}
	var body []byte
	if r.Body != nil {
		read, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		_ = r.Body.Close() // a reader in memory
		body = read
	}
	header := http.Header{"Accept": {"application/json"}, "User-Agent": {"paysvc"}}
	for _, name := range passed() {
		if values := r.Header.Values(name); len(values) > 0 {
			header[name] = values
		}
	}
	e.answer = w.client.Do(r.Context(), gateways.Exchange{
		Operation: e.operation, Reference: e.reference, Safe: e.safe,
		Method: r.Method, URL: r.URL.String(), Header: header, Body: body,
	})
	if e.answer.Outcome != gateways.Answered {
		return nil, e.answer.Err()
	}
	return &http.Response{
		StatusCode: e.answer.Status, Status: http.StatusText(e.answer.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: e.answer.Header, Body: io.NopCloser(bytes.NewReader(e.answer.Body)),
		ContentLength: int64(len(e.answer.Body)), Request: r,
	}, nil
}
