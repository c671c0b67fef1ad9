package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
)

// restarted is a PostgreSQL server that tests stop, kill and start again.
type restarted struct {
	t       testing.TB
	server  *postgres.Server
	options postgres.Options
	url     string
}

func newRestarted(t testing.TB) *restarted {
	t.Helper()
	server, options := pgtest.Server(t, true)
	require.NoError(t, server.CreateDatabase(t.Context(), "paysvc"))
	r := &restarted{t: t, server: server, options: options, url: server.URL("paysvc")}
	t.Cleanup(func() { _ = r.server.Stop(context.Background()) })
	return r
}

// stop is a fast shutdown: sessions are ended, transactions rolled back.
func (r *restarted) stop() {
	r.t.Helper()
	require.NoError(r.t, r.server.Stop(r.t.Context()))
}

// crash is an immediate shutdown: the server ends without finishing anything,
// and recovers from its log when it starts again.
func (r *restarted) crash() {
	r.t.Helper()
	pid := r.server.PID()
	require.NoError(r.t, syscall.Kill(pid, syscall.SIGQUIT))
	eventually(r.t, "the server is gone", func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) })
	r.stop()
}

func (r *restarted) start() {
	r.t.Helper()
	server, err := postgres.Start(r.t.Context(), r.options)
	require.NoError(r.t, err)
	r.server = server
	require.Equal(r.t, r.url, server.URL("paysvc"), "the server came back at its address")
}

// load is storefronts that order and pay all the time.
type load struct {
	s       *instance
	stop    chan struct{}
	done    sync.WaitGroup
	settled atomic.Int64 // orders paid, as the storefront was told
	refused atomic.Int64 // honest 503s

	mu     sync.Mutex
	orders map[string]string // id by number: what was answered with 2xx
	told   map[string]bool   // ids that were said to be paid
}

const workers = 6

func newLoad(s *instance) *load {
	l := &load{s: s, stop: make(chan struct{}), orders: map[string]string{}, told: map[string]bool{}}
	for w := range workers {
		l.done.Go(func() {
			for n := 0; ; n++ {
				select {
				case <-l.stop:
					return
				default:
				}
				if !l.buy(fmt.Sprintf("%d-%d", w, n)) {
					return
				}
			}
		})
	}
	return l
}

// buy orders and pays like a storefront that repeats what it got no answer to.
// It returns false when something was answered that must not be.
func (l *load) buy(number string) bool {
	t := l.s.shop.t
	a, ok := l.insist("/v1/orders", "create-"+number, orderJSON(number, ""))
	if !ok || !assert.Contains(t, []int{http.StatusCreated, http.StatusOK}, a.status, "%s", a.body) {
		return false
	}
	id := read[order](t, a).ID
	l.mu.Lock()
	l.orders[number] = id
	l.mu.Unlock()
	for attempt := 0; ; attempt++ {
		key := fmt.Sprintf("pay-%s-%d", number, attempt)
		a, ok = l.insist("/v1/orders/"+id+"/pay", key, payJSON("card"))
		if !ok {
			return false
		}
		switch a.status {
		case http.StatusOK:
			l.mu.Lock()
			l.told[id] = true
			l.mu.Unlock()
			l.settled.Add(1)
			return true
		case http.StatusServiceUnavailable: // nothing reached the PSP: another attempt
		case http.StatusConflict:
			return assert.Equal(t, "order_already_paid", read[problem](t, a).Code)
		default:
			return assert.Fail(t, "unexpected", "%d %s", a.status, a.body)
		}
	}
}

// insist repeats a request with its key until the answer is final. What is said
// in between must be honest. The shopper's return makes the service ask the PSP.
func (l *load) insist(path, key, body string) (answer, bool) {
	t := l.s.shop.t
	for {
		a := l.s.try(http.MethodPost, path, key, body)
		if !assert.NoError(t, a.err, "the service lives, so it answers") {
			return a, false
		}
		switch a.status {
		case http.StatusServiceUnavailable:
			p := read[problem](t, a)
			if !assert.Contains(t, []string{"no", "unknown"}, p.MoneyMoved, "%s", a.body) {
				return a, false
			}
			l.refused.Add(1)
			if p.Code == "gateway_unavailable" {
				return a, true
			}
		case http.StatusAccepted:
		case http.StatusConflict:
			if code := read[problem](t, a).Code; code != "idempotency_in_progress" && code != "payment_in_progress" {
				return a, true
			}
		default:
			return a, true
		}
		if id, found := orderOfPath(path); found {
			back := l.s.try(http.MethodPost, "/v1/orders/"+id+"/submit", "", "")
			if !assert.Contains(t, []int{http.StatusOK, http.StatusServiceUnavailable}, back.status, "submit: %s", back.body) {
				return back, false
			}
		}
		pause()
	}
}

func orderOfPath(path string) (id string, found bool) {
	n, err := fmt.Sscanf(path, "/v1/orders/%30s", &id)
	if err != nil || n != 1 {
		return "", false
	}
	return id, true
}

// awaitSettled waits until so many more orders were paid.
func (l *load) awaitSettled(more int64) {
	t := l.s.shop.t
	t.Helper()
	want := l.settled.Load() + more
	eventually(t, "orders are paid", func() bool { return l.settled.Load() >= want || t.Failed() })
}

func TestPostgresIsRestartedUnderLoad(t *testing.T) {
	t.Parallel()
	server := newRestarted(t)
	migrated := run(t, map[string]string{"PAYSVC_DATABASE_URL": server.url}, "migrate")
	require.Zero(t, migrated.code, migrated.err)
	d := deployOn(t, server.url, "2s", "3s")
	s := d.serve()
	l := newLoad(s)
	l.awaitSettled(20)

	for _, end := range []func(){server.stop, server.crash} {
		end()
		eventually(t, "the service says that it cannot work", func() bool { return s.ready() == http.StatusServiceUnavailable })
		s.do(http.StatusOK, http.MethodGet, "/healthz", "", "")
		requireHonestRefusal(t, s)
		server.start()
		eventually(t, "the service recovers by itself", func() bool { return s.ready() == http.StatusOK })
		l.awaitSettled(20)
	}
	close(l.stop)
	l.done.Wait()
	require.False(t, t.Failed())
	require.Positive(t, l.refused.Load(), "the load met the outage")
	requireNothingLost(t, l)
}

// requireHonestRefusal tries to order without a database.
func requireHonestRefusal(t *testing.T, s *instance) {
	t.Helper()
	a := s.do(http.StatusServiceUnavailable, http.MethodPost, "/v1/orders", "in-the-gap", orderJSON("in-the-gap", `, "pay": {"method": "card"}`))
	require.Equal(t, "application/problem+json", a.header.Get("Content-Type"))
	require.NotEmpty(t, a.header.Get("Retry-After"))
	require.Equal(t, "unknown", read[problem](t, a).MoneyMoved, "it may repeat one that was carried out")
}

// requireNothingLost compares what the storefronts were told, our books and the
// PSP's ledger.
func requireNothingLost(t *testing.T, l *load) {
	t.Helper()
	known := map[string]bool{}
	for number, id := range l.orders {
		o := l.s.submit(id)
		require.Equal(t, number, o.Number)
		if l.told[id] {
			require.Equal(t, "paid", o.PaymentStatus, "what was answered is durable")
		}
		charged := 0
		for _, tx := range o.transactions() {
			known[tx.Reference] = true
			booked := len(l.s.deployment.psp.charges(tx.Reference))
			require.Equal(t, tx.State == "approved", booked == 1, "%s is %s here, and %d times at the PSP", tx.Reference, tx.State, booked)
			charged += booked
		}
		require.LessOrEqual(t, charged, 1, "charges of one order")
		require.Equal(t, charged == 1, isPaid(o))
	}
	for reference, sent := range l.s.deployment.psp.requests() {
		require.True(t, known[reference], "the PSP knows a payment that we do not")
		require.Equal(t, 1, sent, "a reference is sent once")
	}
	t.Logf("%d orders, %d refusals", len(l.orders), l.refused.Load())
}
