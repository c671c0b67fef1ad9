package e2e_test

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/sandbox"
)

const (
	pspKey    = "e2e-psp-key"
	pspSecret = "e2e-psp-webhook-secret"
	secretKey = "YSBrZXkgdGhhdCBldmVyeSB0ZXN0IHJ1biBrbm93cy4=" // PAYSVC_SECRET_KEY
	// publicURL is where the service believes to be, behind a proxy; the PSP's
	// messages and the shoppers of these tests are sent on to the instances.
	publicURL = "https://pay.example.org"
)

// psp is the simulator in the test process: its ledger outlives the service.
type psp struct {
	t         testing.TB
	simulator *sandbox.Simulator
	server    *httptest.Server

	mu        sync.Mutex
	received  map[string]int // requests to pay by reference
	pay       func(w http.ResponseWriter, r *http.Request, book http.Handler)
	delivered func(status int)
	instances []string // base URLs that notifications go to, in turn
	turn      int
}

// newPSP starts a PSP whose notifications are tried again quickly.
func newPSP(t testing.TB) *psp {
	t.Helper()
	p := &psp{t: t, received: map[string]int{}}
	retries := make([]time.Duration, 200)
	for i := range retries {
		retries[i] = 100 * time.Millisecond
	}
	p.server = httptest.NewUnstartedServer(nil)
	base := "http://" + p.server.Listener.Addr().String()
	var err error
	p.simulator, err = sandbox.New(sandbox.Config{
		PublicURL: base,
		Accounts: []sandbox.Account{{
			ID: "demo", APIKey: pspKey, WebhookSecret: pspSecret, NotifyURL: publicURL + "/confirm/sandbox/sandbox",
		}},
		Now: time.Now, Rand: rand.Reader, HTTP: &http.Client{Transport: p},
		Delays: sandbox.Delays{Retries: retries, Pending: 300 * time.Millisecond},
	})
	require.NoError(t, err)
	p.server.Config.Handler = p.handler(p.simulator.Handler())
	p.server.Start()
	t.Cleanup(func() {
		require.NoError(t, p.simulator.Close())
		p.server.CloseClientConnections()
		p.server.Close()
	})
	return p
}

// handler lets a test stand between the service and the booking.
func (p *psp) handler(book http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost || r.URL.Path != "/sandbox/v1/payments" {
			book.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		var sent struct{ Reference string }
		if json.Unmarshal(body, &sent) == nil {
			p.mu.Lock()
			p.received[sent.Reference]++
			p.mu.Unlock()
		}
		r.Body = io.NopCloser(strings.NewReader(string(body)))
		p.mu.Lock()
		pay := p.pay
		p.mu.Unlock()
		if pay == nil {
			book.ServeHTTP(w, r)
			return
		}
		pay(w, r, book)
	})
}

// onPay stands in for the booking of payments from now on; nil ends that.
func (p *psp) onPay(pay func(w http.ResponseWriter, r *http.Request, book http.Handler)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.pay = pay
}

// onDelivery is called with the status of each answer to a notification, before
// the PSP sees it.
func (p *psp) onDelivery(delivered func(status int)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.delivered = delivered
}

// holdBeforeBooking makes the PSP receive a request to pay and lose it: it says
// so on the channel and waits until the caller is gone.
func (p *psp) holdBeforeBooking() <-chan struct{} {
	reached := make(chan struct{}, 16)
	p.onPay(func(_ http.ResponseWriter, r *http.Request, _ http.Handler) {
		reached <- struct{}{}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	return reached
}

// holdAfterBooking makes the PSP book a request to pay and never answer it.
func (p *psp) holdAfterBooking() <-chan struct{} {
	reached := make(chan struct{}, 16)
	p.onPay(func(_ http.ResponseWriter, r *http.Request, book http.Handler) {
		book.ServeHTTP(httptest.NewRecorder(), r)
		reached <- struct{}{}
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	})
	return reached
}

// RoundTrip carries the PSP's notifications to an instance of the service.
func (p *psp) RoundTrip(r *http.Request) (*http.Response, error) {
	p.mu.Lock()
	if len(p.instances) == 0 {
		p.mu.Unlock()
		return nil, errors.New("the service is down")
	}
	to := p.instances[p.turn%len(p.instances)]
	p.turn++
	delivered := p.delivered
	p.mu.Unlock()
	target, err := url.Parse(to)
	if err != nil {
		return nil, err
	}
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host = target.Scheme, target.Host
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err == nil && delivered != nil {
		delivered(resp.StatusCode)
	}
	return resp, err
}

func (p *psp) addInstance(base string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.instances = append(p.instances, base)
}

func (p *psp) removeInstance(base string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	kept := p.instances[:0:0]
	for _, i := range p.instances {
		if i != base {
			kept = append(kept, i)
		}
	}
	p.instances = kept
}

// operation is a line of the PSP's ledger.
type operation struct {
	Operation, Reference, Amount, Currency, State string
}

// ledger lists what the PSP booked under a reference; "" is everything.
func (p *psp) ledger(reference string) []operation {
	p.t.Helper()
	address := p.server.URL + "/sandbox/operations"
	if reference != "" {
		address += "?reference=" + url.QueryEscape(reference)
	}
	resp, err := http.Get(address)
	require.NoError(p.t, err)
	defer resp.Body.Close()
	var lines []operation
	require.NoError(p.t, json.NewDecoder(resp.Body).Decode(&lines))
	return lines
}

// charges are the charges and authorizations that went through.
func (p *psp) charges(reference string) []operation {
	p.t.Helper()
	var charged []operation
	for _, o := range p.ledger(reference) {
		if o.State == "approved" && (o.Operation == "charge" || o.Operation == "authorize") {
			charged = append(charged, o)
		}
	}
	return charged
}

// requests counts the requests to pay that reached the PSP, by reference.
func (p *psp) requests() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := make(map[string]int, len(p.received))
	for reference, n := range p.received {
		counts[reference] = n
	}
	return counts
}

// press is a button of the shopper, or with "notify" the PSP's own doing.
func (p *psp) press(reference, button, body string) (int, []byte) {
	resp, err := http.Post(p.server.URL+"/sandbox/payments/"+reference+"/"+button, "application/json", strings.NewReader(body))
	if err != nil {
		return 0, []byte(err.Error())
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, answer
}
