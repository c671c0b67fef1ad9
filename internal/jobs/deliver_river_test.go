package jobs_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/internal/store"
	"github.com/paysvc/paysvc/migrations"
)

// shop is a store with its books, and receivers of its events.
type shop struct {
	t       *testing.T
	url     string
	books   *store.Store
	ids     *payment.IDs
	secrets outbound.Secrets
	// ahead is how far the clock of the next instance is.
	ahead time.Duration
}

// newShop has a database server of its own: a transaction anywhere on a server
// holds events back.
func newShop(t *testing.T) *shop {
	t.Helper()
	server, _ := pgtest.Server(t, false)
	require.NoError(t, server.CreateDatabase(t.Context(), "shop"))
	s := &shop{t: t, url: server.URL("shop"), ids: payment.NewIDs(time.Now, rand.NewChaCha8([32]byte{7}))}
	require.NoError(t, postgres.Migrate(t.Context(), s.url, migrations.FS))
	var err error
	s.books, err = store.Open(t.Context(), s.url, store.Options{NewID: s.ids.New, ConnectionsMax: 8})
	require.NoError(t, err)
	t.Cleanup(s.books.Close)
	s.secrets, err = outbound.ParseSecrets(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)))
	require.NoError(t, err)
	return s
}

// instance delivers, over the network of this machine.
func (s *shop) instance(timeout time.Duration) *instance {
	s.t.Helper()
	client := outbound.New(outbound.Config{
		Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}, Timeout: timeout, Now: time.Now,
	})
	s.t.Cleanup(client.Close)
	ahead := s.ahead
	return start(s.t, s.url, &books{}, &mails{}, func(d *jobs.Deps) {
		d.Now = func() time.Time { return time.Now().Add(ahead) }
		d.Out = jobs.Out{Books: s.books, Commands: s.books, Poster: client, Secrets: s.secrets}
	})
}

// order makes an order that says something n times, and returns its id.
func (s *shop) order(n int) payment.OrderID {
	s.t.Helper()
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(s.t, err)
	o := &payment.Order{
		ID: payment.OrderID(s.ids.New()), Store: "demo", ContentHash: []byte("h"), CreatedAt: time.Now(), UpdatedAt: time.Now(),
		Details: payment.Details{
			Number: s.ids.Reference(), Currency: eur, Total: payment.Zero(eur), Shipping: payment.Zero(eur), Discount: payment.Zero(eur), Tax: payment.Zero(eur),
		},
		Progress: payment.Progress{Status: payment.OrderPending},
	}
	o.Save()
	require.NoError(s.t, s.books.Stretch(s.t.Context(), payment.Opening{New: o, Token: s.ids.New()},
		func(*payment.Order) (payment.Closing, error) { return payment.Closing{}, nil }))
	require.NoError(s.t, s.books.Stretch(s.t.Context(), payment.Opening{Order: o.ID, Token: s.ids.New()},
		func(o *payment.Order) (payment.Closing, error) {
			for i := range n {
				o.Emit(payment.Event{Type: fmt.Sprintf("test.%d", i)}, time.Now())
			}
			return payment.Closing{}, nil
		}))
	return o.ID
}

// inbox is a receiver that remembers what it took.
type inbox struct {
	mu     sync.Mutex
	ids    []string
	last   time.Time
	answer func(w http.ResponseWriter, r *http.Request)
}

func (in *inbox) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	in.mu.Lock()
	in.ids = append(in.ids, r.Header.Get("Webhook-Id"))
	in.last = time.Now()
	in.mu.Unlock()
	if in.answer != nil {
		in.answer(w, r)
	}
}

func (in *inbox) taken() int {
	in.mu.Lock()
	defer in.mu.Unlock()
	distinct := map[string]bool{}
	for _, id := range in.ids {
		distinct[id] = true
	}
	return len(distinct)
}

// endpoint has events posted to a receiver.
func (s *shop) endpoint(in *inbox) payment.EndpointID {
	s.t.Helper()
	server := httptest.NewServer(in)
	s.t.Cleanup(func() {
		server.CloseClientConnections()
		server.Close()
	})
	id := payment.EndpointID(s.ids.New())
	require.NoError(s.t, s.books.CreateEndpoint(s.t.Context(), payment.Endpoint{
		ID: id, Store: "demo", URL: server.URL, Types: nil, CreatedAt: time.Now(),
	}, payment.ByActor("key_1", time.Now())))
	return id
}

// hang answers nothing until the exchange is given up.
func hang(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }

func TestAReceiverThatHangsDelaysNobodyElse(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	one, two, hanging := &inbox{}, &inbox{}, &inbox{answer: hang}
	s.endpoint(one)
	s.endpoint(two)
	bad := s.endpoint(hanging)
	i := s.instance(20 * time.Second)
	const events = 100
	s.order(events)
	i.Kick()
	require.Eventually(t, func() bool { return one.taken() == events && two.taken() == events }, patience, pollWait)
	require.LessOrEqual(t, hanging.taken(), 8, "it hangs on to the first few, while the others have all")
	require.Zero(t, query[int](t, s.url, "select count(*) from webhook_deliveries where state <> 'pending' and endpoint = $1", [16]byte(bad)))
	i.Drain()
}

func TestInstancesShareTheDeliveries(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	in := &inbox{}
	id := s.endpoint(in)
	one, two := s.instance(20*time.Second), s.instance(20*time.Second)
	const events = 120
	s.order(events)
	one.Kick()
	two.Kick()
	require.Eventually(t, func() bool { return in.taken() == events }, patience, pollWait)
	require.Eventually(t, func() bool {
		return query[int](t, s.url, "select count(*) from webhook_deliveries where state = 'delivered' and endpoint = $1", [16]byte(id)) == events
	}, patience, pollWait)
	in.mu.Lock()
	defer in.mu.Unlock()
	require.Len(t, in.ids, events, "each once")
}

func TestWhatAnInstanceLeftIsDeliveredByAnother(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	in := &inbox{answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }}
	id := s.endpoint(in)
	one := s.instance(20 * time.Second)
	order := s.order(3)
	one.Kick()
	require.Eventually(t, func() bool { return in.taken() == 3 }, patience, pollWait)
	one.stop()
	in.mu.Lock()
	in.answer = nil
	in.mu.Unlock()
	_, err := s.books.Redeliver(t.Context(), "demo", payment.EventID{Order: order, N: 2}, id, payment.ByActor("key_1", time.Now()))
	require.NoError(t, err)
	s.ahead = time.Minute // the second try is due
	two := s.instance(20 * time.Second)
	two.Kick()
	require.Eventually(t, func() bool {
		return query[int](t, s.url, "select count(*) from webhook_deliveries where state = 'delivered'") == 3
	}, patience, pollWait)
}
