package moments_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/catalog"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/internal/sandbox"
	"github.com/paysvc/paysvc/internal/settings"
	"github.com/paysvc/paysvc/internal/store"
)

// bundle is a service on a database of its own, with the sandbox PSP in process.
type bundle struct {
	*moments.Service
	t          *testing.T
	store      *store.Store
	psp        http.Handler
	ids        *payment.IDs
	clock      *clock
	statements *statements
	// notify, when set, sees the notifications that the PSP sends, and call the
	// requests that it has carried out and not answered yet.
	notify atomic.Pointer[func(*http.Request)]
	call   atomic.Pointer[func(*http.Request)]
	// deaf loses the notifications that the PSP sends.
	deaf atomic.Bool
	// gateway, when set, changes the gateways that settings open from then on.
	gateway func(gateways.Gateway) gateways.Gateway
	// shop, when set, is what the shop answers to steps that ask it.
	shop atomic.Pointer[func(steps.Message) (steps.Reply, error)]
}

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

const webhookSecret = "webhook-secret"

// setup returns a fresh bundle: the demo settings on a fresh database.
func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, clock: &clock{at: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}, statements: &statements{}}
	b.ids = payment.NewIDs(b.clock.now, rand.Reader)
	var err error
	b.store, err = store.Open(t.Context(), pgtest.Database(t), store.Options{ConnectionsMax: 8, Tracer: b.statements, NewID: b.ids.New})
	require.NoError(t, err)
	t.Cleanup(b.store.Close)
	simulator, err := sandbox.New(sandbox.Config{
		PublicURL: "http://127.0.0.1:8080",
		Accounts: []sandbox.Account{{
			ID: "demo", APIKey: "api-key", WebhookSecret: webhookSecret,
			NotifyURL: "http://127.0.0.1:8080/confirm/sandbox/sandbox",
		}},
		Now: b.clock.now, Rand: rand.Reader, HTTP: &http.Client{Transport: roundTripper(b.receive)},
		// A PSP that is silent on purpose cuts the connection soon: nobody has to wait
		// for a time-out, and a slow machine makes none.
		Delays: sandbox.Delays{Pending: time.Millisecond, Silence: time.Millisecond},
	})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, simulator.Close()) })
	b.psp = simulator.Handler()
	b.Service, err = moments.New(moments.Deps{
		Book: b.store, Orders: b.store, Claims: b.store, Inquiries: b.store, Inbox: b.store, Clocks: b.store, Comparisons: b.store, Cases: b.store,
		Settings: demo(t, b), IDs: b.ids, Now: b.clock.now, Log: zerolog.Nop(), PublicURL: "http://127.0.0.1:8080",
	})
	require.NoError(t, err)
	return b
}

// demo loads the demo settings.
func demo(t *testing.T, b *bundle) *settings.Settings {
	t.Helper()
	return b.load(t, string(settings.Demo()))
}

// load loads settings that refer to what the demo's refer to.
func (b *bundle) load(t *testing.T, source string) *settings.Settings {
	t.Helper()
	env := map[string]string{
		"PAYSVC_SANDBOX_URL": "http://127.0.0.1:8080", "PAYSVC_SANDBOX_API_KEY": "api-key",
		"PAYSVC_SANDBOX_WEBHOOK_SECRET": webhookSecret,
	}
	loaded, err := settings.Load("demo", []byte(source), settings.Deps{
		Open: func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error) {
			opened, err := catalog.Open(gateway, gateways.Deps{
				Account: account, Mode: mode, Now: b.clock.now, Log: zerolog.Nop(),
				Transport: func(string, string) http.RoundTripper { return roundTripper(b.carry) },
			}, decode)
			if err != nil || b.gateway == nil {
				return opened, err
			}
			return b.gateway(opened), nil
		},
		LookupEnv: func(name string) (string, bool) { value, ok := env[name]; return value, ok },
		Pipelines: moments.PipelineSettings(steps.Makers(steps.MakerDeps{Poster: poster{b}})),
	})
	require.NoError(t, err)
	return loaded
}

// carry takes a request of ours to the PSP.
func (b *bundle) carry(r *http.Request) (*http.Response, error) {
	response, err := sandbox.Transport(b.psp).RoundTrip(r)
	if f := b.call.Load(); f != nil {
		(*f)(r)
	}
	return response, err
}

func (b *bundle) setCall(f func(*http.Request)) { b.call.Store(&f) }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// receive is /confirm as the PSP sees it.
func (b *bundle) receive(r *http.Request) (*http.Response, error) {
	recorder := httptest.NewRecorder()
	if b.deaf.Load() {
		return recorder.Result(), nil
	}
	if f := b.notify.Load(); f != nil {
		(*f)(r)
	}
	body := make([]byte, r.ContentLength)
	if _, err := r.Body.Read(body); err != nil && r.ContentLength > 0 && err.Error() != "EOF" {
		return nil, err
	}
	_, err := b.Confirm(r.Context(), moments.Delivery{
		Gateway: "sandbox", Account: "sandbox", From: netip.MustParseAddr("192.0.2.7"), Raw: payment.RawNotification{Method: r.Method, Headers: r.Header, Body: body},
	})
	switch payment.KindOf(err) {
	case payment.KindUnauthenticated:
		recorder.WriteHeader(http.StatusUnauthorized)
	default:
		if err != nil {
			recorder.WriteHeader(http.StatusInternalServerError)
		}
	}
	return recorder.Result(), nil
}

// order makes an order of 129.95 EUR, changed as a test wants, and keeps it.
func (b *bundle) order(change ...func(*payment.Order)) *payment.Order {
	b.t.Helper()
	o := b.newOrder(change...)
	_, err := b.Create(b.t.Context(), moments.CreateCommand{New: o, Claim: b.claim(""), Render: func(*payment.Order, bool) payment.Reply {
		return payment.Reply{Status: http.StatusCreated, Final: true}
	}})
	require.NoError(b.t, err)
	return b.read(o)
}

// newOrder makes an order that is kept nowhere yet.
func (b *bundle) newOrder(change ...func(*payment.Order)) *payment.Order {
	b.t.Helper()
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(b.t, err)
	total, err := payment.ParseMoney("129.95", eur)
	require.NoError(b.t, err)
	progress := payment.Progress{Status: payment.OrderPending}
	o := &payment.Order{
		ID: payment.OrderID(b.ids.New()), Store: "demo", ContentHash: []byte("content"), ClientToken: b.ids.Token(),
		ReturnToken: b.ids.Token(), Progress: progress, Saved: progress, CreatedAt: b.clock.now(), UpdatedAt: b.clock.now(),
		Details: payment.Details{
			Number: b.ids.Reference(), Currency: eur, Total: total, Shipping: payment.Zero(eur), Discount: payment.Zero(eur),
			Tax: payment.Zero(eur), Lines: []payment.Line{{SKU: "A-1", Name: "Lamp", Quantity: 1, UnitPrice: total, Total: total}},
			Customer:   payment.Customer{ID: "c-77", Email: "a@example.org"},
			ReturnURLs: payment.ReturnURLs{Success: "https://shop.example/thanks", Failure: "https://shop.example/oops"},
		},
	}
	for _, f := range change {
		f(o)
	}
	return o
}

// claim is an idempotency key; "" makes one.
func (b *bundle) claim(key string) *payment.Claim {
	if key == "" {
		key = b.ids.Token()
	}
	return &payment.Claim{Store: "demo", Operation: "test", Key: key, Fingerprint: []byte("same"), At: b.clock.now()}
}

// pay pays an order and returns the state that its transaction is answered with.
func (b *bundle) pay(o *payment.Order, method, scenario string) (payment.State, error) {
	b.t.Helper()
	c := b.command(o, method, scenario)
	answer, err := b.Pay(b.t.Context(), c)
	return payment.State(answer.Body), err
}

func (b *bundle) command(o *payment.Order, method, scenario string) moments.PayCommand {
	var data []byte
	if scenario != "" {
		data = []byte(`{"scenario":"` + scenario + `"}`)
	}
	return moments.PayCommand{
		Store: "demo", Order: o.ID, Claim: b.claim(""), Method: method, Data: data,
		Render: func(out moments.Outcome) payment.Reply {
			state := out.Transaction().State
			return payment.Reply{Status: http.StatusOK, Body: []byte(state), Final: state != payment.Unknown && state != payment.NotSent}
		},
	}
}

func (b *bundle) read(o *payment.Order) *payment.Order {
	b.t.Helper()
	read, err := b.store.ReadOrder(context.WithoutCancel(b.t.Context()), "demo", o.ID)
	require.NoError(b.t, err)
	return read
}

// operation is a line of the PSP's own ledger.
type operation struct {
	Operation, Reference, Amount, Currency, State string
}

// charges returns what the PSP really did for an order: its own ledger.
func (b *bundle) charges(o *payment.Order) []operation {
	b.t.Helper()
	var all []operation
	for _, p := range b.read(o).Payments {
		for _, tx := range p.Transactions {
			var found []operation
			require.NoError(b.t, json.Unmarshal(b.control(http.MethodGet, "/sandbox/operations?reference="+tx.Reference, ""), &found))
			for _, op := range found {
				if op.State == "approved" && (op.Operation == "charge" || op.Operation == "authorize") {
					all = append(all, op)
				}
			}
		}
	}
	return all
}

// control calls the PSP's control API.
func (b *bundle) control(method, path, body string) []byte {
	b.t.Helper()
	recorder := httptest.NewRecorder()
	b.psp.ServeHTTP(recorder, httptest.NewRequestWithContext(b.t.Context(), method, path, strings.NewReader(body)))
	require.Less(b.t, recorder.Code, 300, recorder.Body.String())
	return recorder.Body.Bytes()
}

// reference is our reference of the order's last attempt.
func (b *bundle) reference(o *payment.Order) string {
	b.t.Helper()
	return b.read(o).LatestPayment().Initial().Reference
}
