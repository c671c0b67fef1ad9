package main

import (
	"crypto/sha256"
	"net/http"
	"sync"
	"time"
)

// request is what a storefront asks for under an idempotency key.
type request struct {
	path, key, body string
	// instant tells that its charge, if there is one, is made while it is carried
	// out: no shopper and no clock decides later.
	instant bool
}

// said is what the service answered to a request with an idempotency key.
type said struct {
	request
	at       time.Time // when the answer was there
	broken   bool      // no answer came
	status   int
	code     string // of a problem
	moved    string // what it says about money
	replayed bool
	order    string // the id that it names
	hash     [sha256.Size]byte
}

// final tells an answer that a repeat must give again, byte for byte.
func (s said) final() bool {
	switch s.status {
	case http.StatusOK, http.StatusCreated, http.StatusPaymentRequired:
		return !s.broken
	}
	return false
}

// testimony is everything that storefronts were told, in order by key.
type testimony struct {
	mu      sync.Mutex
	answers map[string][]said
	keys    []string // in the order of their first use
}

func newTestimony() *testimony { return &testimony{answers: map[string][]said{}} }

func (t *testimony) add(s said) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if _, known := t.answers[s.key]; !known {
		t.keys = append(t.keys, s.key)
	}
	t.answers[s.key] = append(t.answers[s.key], s)
}

// requests are what was asked for under each key, newest first.
func (t *testimony) requests() []request {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := make([]request, 0, len(t.keys))
	for i := len(t.keys) - 1; i >= 0; i-- {
		all = append(all, t.answers[t.keys[i]][0].request)
	}
	return all
}

// all is a copy of what was said.
func (t *testimony) all() map[string][]said {
	t.mu.Lock()
	defer t.mu.Unlock()
	copied := make(map[string][]said, len(t.answers))
	for key, answers := range t.answers {
		copied[key] = append([]said(nil), answers...)
	}
	return copied
}
