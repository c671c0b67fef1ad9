package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// What may become of a notification on its way.
const (
	relayFine       = "fine"
	relayLost       = "lost notifications"       // and the PSP believes that it arrived
	relayUnsent     = "unsent notifications"     // the PSP knows, and tries again
	relayTwice      = "doubled notifications"    // both at once
	relayLate       = "late notifications"       // later ones overtake it
	relayLostAnswer = "lost acknowledgements"    // it arrived, and the PSP tries again
	relayForged     = "forged notifications"     // another content under the same signature, before the real one
	relayAccepted   = "forgeries accepted"       // a verdict of its own
	relayDelivered  = "notifications delivered"  // to an instance
	relayAcked      = "notifications acked"      // with 2xx, by an instance
	relaySent       = "notifications by the PSP" // tries of it
)

func relayShares() []share {
	return []share{
		{relayFine, 50}, {relayLost, 15}, {relayUnsent, 5}, {relayTwice, 10}, {relayLate, 12}, {relayLostAnswer, 5}, {relayForged, 3},
	}
}

// acknowledgement is that an instance said of a notification that it has it.
type acknowledgement struct {
	event string
	body  [sha256.Size]byte
}

// relay carries notifications from the PSP to the service, badly.
type relay struct {
	to     http.RoundTripper
	dice   *dice
	tally  *tally
	faulty atomic.Bool
	late   sync.WaitGroup

	mu    sync.Mutex
	acked []acknowledgement
}

// tryMax bounds the delivery of a notification that the PSP does not wait for.
const tryMax = 5 * time.Second

var errCut = errors.New("the connection was cut")

// RoundTrip implements http.RoundTripper for the PSP.
func (r *relay) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	_ = req.Body.Close() // it was read from memory
	r.tally.add(relaySent)
	fate := relayFine
	if r.faulty.Load() {
		fate = r.dice.draw(relayShares())
	}
	if fate != relayFine {
		r.tally.add(fate)
	}
	switch fate {
	case relayLost:
		return believed(req), nil
	case relayUnsent:
		return nil, errCut
	case relayTwice:
		r.background(req, body, 0)
	case relayLate:
		r.background(req, body, r.dice.between(200*time.Millisecond, 5*time.Second))
		return believed(req), nil
	case relayLostAnswer:
		if resp, err := r.deliver(req, body); err == nil { // the PSP does not hear it
			_ = resp.Body.Close() // there is none
		}
		return nil, errCut
	case relayForged:
		r.forge(req, body)
	}
	return r.deliver(req, body)
}

// deliver brings a notification to an instance and keeps whether it was taken.
func (r *relay) deliver(req *http.Request, body []byte) (*http.Response, error) {
	again := req.Clone(req.Context())
	again.Body = io.NopCloser(bytes.NewReader(body))
	r.tally.add(relayDelivered)
	resp, err := r.to.RoundTrip(again)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(io.Discard, resp.Body)
	if closeErr := resp.Body.Close(); err == nil {
		err = closeErr
	}
	if resp.StatusCode/100 == 2 { // its status is all that a PSP looks at
		r.keep(body)
		return believed(req), nil
	}
	resp.Body = http.NoBody
	return resp, err
}

func (r *relay) keep(body []byte) {
	var n struct {
		ID string `json:"id"`
	}
	_ = json.Unmarshal(body, &n) // the simulator writes JSON
	r.tally.add(relayAcked)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.acked = append(r.acked, acknowledgement{event: n.ID, body: sha256.Sum256(body)})
}

// background delivers a notification after a while, without the PSP.
func (r *relay) background(req *http.Request, body []byte, after time.Duration) {
	free := context.WithoutCancel(req.Context())
	r.late.Go(func() {
		_ = pause(free, after) // nothing ends it
		bounded, cancel := context.WithTimeout(free, tryMax)
		defer cancel()
		if resp, err := r.deliver(req.Clone(bounded), body); err == nil { // what is refused is lost
			_ = resp.Body.Close() // there is none
		}
	})
}

// forge sends another content under the signature of a real one. Nobody may
// believe it.
func (r *relay) forge(req *http.Request, body []byte) {
	other := bytes.Replace(body, []byte(`"state":"declined"`), []byte(`"state":"approved"`), 1)
	if bytes.Equal(other, body) {
		other = bytes.Replace(body, []byte(`"amount":"`), []byte(`"amount":"1`), 1)
	}
	again := req.Clone(req.Context())
	again.Body, again.ContentLength = io.NopCloser(bytes.NewReader(other)), int64(len(other))
	resp, err := r.to.RoundTrip(again)
	if err != nil {
		return
	}
	_ = resp.Body.Close() // its status is all that matters
	if resp.StatusCode/100 == 2 {
		r.tally.add(relayAccepted)
	}
}

func (r *relay) acknowledged() []acknowledgement {
	r.late.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]acknowledgement(nil), r.acked...)
}

// believed is what the PSP takes for the service's answer.
func believed(req *http.Request) *http.Response {
	return &http.Response{
		Status: "200 OK", StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{}, Body: http.NoBody, Request: req,
	}
}
