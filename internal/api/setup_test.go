package api_test

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/catalog"
	"github.com/paysvc/paysvc/internal/gateways/giftcard"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/internal/sandbox"
	"github.com/paysvc/paysvc/internal/settings"
	"github.com/paysvc/paysvc/internal/store"
	"github.com/paysvc/paysvc/migrations"
)

// otherStore is a second store beside demo, so that tests can see that stores
// are kept apart.
const otherStore = `  other:
    return_origins:
      - https://other.example
    accounts:
      other-sandbox:
        gateway: sandbox
        mode: test
        settings:
          base_url: {env: PAYSVC_SANDBOX_URL}
          account: other
          api_key: {env: PAYSVC_SANDBOX_OTHER_API_KEY}
          webhook_secrets:
            - {env: PAYSVC_SANDBOX_WEBHOOK_SECRET}
          timeout: 5s
          finality: 10s
    methods:
      card:
        account: other-sandbox
        kind: card
`

// webhookSecret signs what the simulator sends, for tests that forge it.
const webhookSecret = "webhook-secret-of-tests"

// bundle is the whole API on a database of its own: the real store and moments,
// the stores demo and other, the simulator of the sandbox PSP, and a server that
// the simulator's notifications reach.
type bundle struct {
	t         *testing.T
	URL       string
	Database  string // URL, to look behind the store
	API       *api.API
	Store     *store.Store
	Moments   *moments.Service
	Settings  *settings.Settings
	Simulator *sandbox.Simulator
	Clock     *clock
	Log       *syncBuffer

	ids *payment.IDs
	// guard stands before the store's gift cards; cards, when set, are others in their
	// place.
	guard *giftcard.Guard
	cards gateways.GiftCards
}

// clock is the real one, moved on by as much as a test says.
type clock struct{ ahead atomic.Int64 }

// Now is what the service takes for the time.
func (c *clock) Now() time.Time { return time.Now().Add(time.Duration(c.ahead.Load())) }

// Advance moves the clock on.
func (c *clock) Advance(d time.Duration) { c.ahead.Add(int64(d)) }

// boot starts the API on a database of its own. change may alter what it is made of.
func boot(t *testing.T, change ...func(*api.Deps)) *bundle {
	t.Helper()
	return bootOn(t, pgtest.Database(t), change...)
}

// bootAlone starts the API on a database server of its own: for tests that wait
// for events, which a transaction in any database of the server holds back.
func bootAlone(t *testing.T) *bundle {
	t.Helper()
	server, _ := pgtest.Server(t, false)
	require.NoError(t, server.CreateDatabase(t.Context(), "alone"))
	url := server.URL("alone")
	require.NoError(t, postgres.Migrate(t.Context(), url, migrations.FS))
	return bootOn(t, url)
}

func bootOn(t *testing.T, database string, change ...func(*api.Deps)) *bundle {
	t.Helper()
	b := &bundle{t: t, Clock: &clock{}, Log: &syncBuffer{}, Database: database}
	b.ids = payment.NewIDs(b.Clock.Now, rand.Reader)
	log := zerolog.New(b.Log)

	server := httptest.NewUnstartedServer(nil)
	b.URL = "http://" + server.Listener.Addr().String()
	b.simulate()
	b.Settings = b.load(log)

	var err error
	b.Store, err = store.Open(t.Context(), b.Database, store.Options{ConnectionsMax: 8, NewID: b.ids.New, GiftCardKey: cardKey(t)})
	require.NoError(t, err)
	t.Cleanup(b.Store.Close)
	b.guard = giftcard.NewGuard(b.Store, b.Clock.Now, log)
	b.Moments, err = moments.New(moments.Deps{
		Book: b.Store, Orders: b.Store, Claims: b.Store, Inquiries: b.Store, Inbox: b.Store, Cases: b.Store, Settings: b.Settings,
		IDs: b.ids, Now: b.Clock.Now, Log: log, PublicURL: b.URL, Makers: steps.Makers(steps.MakerDeps{Poster: unasked{}}),
	})
	require.NoError(t, err)
	deps := api.Deps{
		Moments: b.Moments, Orders: b.Store, Keys: b.Store, Books: booksOf(b.Store, b.guard, b.Moments), IDs: b.ids, Now: b.Clock.Now,
		Random: rand.Reader, Log: log, Version: "test", Ready: b.Store.Ready,
		Mount: map[string]http.Handler{"/sandbox": b.Simulator.Handler()}, Webhooks: webhooks(t),
	}
	for _, c := range change {
		c(&deps)
	}
	b.API, err = api.New(deps)
	require.NoError(t, err)
	server.Config.Handler = b.API
	server.Start()
	t.Cleanup(server.Close)
	t.Cleanup(func() { _ = b.Simulator.Close() }) // runs before the server closes: nothing is delivered any more
	return b
}

// guarded are the gift cards of the store, behind the guard.
type guarded struct {
	*store.Store
	guard *giftcard.Guard
}

// GiftCardByCode implements api.GiftCards.
func (g guarded) GiftCardByCode(ctx context.Context, l payment.GiftCardLookup) (payment.GiftCard, error) {
	return g.guard.GiftCardByCode(ctx, l)
}

// cardKey is what codes of gift cards are hashed with.
func cardKey(t *testing.T) payment.GiftCardKey {
	t.Helper()
	key, err := payment.NewGiftCardKey(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	return key
}

func booksOf(s *store.Store, guard *giftcard.Guard, m *moments.Service) api.Books {
	return api.Books{
		Transactions: s, Notes: s, Timeline: s, Attributes: s, CheckoutState: s.CheckoutState(), Events: s, Endpoints: s, Deliveries: s, Runs: s, Notifications: s, News: s, Cases: s,
		Stock: s, PromotionCodes: s, Baskets: s, GiftCards: guarded{s, guard}, Audits: s, Replays: m, Pipelines: m, Jobs: parked{},
	}
}

// simulate starts a PSP whose waiting times are short.
func (b *bundle) simulate() {
	var err error
	b.Simulator, err = sandbox.New(sandbox.Config{
		PublicURL: b.URL, Now: time.Now, Rand: rand.Reader,
		Accounts: []sandbox.Account{
			{ID: "demo", APIKey: "api-key-demo", WebhookSecret: webhookSecret, NotifyURL: b.URL + "/confirm/sandbox/sandbox"},
			{ID: "other", APIKey: "api-key-other", WebhookSecret: webhookSecret, NotifyURL: b.URL + "/confirm/sandbox/other-sandbox"},
		},
		Delays: sandbox.Delays{
			Pending: 100 * time.Millisecond, Slow: 300 * time.Millisecond, Silence: 200 * time.Millisecond,
			Retries: []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond, time.Second, time.Second},
		},
	})
	require.NoError(b.t, err)
}

func (b *bundle) load(log zerolog.Logger) *settings.Settings {
	environment := map[string]string{
		"PAYSVC_SANDBOX_URL": b.URL, "PAYSVC_SANDBOX_API_KEY": "api-key-demo",
		"PAYSVC_SANDBOX_OTHER_API_KEY": "api-key-other", "PAYSVC_SANDBOX_WEBHOOK_SECRET": webhookSecret,
	}
	inProcess := sandbox.Transport(b.Simulator.Handler())
	source := append(settings.Demo(), otherStore+officeStore...)
	loaded, err := settings.Load("demo.yaml", source, settings.Deps{
		Open: func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error) {
			return catalog.Open(gateway, gateways.Deps{
				Account: account, Mode: mode, Now: b.Clock.Now, Log: log,
				Transport: func(string, string) http.RoundTripper { return inProcess },
				GiftCards: func() gateways.GiftCards { return cmp.Or[gateways.GiftCards](b.cards, b.guard) },
			}, decode)
		},
		LookupEnv: func(name string) (string, bool) { value, ok := environment[name]; return value, ok },
		ReadFile:  func(string) ([]byte, error) { return nil, io.ErrUnexpectedEOF },
		Pipelines: moments.PipelineSettings(steps.Makers(steps.MakerDeps{})),
	})
	require.NoError(b.t, err)
	return loaded
}

var allScopes = []payment.Scope{
	payment.ScopeOrders, payment.ScopePayments, payment.ScopeRefunds, payment.ScopeRead, payment.ScopeAdmin,
}

// Key makes a secret key of a store; without scopes it has them all.
func (b *bundle) Key(storeName string, scopes ...payment.Scope) (string, payment.APIKey) {
	if len(scopes) == 0 {
		scopes = allScopes
	}
	return b.newKey("paysk_test_", payment.APIKey{Store: storeName, Kind: payment.SecretKey, Scopes: scopes, Name: "till"})
}

// PublishableKey makes a key for browsers.
func (b *bundle) PublishableKey(storeName string) string {
	secret, _ := b.newKey("paypk_test_", payment.APIKey{Store: storeName, Kind: payment.PublishableKey, Name: "browser"})
	return secret
}

func (b *bundle) newKey(prefix string, k payment.APIKey) (string, payment.APIKey) {
	b.t.Helper()
	secret := prefix + b.ids.Token()
	hash := sha256.Sum256([]byte(secret))
	k.ID, k.Hash, k.CreatedAt = "key_"+hex.EncodeToString(hash[:6]), hash[:], b.Clock.Now()
	require.NoError(b.t, b.Store.CreateKey(b.t.Context(), k, payment.ByCommandLine(b.Clock.Now())))
	return secret, k
}

// Client speaks as a server of store demo, with all scopes.
func (b *bundle) Client() *client {
	secret, _ := b.Key("demo")
	return b.As(secret)
}

// As speaks with a key; "" sends none.
func (b *bundle) As(key string) *client { return &client{t: b.t, url: b.URL, key: key} }

// client sends requests to the API.
type client struct {
	t        *testing.T
	url, key string
	// Sent, when set, sees every exchange.
	Sent func(*http.Request, []byte, *answer)
}

var requests atomic.Int64

// Send sends a request. A body that is a string or bytes goes out as it is,
// anything else as JSON. header holds names and values in turn; an empty value
// leaves the field out. POST gets an Idempotency-Key of its own unless one is
// named.
func (c *client) Send(method, path string, body any, header ...string) *answer {
	c.t.Helper()
	a, err := c.try(c.t.Context(), method, path, body, header...)
	require.NoError(c.t, err)
	return a
}

func (c *client) Get(path string, header ...string) *answer {
	c.t.Helper()
	return c.Send(http.MethodGet, path, nil, header...)
}

func (c *client) Post(path string, body any, header ...string) *answer {
	c.t.Helper()
	return c.Send(http.MethodPost, path, body, header...)
}

func (c *client) Put(path string, body any, header ...string) *answer {
	c.t.Helper()
	return c.Send(http.MethodPut, path, body, header...)
}

// try is Send for goroutines: it ends no test.
func (c *client) try(ctx context.Context, method, path string, body any, header ...string) (*answer, error) {
	sent, err := encode(body)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, method, c.url+path, bytes.NewReader(sent))
	if err != nil {
		return nil, err
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key)
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if method == http.MethodPost {
		req.Header.Set("Idempotency-Key", fmt.Sprintf("test-%d", requests.Add(1)))
	}
	for i := 0; i+1 < len(header); i += 2 {
		if header[i+1] == "" {
			req.Header.Del(header[i])
			continue
		}
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := noRedirects.Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	a := &answer{t: c.t, Status: resp.StatusCode, Header: resp.Header}
	if strings.HasPrefix(resp.Header.Get("Content-Type"), "text/event-stream") {
		return a, nil // it would not end
	}
	if a.Body, err = io.ReadAll(resp.Body); err != nil {
		return nil, err
	}
	if c.Sent != nil {
		c.Sent(req, sent, a)
	}
	return a, nil
}

var noRedirects = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}

func encode(body any) ([]byte, error) {
	switch body := body.(type) {
	case nil:
		return nil, nil
	case string:
		return []byte(body), nil
	case []byte:
		return body, nil
	}
	return json.Marshal(body)
}

// answer is what came back.
type answer struct {
	t      *testing.T
	Status int
	Header http.Header
	Body   []byte
}

// Is requires the status.
func (a *answer) Is(status int) *answer {
	a.t.Helper()
	require.Equal(a.t, status, a.Status, "%s", a.Body)
	return a
}

// Refused requires a problem with this status and code.
func (a *answer) Refused(status int, code string) *answer {
	a.t.Helper()
	a.Is(status)
	require.Equal(a.t, "application/problem+json", a.Header.Get("Content-Type"))
	require.Equal(a.t, code, a.Text("code"), "%s", a.Body)
	return a
}

// At returns what stands at a path such as order.payments.0.id, nil for nothing.
func (a *answer) At(path string) any {
	a.t.Helper()
	var at any
	require.NoError(a.t, json.Unmarshal(a.Body, &at), "%s", a.Body)
	if path == "" {
		return at
	}
	for name := range strings.SplitSeq(path, ".") {
		switch in := at.(type) {
		case map[string]any:
			at = in[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i >= len(in) {
				return nil
			}
			at = in[i]
		default:
			return nil
		}
	}
	return at
}

// Text returns the text at a path; anything else there fails the test.
func (a *answer) Text(path string) string {
	a.t.Helper()
	text, ok := a.At(path).(string)
	require.True(a.t, ok, "no text at %s: %s", path, a.Body)
	return text
}

// List returns the list at a path.
func (a *answer) List(path string) []any {
	a.t.Helper()
	rows, ok := a.At(path).([]any)
	require.True(a.t, ok, "no list at %s: %s", path, a.Body)
	return rows
}

var orders atomic.Int64

// orderOf is an order as a store sends it; change overwrites its fields, and a
// nil takes one out.
func orderOf(change ...map[string]any) map[string]any {
	o := map[string]any{
		"number": fmt.Sprintf("N-%d", 10_000+orders.Add(1)), "currency": "EUR", "total": "129.95",
		"lines":    []map[string]any{{"sku": "A-1", "name": "Lamp", "quantity": 2, "unit_price": "60.00", "total": "120.00"}},
		"shipping": "9.95", "tax": "20.75", "tax_included": true,
		"customer":        map[string]any{"id": "c-77", "email": "a@example.org", "name": "A. Person", "ip": "203.0.113.9"},
		"billing_address": map[string]any{"country": "NL", "city": "Utrecht"},
		"basket_id":       "b-9", "promotion_codes": []string{"SUMMER"}, "locale": "nl",
		"return_urls": map[string]any{"success": "https://shop.example/thanks", "failure": "https://shop.example/oops"},
		"metadata":    map[string]any{"k": "v"},
	}
	for _, fields := range change {
		for name, value := range fields {
			if value == nil {
				delete(o, name)
				continue
			}
			o[name] = value
		}
	}
	return o
}

// Order creates an order and returns its id.
func (c *client) Order(change ...map[string]any) string {
	c.t.Helper()
	return c.Post("/v1/orders", orderOf(change...)).Is(http.StatusCreated).Text("id")
}

// Pay pays an order with a method; data may be nil.
func (c *client) Pay(order, method string, data map[string]any, header ...string) *answer {
	c.t.Helper()
	body := map[string]any{"method": method}
	if data != nil {
		body["data"] = data
	}
	return c.Post("/v1/orders/"+order+"/pay", body, header...)
}

// PaidOrder creates an order and pays it by card.
func (c *client) PaidOrder(change ...map[string]any) string {
	c.t.Helper()
	id := c.Order(change...)
	require.Equal(c.t, "paid", c.Pay(id, "card", nil).Is(http.StatusOK).Text("order.payment_status"))
	return id
}

// syncBuffer takes log lines from any goroutine.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

// Write implements io.Writer.
func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// String is all that was logged so far.
func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
