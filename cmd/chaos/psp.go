package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/paysvc/paysvc/internal/sandbox"
)

const (
	pspKey    = "chaos-psp-key"
	pspSecret = "chaos-psp-webhook-secret"                     //nolint:gosec // of a simulator
	secretKey = "YSBrZXkgdGhhdCBldmVyeSB0ZXN0IHJ1biBrbm93cy4=" //nolint:gosec // of instances that live for a run
	// pspTimeout is how long the service waits for the PSP, and finality how long
	// the PSP's "no such payment" means nothing.
	pspTimeout = 2 * time.Second
	finality   = 8 * time.Second
	// zombieMax is when a request that got lost arrives at the latest. The service
	// is told so: it is well below finality.
	zombieMax = 5 * time.Second
)

// What may become of a request on its way to the PSP and back.
const (
	pspFine       = "fine"
	pspLost       = "lost before the PSP"
	pspMute       = "silence without a charge"
	pspLostAnswer = "answer lost after the charge"
	pspSilence    = "silence after the charge"
	pspError      = "500 after the charge"
	pspHTML       = "HTML after the charge"
	pspGarbage    = "garbage after the charge"
	pspBusy       = "503 without a charge"
	pspSlow       = "slow answers"
	pspZombie     = "zombies"
)

func pspShares() []share {
	return []share{
		{pspFine, 70}, {pspLost, 4}, {pspMute, 2}, {pspLostAnswer, 6}, {pspSilence, 3}, {pspError, 3}, {pspHTML, 2},
		{pspGarbage, 2}, {pspBusy, 2}, {pspSlow, 3}, {pspZombie, 3},
	}
}

// psp is the simulator behind a front that loses, delays and garbles.
type psp struct {
	simulator *sandbox.Simulator
	book      http.Handler // the simulator itself
	server    *http.Server
	url       string
	dice      *dice
	tally     *tally
	faulty    atomic.Bool
	zombies   sync.WaitGroup

	mu   sync.Mutex
	sent map[string]int // requests that move money, by reference
}

// startPSP starts a PSP whose notifications leave by the given way.
func startPSP(ctx context.Context, ledger string, d *dice, t *tally, notify http.RoundTripper) (*psp, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &psp{url: "http://" + listener.Addr().String(), dice: d, tally: t, sent: map[string]int{}}
	retries := make([]time.Duration, 4000)
	for i := range retries {
		retries[i] = 300 * time.Millisecond
	}
	p.simulator, err = sandbox.New(sandbox.Config{
		PublicURL: p.url, LedgerPath: ledger, NotifyDirect: true,
		Accounts: []sandbox.Account{{ID: "demo", APIKey: pspKey, WebhookSecret: pspSecret}},
		Now:      time.Now, Rand: rand.Reader, HTTP: &http.Client{Transport: notify},
		Delays: sandbox.Delays{
			Retries: retries, Pending: time.Second, Slow: 700 * time.Millisecond, FirstDelivery: time.Second, Delivery: 5 * time.Second,
		},
	})
	if err != nil {
		return nil, errors.Join(err, listener.Close())
	}
	p.book = p.simulator.Handler()
	p.server = &http.Server{Handler: http.HandlerFunc(p.serve), ReadHeaderTimeout: pspTimeout}
	go func() { _ = p.server.Serve(listener) }() // until close
	return p, nil
}

func (p *psp) close() error {
	err := p.server.Close()
	p.zombies.Wait()
	return errors.Join(err, p.simulator.Close())
}

// serve stands between the service and the simulator. Shoppers, who use the
// pages, have no trouble.
func (p *psp) serve(w http.ResponseWriter, r *http.Request) {
	if r.Header.Get("Authorization") == "" {
		p.book.ServeHTTP(w, r)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the instance was killed half-way
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	p.count(body)
	fate := pspFine
	if p.faulty.Load() {
		fate = p.dice.draw(pspShares())
	}
	p.tally.add("psp requests")
	if fate != pspFine {
		p.tally.add(fate)
	}
	p.play(fate, w, r, body)
}

// count keeps how often a request to move money came, by its reference.
func (p *psp) count(body []byte) {
	var moved struct {
		Reference string `json:"reference"`
	}
	if json.Unmarshal(body, &moved) != nil || moved.Reference == "" {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.sent[moved.Reference]++
}

// requests is how often each request to move money came.
func (p *psp) requests() map[string]int {
	p.mu.Lock()
	defer p.mu.Unlock()
	counts := make(map[string]int, len(p.sent))
	for reference, n := range p.sent {
		counts[reference] = n
	}
	return counts
}

func (p *psp) play(fate string, w http.ResponseWriter, r *http.Request, body []byte) {
	switch fate {
	case pspLost:
		panic(http.ErrAbortHandler)
	case pspMute:
		hang(r)
	case pspZombie:
		p.later(r, body)
		hang(r)
	case pspBusy:
		http.Error(w, "overloaded", http.StatusServiceUnavailable)
	case pspSlow:
		_ = pause(r.Context(), p.dice.between(0, pspTimeout)) // a caller who left is noticed by the server
		p.book.ServeHTTP(w, r)
	case pspFine:
		p.book.ServeHTTP(w, r)
	default:
		p.booked(r, body)
		p.answer(fate, w, r)
	}
}

// answer is what the service gets to hear about what was booked.
func (p *psp) answer(fate string, w http.ResponseWriter, r *http.Request) {
	switch fate {
	case pspSilence:
		hang(r)
	case pspError:
		http.Error(w, `{"error": "internal"}`, http.StatusInternalServerError)
	case pspHTML:
		w.Header().Set("Content-Type", "text/html")
		http.Error(w, "<html><body>Bad Gateway</body></html>", http.StatusBadGateway)
	case pspGarbage:
		_, _ = io.WriteString(w, `{"id": "sbx_`) // whoever asked may be gone
	default: // pspLostAnswer
		panic(http.ErrAbortHandler)
	}
}

// bookMax is long enough to book something. Scenarios may be silent afterwards.
const bookMax = time.Second

// booked carries out a request whose caller will not hear of it from here. It is
// done even if the caller is gone.
func (p *psp) booked(r *http.Request, body []byte) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), bookMax)
	defer cancel()
	again := r.Clone(ctx)
	again.Body = io.NopCloser(bytes.NewReader(body))
	resp, err := sandbox.Transport(p.book).RoundTrip(again)
	if err == nil {
		_ = resp.Body.Close() // nobody reads it
	}
}

// later carries a request out once its caller has given up on it.
func (p *psp) later(r *http.Request, body []byte) {
	again := r.Clone(context.WithoutCancel(r.Context()))
	delay := p.dice.between(pspTimeout, zombieMax)
	p.zombies.Go(func() {
		_ = pause(context.WithoutCancel(r.Context()), delay) // nothing ends it
		p.booked(again, body)
	})
}

// hang says nothing until the caller leaves.
func hang(r *http.Request) {
	<-r.Context().Done()
	panic(http.ErrAbortHandler)
}
