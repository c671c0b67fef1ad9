package stripe_test

import (
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/go-json-experiment/json"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
)

const (
	ourAccount    = "stripe-main"
	webhookSecret = gateways.Secret("whsec_test")
)

// today is the time of every clock here.
func today() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// shop is an order that announced a payment at a fake Stripe.
type shop struct {
	stripe    *fake
	gateway   *stripe.Gateway
	order     *payment.Order
	payment   *payment.Payment
	request   payment.PayRequest
	reference string
	ids       *payment.IDs
}

// open returns a gateway in front of whatever carries its requests.
func open(t *testing.T, carrier http.RoundTripper, change func(*stripe.Config)) *stripe.Gateway {
	t.Helper()
	c := stripe.Config{SecretKey: "sk_test_1", PublishableKey: publishableKey, WebhookSecrets: []gateways.Secret{webhookSecret}}
	if change != nil {
		change(&c)
	}
	g, err := stripe.New(c, deps(carrier))
	require.NoError(t, err)
	return g
}

func deps(carrier http.RoundTripper) gateways.Deps {
	return gateways.Deps{
		Account: ourAccount, Mode: payment.ModeTest, Now: today, Log: zerolog.Nop(),
		Transport: func(string, string) http.RoundTripper { return carrier },
	}
}

// newShop announces an order of 100 euros on the method.
func newShop(t *testing.T, method string) *shop {
	t.Helper()
	s := &shop{stripe: newFake(today)}
	s.stripe.checked = checked(t)
	s.gateway = open(t, s.stripe, nil)
	total := money(t, "100.00", "EUR")
	s.ids = payment.NewIDs(today, rand.NewChaCha8([32]byte{}))
	s.reference = s.ids.Reference()
	s.order = orderOf(total)
	s.payment = s.order.OpenPayment(method, stripe.Name, ourAccount, payment.ModeTest, total, today())
	s.request = payment.PayRequest{
		Reference: s.reference, Capture: !s.gateway.Describe().Methods[method].AuthorizeOnly, Amount: total, Method: method,
		Order: s.order, SuccessURL: "https://shop.example/ok?a=1", FailureURL: "https://shop.example/no",
	}
	s.order.Announce(s.payment, s.request.Type(), s.reference, total, today(), today())
	return s
}

func orderOf(total payment.Money) *payment.Order {
	zero := payment.Zero(total.Currency())
	return &payment.Order{Store: "demo", Details: payment.Details{
		Number: "10001", Currency: total.Currency(), Total: total, Shipping: zero, Discount: zero, Tax: zero,
		Lines: []payment.Line{{SKU: "A-1", Name: "Lamp", Quantity: 1, UnitPrice: total, Total: total}},
	}, Progress: payment.Progress{Status: payment.OrderPending}, Saved: payment.Progress{Status: payment.OrderPending}}
}

func money(t testing.TB, amount, code string) payment.Money {
	t.Helper()
	c, err := payment.ParseCurrency(code)
	require.NoError(t, err)
	m, err := payment.ParseMoney(amount, c)
	require.NoError(t, err)
	return m
}

// pay begins the payment and records what came of it.
func (s *shop) pay(t *testing.T) payment.Fact {
	t.Helper()
	f := s.gateway.Pay(t.Context(), s.request)
	s.record(t, f)
	return f
}

func (s *shop) record(t *testing.T, facts ...payment.Fact) {
	t.Helper()
	for _, f := range facts {
		_, err := s.order.Record(f, today())
		require.NoError(t, err)
	}
}

// deliver hands over every event that waits and records what it says.
func (s *shop) deliver(t *testing.T) []gateways.Notice {
	t.Helper()
	var notices []gateways.Notice
	for _, body := range s.stripe.events {
		n, err := s.gateway.ReadNotification(t.Context(), signed(body, webhookSecret, today()))
		require.NoError(t, err, string(body))
		s.record(t, n.Facts...)
		notices = append(notices, n)
	}
	s.stripe.events = nil
	return notices
}

// inquire asks what became of the payment, as the engine does.
func (s *shop) inquire(t *testing.T) ([]payment.Fact, error) {
	t.Helper()
	facts, err := s.gateway.Inquire(t.Context(), s.inquiry())
	s.record(t, facts...)
	return facts, err
}

func (s *shop) close(t *testing.T) ([]payment.Fact, error) {
	t.Helper()
	facts, err := s.gateway.Close(t.Context(), s.inquiry())
	s.record(t, facts...)
	return facts, err
}

func (s *shop) inquiry() payment.Inquiry {
	t := s.payment.Initial()
	return payment.Inquiry{
		Reference: t.Reference, GatewayReference: t.GatewayReference, Type: t.Type, Amount: t.Amount,
		Initial: *t, CreatedAt: t.CreatedAt,
	}
}

func (s *shop) state() payment.State { return s.payment.Initial().State }

// requireBooks tells that the order's sums are these, and that nobody has to look.
func (s *shop) requireBooks(t *testing.T, authorized, captured, refunded, voided string) {
	t.Helper()
	s.requireSums(t, authorized, captured, refunded, voided)
	require.Empty(t, s.order.Review)
}

func (s *shop) requireSums(t *testing.T, authorized, captured, refunded, voided string) {
	t.Helper()
	sums := s.payment.Sums
	require.Equal(t, []string{authorized, captured, refunded, voided},
		[]string{sums.Authorized.String(), sums.Captured.String(), sums.Refunded.String(), sums.Voided.String()})
}

// intent is the id of the shop's intent at Stripe.
func (s *shop) intent() string {
	for id := range s.stripe.intents {
		return id
	}
	return ""
}

// vectors returns the folder of payloads that nobody here wrote, or skips.
func vectors(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("PAYSVC_VECTORS")
	if folder == "" {
		t.Skip("PAYSVC_VECTORS names no folder")
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", "..", "..", folder)
	}
	return filepath.Join(folder, "stripe")
}

// schemas loads Stripe's own description of its objects, once.
var schemas = sync.OnceValues(func() (openapi3.Schemas, error) {
	folder := os.Getenv("PAYSVC_VECTORS")
	if folder == "" {
		return nil, nil
	}
	if !filepath.IsAbs(folder) {
		folder = filepath.Join("..", "..", "..", folder)
	}
	doc, err := openapi3.NewLoader().LoadFromFile(filepath.Join(folder, "stripe", "openapi-subset.json"))
	if err != nil {
		return nil, err
	}
	return doc.Components.Schemas, nil
})

// checked returns what compares the fake's objects with Stripe's description.
func checked(t *testing.T) func(map[string]any) {
	t.Helper()
	known, err := schemas()
	require.NoError(t, err)
	return func(o map[string]any) {
		if known == nil {
			return
		}
		name := o["object"].(string)
		require.Contains(t, known, name)
		var plain any
		require.NoError(t, json.Unmarshal(encode(o), &plain))
		require.NoError(t, known[name].Value.VisitJSON(plain), name)
	}
}

func TestTheFakeIsCheckedAgainstStripesDescription(t *testing.T) {
	t.Parallel()
	vectors(t)
	known, err := schemas()
	require.NoError(t, err)
	for _, name := range []string{"checkout.session", "payment_intent", "charge", "refund", "dispute"} {
		require.Error(t, known[name].Value.VisitJSON(map[string]any{"id": 1.0, "object": name}), name)
	}
}
