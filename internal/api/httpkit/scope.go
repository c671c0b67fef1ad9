package httpkit

import (
	"bytes"
	"context"
	"crypto/sha256"
	"net/http"
	"net/netip"
)

// scope is all that the kit knows about one request. It is allocated once and
// put in the context once; the middlewares fill it in, so that together they
// cost a handful of allocations.
type scope struct {
	kit    *Kit
	writer responseWriter

	id       string
	idHeader [1]string
	keyID    string
	ip       netip.Addr

	idempotencyKey string
	body           []byte // pooled: nil once the operation has answered
	bodyReader     bytes.Reader

	movesMoney bool // the route can move money
	handling   bool // the handler was entered: money may have moved
}

type scopeKey struct{}

// scopeOf returns the scope of a request, or nil outside of one.
func scopeOf(ctx context.Context) *scope {
	s, _ := ctx.Value(scopeKey{}).(*scope)
	return s
}

// begin opens the scope: it must be the outermost middleware.
func (k *Kit) begin(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s := &scope{kit: k}
		s.writer.ResponseWriter = w
		s.setRequestID(r)
		next.ServeHTTP(&s.writer, r.WithContext(context.WithValue(r.Context(), scopeKey{}, s)))
	})
}

// RequestID is the id of the request that ctx belongs to, "" outside of one.
func RequestID(ctx context.Context) string {
	if s := scopeOf(ctx); s != nil {
		return s.id
	}
	return ""
}

// IdempotencyKey is the checked Idempotency-Key of a route that requires one.
func IdempotencyKey(ctx context.Context) string {
	if s := scopeOf(ctx); s != nil {
		return s.idempotencyKey
	}
	return ""
}

// BodyHash is the SHA-256 of the request body as it was sent, to tell a
// repeated request from another one under the same key. Call it in the
// handler: the body is gone once the handler returned.
func BodyHash(ctx context.Context) [sha256.Size]byte {
	if s := scopeOf(ctx); s != nil {
		return sha256.Sum256(s.body)
	}
	return sha256.Sum256(nil)
}

// responseWriter notes what was answered. It keeps the writer below reachable
// for http.ResponseController.
type responseWriter struct {
	http.ResponseWriter
	status int
	bytes  int64
}

// Unwrap serves http.ResponseController.
func (w *responseWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// WriteHeader sends the first final status; a second one is ignored, since
// the first is already on its way.
func (w *responseWriter) WriteHeader(status int) {
	if w.status != 0 {
		return
	}
	if status >= http.StatusOK {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write counts what is sent.
func (w *responseWriter) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}
