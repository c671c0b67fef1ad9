package sandbox

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
	"sync"
	"time"

	"github.com/go-json-experiment/json"
)

// What a notification says happened.
const (
	eventPaid       = "paid"
	eventAuthorized = "authorized"
	eventIncreased  = "increased"
	eventCaptured   = "captured"
	eventRefunded   = "refunded"
	eventVoided     = "voided"
	eventFailed     = "failed"
	eventCancelled  = "cancelled"
	eventExpired    = "expired"
	eventChargeback = "chargeback"

	eventRefundReversed     = "refund_reversed"
	eventRefundFailed       = "refund_failed"
	eventChargebackReversed = "chargeback_reversed"
)

// How a notification is signed.
const (
	signatureGood = "good"
	signatureBad  = "bad"  // made with another key
	signatureNone = "none" // no header
	signatureOld  = "old"  // right, but an hour old
)

const (
	signatureHeader  = "Sandbox-Signature"
	signatureAge     = time.Hour
	deliveriesMax    = 256
	receiverMaxBytes = 64 << 10
)

// notification is a message until it is delivered or given up. Like a
// payment, it is replaced and never changed once committed.
type notification struct {
	Key       string    `json:"key"` // of this delivery; the event's id may be used again
	EventID   string    `json:"event_id"`
	Account   string    `json:"account"`
	URL       string    `json:"url"`
	Body      []byte    `json:"body"`
	Signature string    `json:"signature"`
	Due       time.Time `json:"due"`
	Times     int       `json:"times"` // copies sent at once at the next try
	Tries     int       `json:"tries"` // made so far
	Retry     bool      `json:"retry"`
}

// notificationBody is what is sent.
type notificationBody struct {
	ID        string        `json:"id"`
	Event     string        `json:"event"`
	Created   time.Time     `json:"created"`
	Version   int64         `json:"version"`
	Payment   paymentView   `json:"payment"`
	Operation operationView `json:"operation"`
}

// delivery is how one copy of a notification fared; Status 0 is no answer.
type delivery struct {
	Status int    `json:"status"`
	Error  string `json:"error,omitempty"`
}

func (d delivery) ok() bool { return d.Status >= 200 && d.Status <= 299 }

// notificationOf tells about an operation in its present state; nil if there
// is nothing to tell or nobody to be told.
func (s *Simulator) notificationOf(p *payment, index int) (*notification, error) {
	event := eventOf(&p.Operations[index])
	if event == "" || s.notifyURL(p) == "" {
		return nil, nil
	}
	return s.newNotification(p, index, event, "")
}

// directNotification is notificationOf for what the answer itself tells.
func (s *Simulator) directNotification(p *payment, index int) (*notification, error) {
	if !s.notifyDirect {
		return nil, nil
	}
	return s.notificationOf(p, index)
}

func (s *Simulator) notifyURL(p *payment) string {
	if p.NotifyURL != "" {
		return p.NotifyURL
	}
	a, err := s.account(p.Account)
	if err != nil {
		return ""
	}
	return a.NotifyURL
}

// newNotification builds a well-signed, retried notification; an empty
// eventID gets a new one.
func (s *Simulator) newNotification(p *payment, index int, event, eventID string) (*notification, error) {
	key, err := s.newID("dlv_")
	if err != nil {
		return nil, err
	}
	if eventID == "" {
		if eventID, err = s.newID("evt_"); err != nil {
			return nil, err
		}
	}
	now := s.now().UTC()
	body, err := json.Marshal(notificationBody{
		ID: eventID, Event: event, Created: now, Version: p.Version,
		Payment: s.view(p), Operation: viewOperation(&p.Operations[index]),
	})
	if err != nil {
		return nil, fmt.Errorf("encode notification: %w", err)
	}
	return &notification{
		Key: key, EventID: eventID, Account: p.Account, URL: s.notifyURL(p), Body: body,
		Signature: signatureGood, Due: now, Times: 1, Retry: true,
	}, nil
}

// dispatch delivers a committed notification in the background and gives the
// result of its first try, once. Nil is nothing to deliver.
func (s *Simulator) dispatch(n *notification) <-chan []delivery {
	first := make(chan []delivery, 1)
	if n == nil {
		close(first)
		return first
	}
	s.background.start(func(ctx context.Context) {
		for sleep(ctx, n.Due.Sub(s.now())) {
			results := s.try(ctx, n)
			if ctx.Err() != nil {
				return // stays in the ledger's file for the next start
			}
			next, again := s.afterTry(n, results)
			err := s.ledger.write(next)
			select {
			case first <- results:
			default: // told before
			}
			if err != nil {
				s.log.Error().Err(err).Str("event", n.EventID).Msg("sandbox: record notification")
			}
			if err != nil || !again {
				return
			}
			n = next.Notification
		}
	})
	return first
}

// afterTry says what becomes of a notification: done after any 2xx or the
// last try, else due again.
func (s *Simulator) afterTry(n *notification, results []delivery) (next entry, again bool) {
	for _, d := range results {
		if d.ok() {
			return entry{Done: n.Key}, false
		}
	}
	again = n.Retry && n.Tries < len(s.delays.Retries)
	s.log.Warn().Str("event", n.EventID).Int("status", results[0].Status).
		Int("tries", n.Tries+1).Bool("again", again).Msg("sandbox: notification not accepted")
	if !again {
		return entry{Done: n.Key}, false
	}
	later := *n
	later.Times = 1
	later.Due = s.now().Add(s.delays.Retries[n.Tries]).UTC()
	later.Tries++
	return entry{Notification: &later}, true
}

// try sends a notification's copies at the same time.
func (s *Simulator) try(ctx context.Context, n *notification) []delivery {
	results := make([]delivery, n.Times)
	var wg sync.WaitGroup
	for i := range results {
		wg.Go(func() { results[i] = s.send(ctx, n) })
	}
	wg.Wait()
	return results
}

func (s *Simulator) send(ctx context.Context, n *notification) delivery {
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
	case <-ctx.Done():
		return delivery{Error: "cancelled"}
	}
	a, err := s.account(n.Account)
	if err != nil {
		return delivery{Error: "unknown account"}
	}
	ctx, cancel := context.WithTimeout(ctx, s.delays.Delivery)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, n.URL, bytes.NewReader(n.Body))
	if err != nil {
		return delivery{Error: "bad URL"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "sandbox-psp/1")
	if n.Signature != signatureNone {
		req.Header.Set(signatureHeader, sign(n, a.WebhookSecret, s.now()))
	}
	resp, err := s.http.Do(req)
	if err != nil {
		return delivery{Error: "no answer"}
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(resp.Body, receiverMaxBytes))
	_ = resp.Body.Close()
	return delivery{Status: resp.StatusCode}
}

// sign makes the signature header, or the forgery that was asked for.
func sign(n *notification, secret string, now time.Time) string {
	switch n.Signature {
	case signatureBad:
		secret += "-forged"
	case signatureOld:
		now = now.Add(-signatureAge)
	}
	t := strconv.FormatInt(now.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(n.Body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}

// notifyClient makes a client that follows no redirect, out of the caller's
// or with a transport of its own.
func notifyClient(given *http.Client) *http.Client {
	var c http.Client
	if given != nil {
		c = *given
	} else {
		c.Transport = &http.Transport{MaxIdleConnsPerHost: 32, IdleConnTimeout: 30 * time.Second, TLSHandshakeTimeout: 5 * time.Second}
	}
	c.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &c
}
