package gateways

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// Defaults of Limits.
const (
	timeoutDefault      = 15 * time.Second
	sendsMaxDefault     = 64
	inquiriesMaxDefault = 16
)

const (
	// slotWaitMax bounds the wait for a place among the exchanges under way.
	slotWaitMax = time.Second
	// attemptsMax counts the first attempt too; the pause between them lets a PSP
	// that restarts come back.
	attemptsMax  = 2
	attemptPause = 100 * time.Millisecond
)

// Limits are the bounds of an account's exchanges; zero values are defaults.
type Limits struct {
	Timeout      time.Duration // of an exchange in total: 15 s
	SendsMax     int           // exchanges under way that may move money: 64
	InquiriesMax int           // questions under way: 16
	BreakerDelay time.Duration // how long a broken circuit rests: 5 s
}

// Exchange is one request to a PSP.
type Exchange struct {
	Operation string // for the log: pay, inquire, close
	Reference string // ours, for the log
	// Safe tells that repeating it changes nothing at the PSP: a question.
	Safe   bool
	Method string
	URL    string
	Header http.Header
	Body   []byte
}

// Client carries the exchanges of one account with its PSP, and knows which of
// them may have left. It is safe for concurrent use.
type Client struct {
	transport http.RoundTripper
	timeout   time.Duration
	sends     chan struct{}
	inquiries chan struct{}
	breaker   breaker
	now       func() time.Time
	log       zerolog.Logger
}

// NewClient opens the way from an account of a gateway to its PSP.
func NewClient(gateway string, d Deps, l Limits) *Client {
	log := d.Log.With().Str("gateway", gateway).Str("account", d.Account).Logger()
	l = l.withDefaults()
	return &Client{
		transport: d.roundTripper(gateway), timeout: l.Timeout,
		sends: make(chan struct{}, l.SendsMax), inquiries: make(chan struct{}, l.InquiriesMax),
		breaker: newBreaker(l.BreakerDelay, log), now: d.Now, log: log,
	}
}

func (l Limits) withDefaults() Limits {
	if l.Timeout <= 0 {
		l.Timeout = timeoutDefault
	}
	if l.SendsMax <= 0 {
		l.SendsMax = sendsMaxDefault
	}
	if l.InquiriesMax <= 0 {
		l.InquiriesMax = inquiriesMaxDefault
	}
	if l.BreakerDelay <= 0 {
		l.BreakerDelay = breakerDelay
	}
	return l
}

// Timeout returns how long an exchange may take in total. A gateway that needs
// several for one call bounds their context by it.
func (c *Client) Timeout() time.Duration { return c.timeout }

// Do carries out an exchange, follows no redirect and logs one line. Only what
// provably never left, or is safe, is tried a second time.
func (c *Client) Do(ctx context.Context, e Exchange) Answer {
	begun := c.now()
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	a := c.inSlot(ctx, e)
	c.logExchange(ctx, e, a, c.now().Sub(begun))
	return a
}

// inSlot makes the exchange one of those under way. Questions have places of
// their own, so that a storm of one kind does not stop the other.
func (c *Client) inSlot(ctx context.Context, e Exchange) Answer {
	slots := c.sends
	if e.Safe {
		slots = c.inquiries
	}
	if !acquire(ctx, slots) {
		return Answer{Outcome: NotSent, Reason: ReasonBulkheadFull}
	}
	defer func() { <-slots }()
	a := c.attempt(ctx, e)
	for n := 1; n < attemptsMax && mayRepeat(e, a) && sleep(ctx, attemptPause); n++ {
		next := c.attempt(ctx, e)
		if next.Reason == ReasonCircuitOpen {
			break // the first failure tells more
		}
		a = next
	}
	return a
}

// mayRepeat tells whether trying again can neither do harm nor be in vain.
func mayRepeat(e Exchange, a Answer) bool {
	switch a.Reason {
	case ReasonConnectTimeout, ReasonConnectionRefused, ReasonConnectionFailed, ReasonHostUnknown:
		return true // these are reasons of not sent only
	case ReasonConnectionLost:
		return e.Safe
	}
	return false
}

func (c *Client) attempt(ctx context.Context, e Exchange) (a Answer) {
	if !c.breaker.allows() {
		return Answer{Outcome: NotSent, Reason: ReasonCircuitOpen}
	}
	a = Answer{Outcome: Unknown, Reason: ReasonConnectionLost} // should the transport panic
	defer func() { c.breaker.record(a) }()

	var p progress
	req, err := e.request(p.watch(ctx))
	if err != nil {
		return Answer{Outcome: NotSent, Reason: ReasonConnectionFailed}
	}
	resp, err := c.transport.RoundTrip(req)
	if err != nil {
		return p.failure(ctx, err)
	}
	defer func() { _ = resp.Body.Close() }() // all that matters was read
	return read(ctx, resp)
}

// read takes in an answer, as far as one can be.
func read(ctx context.Context, resp *http.Response) Answer {
	a := Answer{Status: resp.StatusCode, Header: resp.Header}
	if a.Status < http.StatusOK {
		return a.Unreadable() // a switched protocol: its stream ends with no context
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerMaxBytes+1))
	switch {
	case err != nil:
		a.Outcome, a.Reason = Unknown, whyUnknown(ctx, err)
		return a
	case len(body) > answerMaxBytes:
		a.Outcome, a.Reason = Unknown, ReasonAnswerTooLarge
		return a
	}
	a.Body = body
	return judge(a)
}

func (e Exchange) request(ctx context.Context) (*http.Request, error) {
	req, err := http.NewRequestWithContext(ctx, e.Method, e.URL, bytes.NewReader(e.Body))
	if err != nil {
		return nil, err
	}
	for name, values := range e.Header {
		req.Header[name] = values
	}
	if req.Header.Get("Idempotency-Key") != "" {
		req.GetBody = nil // with this header net/http would repeat what may have arrived
	}
	return req, nil
}

// logExchange writes the one line of an exchange: no address, no header, no
// content.
func (c *Client) logExchange(ctx context.Context, e Exchange, a Answer, took time.Duration) {
	event := c.log.Info()
	if a.Outcome != Answered {
		event = c.log.Warn().Str("reason", a.Reason)
	}
	event.Ctx(ctx).Str("operation", e.Operation).Str("reference", e.Reference).
		Str("outcome", string(a.Outcome)).Int("status", a.Status).Dur("took", took).Msg("exchange")
}

func acquire(ctx context.Context, slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	default:
	}
	timer := time.NewTimer(slotWaitMax)
	defer timer.Stop()
	select {
	case slots <- struct{}{}:
		return true
	case <-timer.C:
		return false
	case <-ctx.Done():
		return false
	}
}

// sleep reports whether it was left alone.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
