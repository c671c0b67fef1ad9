package simulation

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"encoding/json"
)

// postman is the PSP's way to us: it carries notifications.
type postman struct{ h *history }

// delivery is a notification that an instance has acknowledged.
type delivery struct {
	event string
	body  []byte
}

var errUndelivered = fmt.Errorf("not delivered: %w", io.ErrUnexpectedEOF)

// RoundTrip implements http.RoundTripper.
func (p postman) RoundTrip(req *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var said struct {
		ID      string `json:"id"`
		Event   string `json:"event"`
		Payment struct {
			Reference string `json:"reference"`
		} `json:"payment"`
	}
	if err := json.Unmarshal(body, &said); err != nil {
		return nil, err
	}
	h := p.h
	h.mu.Lock()
	h.tries[said.ID]++
	who := fmt.Sprintf("%s.%d", said.ID, h.tries[said.ID])
	h.mu.Unlock()
	f := h.sched.pass(&gate{
		who: who, what: "notification " + said.Event + " of " + said.Payment.Reference,
		faults: []fault{unheard, unthanked, late, doubled},
	}, req.Context().Done())
	switch f {
	case unheard, died:
		return nil, errUndelivered
	case late:
		h.spawn(who+" late", func(ctx context.Context) {
			time.Sleep(time.Duration(h.rng("late " + who).Int64N(int64(4 * time.Minute))))
			_, _ = p.deliver(ctx, req, said.ID, body)
		})
		return nil, errUndelivered
	case doubled:
		h.spawn(who+" twin", func(ctx context.Context) { _, _ = p.deliver(ctx, req, said.ID, body) })
	default:
	}
	resp, err := p.deliver(as(req.Context(), who), req, said.ID, body)
	if f == unthanked {
		return nil, errUndelivered
	}
	return resp, err
}

// deliver hands a notification to an instance, and takes its word for it.
func (p postman) deliver(ctx context.Context, req *http.Request, event string, body []byte) (*http.Response, error) {
	h := p.h
	i := h.alive(whoIn(ctx))
	if i == nil {
		return nil, errUndelivered
	}
	if h.sched.pass(&gate{who: whoIn(ctx), what: "notification arrives", at: i}, ctx.Done()) == died {
		return nil, errUndelivered
	}
	again := req.Clone(ctx)
	again.Body = io.NopCloser(bytes.NewReader(body))
	h.count.notifications++
	authentic := authentic(req.Header.Get("Sandbox-Signature"), body)
	resp, err := i.serve(ctx, again, 0)
	if err != nil || resp.StatusCode/100 != 2 {
		return resp, err
	}
	if !authentic {
		h.violate("I3", "an instance took the forged notification %s", event)
		return resp, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.thanked = append(h.thanked, delivery{event, body})
	return resp, nil
}

// authentic verifies a signature by a reading of the protocol of its own.
func authentic(signature string, body []byte) bool {
	stamp, mac, ok := strings.Cut(strings.TrimPrefix(signature, "t="), ",v1=")
	if !ok {
		return false
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil {
		return false
	}
	const toleranceMax = 10 * time.Minute // whatever it is exactly, an hour is too much
	if age := time.Since(time.Unix(seconds, 0)); age > toleranceMax || age < -toleranceMax {
		return false
	}
	sum := hmac.New(sha256.New, []byte(webhookSecret))
	sum.Write([]byte(stamp + "."))
	sum.Write(body)
	return hmac.Equal([]byte(hex.EncodeToString(sum.Sum(nil))), []byte(mac))
}
