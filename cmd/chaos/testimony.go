package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"
)

// request is what a storefront asks for under an idempotency key.
type request struct {
	path, key, body string
	// instant tells that its charge, if there is one, is made while it is carried
	// out: no shopper and no clock decides later.
	instant bool
	order   string // it is about, if that is there yet
	refund  int64  // how much of it is asked back, 0 for all that is left
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
	names    string // the id of the order that it names
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

// testimony is everything that storefronts were told, in order by key. All of it
// is also written down for whoever looks into what went wrong.
type testimony struct {
	mu      sync.Mutex
	log     io.Writer
	answers map[string][]said
	keys    []string // in the order of their first use
}

func newTestimony(log io.Writer) *testimony {
	return &testimony{log: log, answers: map[string][]said{}}
}

// add keeps an answer; text is all of it.
func (t *testimony) add(s said, text []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	fmt.Fprintf(t.log, "%s %s %s broken=%t replayed=%t %d %s\n", s.at.UTC().Format(time.RFC3339Nano), s.path, s.key, s.broken, s.replayed,
		s.status, bytes.ReplaceAll(text, []byte("\n"), nil))
	if _, known := t.answers[s.key]; !known {
		t.keys = append(t.keys, s.key)
	}
	t.answers[s.key] = append(t.answers[s.key], s)
}

// settled are the requests that got an answer that has to come again, newest first.
func (t *testimony) settled() []request {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []request
	for _, key := range slices.Backward(t.keys) {
		if slices.ContainsFunc(t.answers[key], said.final) {
			all = append(all, t.answers[key][0].request)
		}
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
