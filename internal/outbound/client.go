// Package outbound calls URLs that stores give: endpoints for events, commands
// for storefronts, steps of pipelines. Whoever may write such a URL must not
// reach what only this machine reaches, nor hold it up: addresses are checked as
// they are dialled, redirects and proxies are not followed, and time and size of
// an exchange are bounded. Every message is signed (Standard Webhooks).
package outbound

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Config is what a Client is made of. Zero values are defaults.
type Config struct {
	// Allowed are networks that may be reached although they are not public, and
	// without TLS: those of the operator's own shops.
	Allowed []netip.Prefix
	Timeout time.Duration // of an exchange in total, the last byte of the answer included: 10 s
	Now     func() time.Time
	// Resolver looks names up; nil is the system's.
	Resolver Resolver
	// Roots, when set, replaces the authorities that certificates must come from.
	Roots *x509.CertPool
}

// Resolver looks up the addresses of a name. *net.Resolver is one.
type Resolver interface {
	LookupNetIP(ctx context.Context, network, host string) ([]netip.Addr, error)
}

// Message is what is posted.
type Message struct {
	// ID is the same whenever the same message is sent again: the receiver's
	// idempotency key.
	ID  string
	URL string
	// Secrets sign the message, each of them: two while one replaces the other.
	Secrets []string
	Body    []byte // JSON
	// Timeout, when set, is shorter than the client's.
	Timeout time.Duration
}

// Answer is what came back, whatever its status.
type Answer struct {
	Status int
	// Body is the beginning of the answer's, and Cut tells that there was more.
	Body []byte
	Cut  bool
	// RetryAfter is how long the receiver wants to be left alone, 0 when it said
	// nothing.
	RetryAfter time.Duration
}

// The bounds of exchanges.
const (
	timeoutDefault = 10 * time.Second
	answerMaxBytes = 64 << 10
	headerMaxBytes = 16 << 10
	retryAfterMax  = 24 * time.Hour
	// Connections that wait to be used again: of one host as many as deliveries use.
	idleMax        = 256
	idleMaxPerHost = 64
	idleTimeout    = 30 * time.Second
)

// Client posts messages. It is safe for concurrent use.
type Client struct {
	allowed []netip.Prefix
	timeout time.Duration
	now     func() time.Time
	// secure reaches public and allowed networks, plain the allowed ones only.
	secure, plain *http.Transport
}

// New returns a client. Close gives its connections back.
func New(c Config) *Client {
	if c.Timeout <= 0 {
		c.Timeout = timeoutDefault
	}
	if c.Resolver == nil {
		c.Resolver = net.DefaultResolver
	}
	transport := func(may func(netip.Addr) bool) *http.Transport {
		return &http.Transport{
			DialContext:            dialer{resolver: c.Resolver, may: may}.dial,
			TLSClientConfig:        &tls.Config{RootCAs: c.Roots, MinVersion: tls.VersionTLS12},
			TLSHandshakeTimeout:    dialMax,
			DisableCompression:     true, // what unpacks to more than it was is not unpacked
			MaxResponseHeaderBytes: headerMaxBytes,
			MaxIdleConns:           idleMax,
			MaxIdleConnsPerHost:    idleMaxPerHost,
			IdleConnTimeout:        idleTimeout,
		}
	}
	isAllowed := func(a netip.Addr) bool { return within(c.Allowed, a) }
	return &Client{
		allowed: c.Allowed, timeout: c.Timeout, now: c.Now, plain: transport(isAllowed),
		secure: transport(func(a netip.Addr) bool { return public(a) || isAllowed(a) }),
	}
}

// Close gives up the connections that wait to be used again.
func (c *Client) Close() {
	c.secure.CloseIdleConnections()
	c.plain.CloseIdleConnections()
}

// CheckURL tells what is wrong with a URL that a store gives.
func (c *Client) CheckURL(raw string) error { return CheckURL(raw, c.allowed) }

// Post sends a message, once, and returns the answer; what a status means is for
// the caller. Without an answer the error is a *Failure, which carries nothing
// of the message; or, when ctx ended, that of ctx.
func (c *Client) Post(ctx context.Context, m Message) (Answer, error) {
	req, err := c.request(m)
	if err != nil {
		return Answer{}, err
	}
	timeout := c.timeout
	if m.Timeout > 0 {
		timeout = min(timeout, m.Timeout)
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	a, err := c.exchange(req.WithContext(bounded))
	switch {
	case err == nil:
		return a, nil
	case ctx.Err() != nil:
		return a, ctx.Err()
	}
	return a, failureOf(bounded, err)
}

// request makes the signed request.
func (c *Client) request(m Message) (*http.Request, error) {
	if c.CheckURL(m.URL) != nil {
		return nil, &Failure{URLRefused}
	}
	req, err := http.NewRequest(http.MethodPost, m.URL, bytes.NewReader(m.Body)) //nolint:noctx // Post gives it one
	if err != nil {
		return nil, &Failure{URLRefused}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "paysvc")
	if err := sign(req.Header, m, c.now()); err != nil {
		return nil, err
	}
	return req, nil
}

// exchange sends a request over the transport itself: what http.Client adds,
// cookies and redirects, is not wanted.
func (c *Client) exchange(req *http.Request) (Answer, error) {
	transport := c.secure
	if req.URL.Scheme == "http" {
		transport = c.plain
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return Answer{}, err
	}
	defer func() { _ = resp.Body.Close() }() // all that matters was read
	a := Answer{Status: resp.StatusCode, RetryAfter: retryAfter(resp.Header, c.now())}
	if a.Status < http.StatusOK {
		return a, errGarbage // a switched protocol: its stream ends with no context
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, answerMaxBytes+1))
	if err != nil {
		return a, err
	}
	a.Cut = len(body) > answerMaxBytes
	a.Body = body[:min(len(body), answerMaxBytes)]
	return a, nil
}

var errGarbage = errors.New("not an answer")

// retryAfter reads seconds or a date (RFC 9110, section 10.2.3); what is neither
// is as if it were absent.
func retryAfter(h http.Header, now time.Time) time.Duration {
	value := strings.TrimSpace(h.Get("Retry-After"))
	var wait time.Duration
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		wait = time.Duration(seconds) * time.Second
	} else if at, err := http.ParseTime(value); err == nil {
		wait = at.Sub(now)
	}
	return max(0, min(wait, retryAfterMax))
}
