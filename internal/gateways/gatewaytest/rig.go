package gatewaytest

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// canary is in everything that must not come out: credentials, personal data,
// addresses with tokens, bodies.
const canary = "canary"

const (
	account   = "suite-account"
	reference = "01K3SV1TEREFERENCE00"
	// timeout is never reached by a PSP that answers, shortTimeout by one that does not.
	timeout      = 5 * time.Second
	shortTimeout = time.Second
	// patience bounds a call that should have ended by its time-out long ago.
	patience = 20 * time.Second
)

// now is the time of the suite's clock.
var now = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

var (
	apiKey        = gateways.Secret(canary + "-api-key")
	webhookSecret = gateways.Secret(canary + "-webhook-secret")
)

type suite struct {
	Harness
	logs *logs
}

// logs collects what the gateway logs.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *logs) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// hold fails the test if anything came out that must not.
func (l *logs) hold(t *testing.T) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	if strings.Contains(l.text.String(), canary) {
		t.Errorf("the log holds a secret, a payload or personal data:\n%s", l.text.String())
	}
}

// rig is a gateway in front of a PSP that the test plays.
type rig struct {
	gateway gateways.Gateway
	url     string
	// requests counts what arrived at the PSP, sends what asked it to pay, and does
	// what asked it to do something with a payment.
	requests, sends, does atomic.Int64
}

// settings are those of a gateway in front of a PSP at the address.
func settings(url string) Settings {
	return Settings{BaseURL: url, APIKey: apiKey, WebhookSecrets: []gateways.Secret{webhookSecret}, Timeout: timeout}
}

func (s *suite) open(t *testing.T, set Settings) gateways.Gateway {
	t.Helper()
	g, err := s.Open(gateways.Deps{
		Account: account, Mode: payment.ModeTest, Now: func() time.Time { return now }, Log: zerolog.New(s.logs),
	}, set)
	require.NoError(t, err)
	return g
}

// connect opens the gateway in front of the PSP.
func (s *suite) connect(t *testing.T, psp http.HandlerFunc) *rig {
	t.Helper()
	return s.connectFor(t, timeout, psp)
}

// connectFor does so with a time-out.
func (s *suite) connectFor(t *testing.T, timeout time.Duration, psp http.HandlerFunc) *rig {
	t.Helper()
	r := &rig{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.requests.Add(1)
		if s.PSP.Pays(req) {
			r.sends.Add(1)
		}
		if o := s.PSP.Operations; o != nil && o.Does(req) {
			r.does.Add(1)
		}
		psp(w, req)
	}))
	t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	r.url = server.URL
	set := settings(server.URL)
	set.Timeout = timeout
	r.gateway = s.open(t, set)
	return r
}

// nobody returns an address where nobody listens.
func nobody(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return "http://" + listener.Addr().String()
}

// says is what the PSP says when all is well.
func says(state payment.State) Says {
	return Says{Reference: reference, State: state, Capture: true, Amount: amount(12995, "EUR"), Mode: payment.ModeTest}
}

// answering returns a PSP that always says the same.
func (s *suite) answering(says Says) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // a broken connection shows elsewhere
		s.PSP.Answer(w, r, says)
	}
}

// request asks for a payment by a method.
func (s *suite) request(method string, capture bool) payment.PayRequest {
	r := payment.PayRequest{
		Reference: reference, Capture: capture, Amount: amount(12995, "EUR"), Method: method, Order: order(),
		SuccessURL: "https://shop.example/order-submit/" + canary, FailureURL: "https://shop.example/order-failed/" + canary,
		NotifyURL: "https://shop.example/confirm/x/y?token=" + canary,
	}
	if s.Harness.Request != nil {
		r = s.Harness.Request(r)
	}
	return r
}

// inquiry asks about that payment.
func inquiry() payment.Inquiry {
	return payment.Inquiry{Reference: reference, Type: payment.AuthorizeAndCapture, Amount: amount(12995, "EUR")}
}

func order() *payment.Order {
	total := amount(12995, "EUR")
	return &payment.Order{Store: "suite", Details: payment.Details{
		Number: "10001", Currency: total.Currency(), Total: total, Shipping: amount(0, "EUR"),
		Discount: amount(0, "EUR"), Tax: amount(0, "EUR"),
		Lines:    []payment.Line{{SKU: "A-1", Name: "Lamp", Quantity: 1, UnitPrice: total, Total: total}},
		Customer: payment.Customer{ID: canary, Email: canary + "@example.org", Name: canary, IP: canary, Phone: canary},
	}, Progress: payment.Progress{Status: payment.OrderPending}, Saved: payment.Progress{Status: payment.OrderPending}}
}

func amount(minor int64, code string) payment.Money {
	c, err := payment.ParseCurrency(code)
	if err != nil {
		panic(err) // a code of the suite's own
	}
	return payment.FromMinor(minor, c)
}

// record works facts into an order that announced the payment, as the engine
// does, and returns the order and its payment.
func (s *suite) record(t *testing.T, facts ...payment.Fact) (*payment.Order, *payment.Payment) {
	t.Helper()
	o := order()
	p := o.OpenPayment("suite-method", s.Name, account, payment.ModeTest, o.Total, now)
	o.Announce(p, payment.AuthorizeAndCapture, reference, o.Total, now, now)
	for _, f := range facts {
		_, err := o.Record(f, now)
		require.NoError(t, err)
	}
	return o, p
}

// within returns what f returns, or fails the test when it does not return.
func within[T any](t *testing.T, f func() T) T {
	t.Helper()
	done := make(chan T, 1)
	go func() { done <- f() }()
	select {
	case v := <-done:
		return v
	case <-time.After(patience):
		require.FailNow(t, "the call did not end by its time-out")
		panic("unreachable")
	}
}

// silent tells that nothing of a fact that people read repeats the PSP's body.
func silent(t *testing.T, f payment.Fact) {
	t.Helper()
	require.NotContains(t, f.Reason.Code+f.Reason.Message, canary)
	require.NotEmpty(t, f.Reason.Code, "a fact that is no good news says why")
}
