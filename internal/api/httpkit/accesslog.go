package httpkit

import (
	"net/http"

	"github.com/rs/zerolog"
)

// accessLog writes one line per request. It logs the route's pattern, never
// the path (which holds tokens), the query or a body. It runs the line even
// when a panic passes on its way to abort the connection.
func (k *Kit) accessLog(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := k.config.Now()
		defer func() {
			s := scopeOf(r.Context())
			status := s.writer.status
			if status == 0 {
				status = http.StatusOK // net/http sends this for an empty answer
			}
			event := k.config.Log.WithLevel(levelOf(status)).
				Str("method", r.Method).
				Str("route", routeOf(r)).
				Int("status", status).
				Int64("bytes", s.writer.bytes).
				Dur("took", k.config.Now().Sub(began)).
				Str("request_id", s.id)
			if s.keyID != "" {
				event = event.Str("key_id", s.keyID)
			}
			event.Msg("request")
		}()
		next.ServeHTTP(w, r)
	})
}

// routeOf is the pattern that chi matched: it is set on the request while
// routing, so it is known only after the handler ran.
func routeOf(r *http.Request) string {
	if r.Pattern == "" {
		return "unmatched"
	}
	return r.Pattern
}

func levelOf(status int) zerolog.Level {
	switch {
	case status >= http.StatusInternalServerError:
		return zerolog.ErrorLevel
	case status >= http.StatusBadRequest && status != http.StatusPaymentRequired: // a decline is business
		return zerolog.WarnLevel
	default:
		return zerolog.InfoLevel
	}
}
