package httpkit

import (
	"bytes"
	"errors"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// guard is what stands between the router and an operation: who calls, how
// often, with what key, and is the body fit to be looked at. It runs before
// huma reads anything.
func (k *Kit) guard(route *Route, maxBytes int64) func(huma.Context, func(huma.Context)) {
	produces := route.Produces
	if produces == "" {
		produces = contentJSON
	}
	return func(ctx huma.Context, next func(huma.Context)) {
		r, w := humachi.Unwrap(ctx)
		s := scopeOf(r.Context())
		s.movesMoney = route.MovesMoney
		if route.Browser {
			allowBrowsers(w.Header())
		}
		ctx, err := k.admit(ctx, w, r, route, produces)
		if err != nil {
			k.refuse(w, r, err)
			return
		}
		if ctx.Operation().RequestBody != nil && r.ContentLength != 0 {
			buf := k.buffers.Get().(*bytes.Buffer) //nolint:errcheck // the pool holds nothing else
			buf.Reset()
			defer func() {
				s.body = nil
				k.keepBuffer(buf)
			}()
			if p := s.takeBody(buf, w, r, maxBytes, route.CardExempt); p != nil {
				WriteProblem(w, r, p)
				return
			}
		}
		next(ctx)
	}
}

// admit checks all that can be told without the body. The context that it
// returns carries what the Authenticator put there.
func (k *Kit) admit(ctx huma.Context, w http.ResponseWriter, r *http.Request, route *Route, produces string) (huma.Context, error) {
	if p := checkAccept(r, produces); p != nil {
		return ctx, p
	}
	if !cleanQuery(r.URL.RawQuery) {
		return ctx, NewProblem(http.StatusBadRequest, CodeMalformedURL, "")
	}
	if p := k.allowIP(w, r); p != nil {
		return ctx, p
	}
	s := scopeOf(r.Context())
	if k.config.Authenticate != nil && !route.Public {
		inner, keyID, err := k.config.Authenticate(r.Context(), r, ctx.Operation())
		s.keyID = keyID
		if err != nil {
			return ctx, err
		}
		if p := k.allowKey(w, r, keyID); p != nil {
			return ctx, p
		}
		ctx = huma.WithContext(ctx, inner)
	}
	if route.NeedsKey || route.TakesKey && len(r.Header[headerIdempotencyKey]) > 0 {
		key, p := parseIdempotencyKey(r.Header)
		if p != nil {
			return ctx, p
		}
		s.idempotencyKey = key
	}
	return ctx, nil
}

// Refuse answers the error of code that is not an operation of the API, as the
// error of an operation is answered.
func (k *Kit) Refuse(w http.ResponseWriter, r *http.Request, err error) { k.refuse(w, r, err) }

// refuse answers what admit said no with.
func (k *Kit) refuse(w http.ResponseWriter, r *http.Request, err error) {
	if p, ok := errors.AsType[*Problem](k.answerable(r.Context(), err)); ok {
		WriteProblem(w, r, p)
		return
	}
	WriteProblem(w, r, NewProblem(http.StatusInternalServerError, CodeInternal, ""))
}

// takeBody reads and scans the body, and leaves it for huma to read again.
func (s *scope) takeBody(buf *bytes.Buffer, w http.ResponseWriter, r *http.Request, maxBytes int64, exempt []string) *Problem {
	plain := isPlainJSON(r.Header)
	if !plain && r.ContentLength > 0 {
		return NewProblem(http.StatusUnsupportedMediaType, CodeUnsupportedMediaType, "")
	}
	if p := readBody(buf, w, r, maxBytes); p != nil {
		return p
	}
	if buf.Len() == 0 {
		r.Body = http.NoBody
		return nil
	}
	if !plain { // a body of unknown length, which might have been empty
		return NewProblem(http.StatusUnsupportedMediaType, CodeUnsupportedMediaType, "")
	}
	if p := scanBody(buf.Bytes(), exempt); p != nil {
		return p
	}
	r.Header.Set("Content-Type", contentJSON) // huma compares it to the letter
	s.body = buf.Bytes()
	s.bodyReader.Reset(s.body)
	r.Body = io.NopCloser(&s.bodyReader)
	return nil
}
