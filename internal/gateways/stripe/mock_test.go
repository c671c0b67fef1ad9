package stripe_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
)

// skipMock is what a machine sets that has neither stripe-mock nor a way to get
// it. CI does not.
const skipMock = "PAYSVC_SKIP_STRIPE_MOCK"

// stripeMock starts Stripe's own mock server: it knows nothing of what it was told
// before, and refuses every parameter that Stripe would refuse.
func stripeMock(t *testing.T) (address string) {
	t.Helper()
	if os.Getenv(skipMock) != "" {
		t.Skip(skipMock + " is set")
	}
	root, err := filepath.Abs(filepath.Join("..", "..", ".."))
	require.NoError(t, err)
	// -n builds the tool, if that was not done before, and tells where it is.
	find := exec.CommandContext(t.Context(), "go", "tool", "-modfile=tools/go.mod", "-n", "stripe-mock")
	find.Dir = root
	var problems strings.Builder
	find.Stderr = &problems
	path, err := find.Output()
	require.NoError(t, err, "stripe-mock could not be built; without it set %s: %s", skipMock, &problems)

	mock := exec.Command(strings.TrimSpace(string(path)), "-http-addr", "127.0.0.1:0", "-https-addr", "127.0.0.1:0")
	output, err := mock.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, mock.Start())
	lines := bufio.NewScanner(output)
	for address == "" && lines.Scan() {
		_, address, _ = strings.Cut(lines.Text(), "Listening for HTTP at address: ")
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines.Scan() {
			continue // else it would wait for a reader
		}
	}()
	t.Cleanup(func() {
		_ = mock.Process.Kill()
		<-read
		_ = mock.Wait()
	})
	require.NotEmpty(t, address, "stripe-mock did not say where it listens")
	return "http://" + address
}

// recorder keeps what passes, and makes of the mock's answers what leads on.
type recorder struct {
	*http.Transport
	reference string
	mu        sync.Mutex
	passed    []string
	refused   []string
}

// RoundTrip implements http.RoundTripper.
func (r *recorder) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := r.Transport.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	called := req.Method + " " + req.URL.Path
	r.passed = append(r.passed, called)
	if resp.StatusCode != http.StatusOK {
		r.refused = append(r.refused, called+": "+string(body))
	}
	resp.Body = io.NopCloser(bytes.NewReader(r.leadOn(req, body)))
	return resp, nil
}

// leadOn has the search find nothing, so that the lists are asked, and an intent
// be ours, of a page and disputed.
func (r *recorder) leadOn(req *http.Request, body []byte) []byte {
	var answer object
	if json.Unmarshal(body, &answer) != nil {
		return body
	}
	switch {
	case req.URL.Path == searchPath:
		answer["data"] = []any{}
	case strings.HasPrefix(req.URL.Path, "/v1/payment_intents/pi_"):
		answer["metadata"] = object{"reference": r.reference, "method": "checkout"}
		answer["latest_charge"] = object{"id": "ch_1", "status": "succeeded", "disputed": true}
		if strings.HasSuffix(req.URL.Path, "_paid") {
			answer["status"], answer["amount_received"] = "succeeded", answer["amount"]
		}
		if strings.HasSuffix(req.URL.Path, "_card") {
			answer["metadata"].(object)["method"] = "card"
		}
	}
	return encode(answer)
}

func TestRequestsAreThoseThatStripeTakes(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout")
	wire := &recorder{Transport: gateways.NewTransport(), reference: s.reference}
	g := open(t, wire, func(c *stripe.Config) {
		c.BaseURL, c.StatementDescriptorSuffix, c.PaymentMethodTypes = stripeMock(t), "LAMPS", []string{"card", "sepa_debit"}
		c.IncrementalAuthorization = true
	})
	t.Cleanup(wire.CloseIdleConnections)
	for method, m := range g.Describe().Methods {
		s.request.Method, s.request.Capture = method, !m.AuthorizeOnly
		f := g.Pay(t.Context(), s.request)
		require.NotEqual(t, payment.NotSent, f.State, "%s: %v", method, f.Reason)
	}
	// What the mock says is mostly about somebody else; that it took the request
	// is what matters.
	for _, id := range []string{"", "cs_test_1", "pi_1", "pi_1_card", "pi_1_paid"} {
		q := payment.Inquiry{Reference: s.reference, GatewayReference: id, Type: payment.Authorize}
		_, _ = g.Inquire(t.Context(), q)
		_, _ = g.Close(t.Context(), q)
	}
	operateAll(t, g, s)
	_, _, err := g.List(t.Context(), today().Add(-time.Hour), today(), "evt_1")
	require.Error(t, err, "the mock's event is of none that were asked for")
	require.Empty(t, wire.refused)
	for _, called := range []string{
		"POST /v1/checkout/sessions", "GET /v1/checkout/sessions", "GET /v1/checkout/sessions/cs_test_1",
		"POST /v1/checkout/sessions/cs_test_1/expire", "POST /v1/payment_intents", "GET /v1/payment_intents",
		"GET /v1/payment_intents/search", "GET /v1/payment_intents/pi_1_card", "POST /v1/payment_intents/pi_1_card/cancel",
		"GET /v1/disputes", "POST /v1/payment_intents/pi_1/capture", "POST /v1/payment_intents/pi_1/cancel",
		"POST /v1/payment_intents/pi_1/increment_authorization", "POST /v1/refunds", "GET /v1/refunds", "GET /v1/refunds/re_1",
		"GET /v1/events",
	} {
		require.Contains(t, wire.passed, called)
	}
}

// operateAll asks for all that can be asked for, and what became of it.
func operateAll(t *testing.T, g *stripe.Gateway, s *shop) {
	t.Helper()
	s.gateway = g
	for _, typ := range []payment.Type{payment.Capture, payment.Void, payment.Refund, payment.Authorize} {
		for _, reason := range []string{"", "duplicate", "The lamp is broken."} {
			for _, id := range []string{"pi_1", "cs_test_1"} {
				s.payment.Initial().GatewayReference, s.payment.Initial().State = id, payment.Approved
				r := s.plan(t, typ, "10.00")
				r.Reason = reason
				s.ask(t, r)
				s.payment.Transactions = s.payment.Transactions[:1]
			}
		}
		for _, id := range []string{"", "re_1"} {
			_, _ = g.Inquire(t.Context(), payment.Inquiry{
				Reference: s.ids.Reference(), GatewayReference: id, Type: typ, Initial: *s.payment.Initial(), CreatedAt: today(),
			})
		}
	}
}

func TestTheMockRefusesWhatStripeWouldRefuse(t *testing.T) {
	t.Parallel()
	mock := stripeMock(t)
	carrier := gateways.NewTransport()
	g := open(t, carrier, func(c *stripe.Config) { c.BaseURL, c.PaymentMethodTypes = mock, []string{"shells"} })
	t.Cleanup(carrier.CloseIdleConnections)
	f := g.Pay(t.Context(), newShop(t, "checkout").request)
	require.Equal(t, payment.NotSent, f.State)
}
