package gateways

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"syscall"
)

// progress watches how far a request got. The hooks may be called by the
// transport's own goroutines, even after the request was given up.
type progress struct {
	asked     atomic.Bool // a connection was asked for
	connected atomic.Bool // and there was one: from here on bytes may have left
	tls       atomic.Bool
}

func (p *progress) watch(ctx context.Context) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GetConn:           func(string) { p.asked.Store(true) },
		GotConn:           func(httptrace.GotConnInfo) { p.connected.Store(true) },
		TLSHandshakeStart: func() { p.tls.Store(true) },
		TLSHandshakeDone: func(_ tls.ConnectionState, err error) {
			if err == nil {
				p.tls.Store(false)
			}
		},
	})
}

// failure classifies the error of a round trip. Not sent needs a proof: the
// transport asked for a connection and never got one, or (for transports that
// tell nothing of connections) it says itself that it failed to dial.
func (p *progress) failure(ctx context.Context, err error) Answer {
	dialing := false
	if op, ok := errors.AsType[*net.OpError](err); ok {
		dialing = op.Op == "dial"
	}
	if !p.connected.Load() && (p.asked.Load() || dialing) {
		return Answer{Outcome: NotSent, Reason: p.whyNotSent(ctx, err)}
	}
	return Answer{Outcome: Unknown, Reason: whyUnknown(ctx, err)}
}

func (p *progress) whyNotSent(ctx context.Context, err error) string {
	_, unknownHost := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ReasonCancelled
	case timedOut(ctx, err):
		return ReasonConnectTimeout
	case unknownHost:
		return ReasonHostUnknown
	case errors.Is(err, syscall.ECONNREFUSED):
		return ReasonConnectionRefused
	case p.tls.Load():
		return ReasonTLSFailed
	}
	return ReasonConnectionFailed
}

func whyUnknown(ctx context.Context, err error) string {
	switch {
	case errors.Is(ctx.Err(), context.Canceled):
		return ReasonCancelled
	case timedOut(ctx, err):
		return ReasonTimeout
	}
	return ReasonConnectionLost
}

func timedOut(ctx context.Context, err error) bool {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return true
	}
	timeout, ok := errors.AsType[net.Error](err)
	return ok && timeout.Timeout()
}

// judge classifies an answer by its status alone.
func judge(a Answer) Answer {
	switch {
	case a.Status >= http.StatusInternalServerError:
		a.Outcome, a.Reason = Unknown, ReasonPSPError
	case a.Status == http.StatusTooManyRequests:
		a.Outcome, a.Reason = NotSent, ReasonThrottled
	case a.Status >= http.StatusMultipleChoices && a.Status < http.StatusBadRequest:
		a.Outcome, a.Reason = Unknown, ReasonRedirected
	default:
		a.Outcome = Answered
	}
	return a
}
