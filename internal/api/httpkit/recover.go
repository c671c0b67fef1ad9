package httpkit

import (
	"errors"
	"net/http"
	"runtime"
	"runtime/debug"
)

// recoverPanic turns a panic into a 500 that says nothing, logs it with its
// stack, and lets the server go on. If the answer had begun, the connection is
// aborted, so that a client cannot take half an answer for a whole one.
func (k *Kit) recoverPanic(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			cause := recover()
			if cause == nil {
				return
			}
			if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
				panic(http.ErrAbortHandler)
			}
			s := scopeOf(r.Context())
			if r.Context().Err() != nil && s.writer.status != 0 {
				panic(http.ErrAbortHandler) // the client left while we wrote to it
			}
			k.logPanic(r, s, cause)
			if s.writer.status != 0 {
				panic(http.ErrAbortHandler)
			}
			WriteProblem(w, r, NewProblem(http.StatusInternalServerError, CodeInternal, ""))
		}()
		next.ServeHTTP(w, r)
	})
}

// logPanic logs the text of runtime errors only: any other panic's text may
// hold what the request held. Its type and stack say enough.
func (k *Kit) logPanic(r *http.Request, s *scope, cause any) {
	event := k.config.Log.Error().
		Str("request_id", s.id).
		Str("route", routeOf(r)).
		Type("panic", cause).
		Bytes("stack", debug.Stack())
	if err, ok := cause.(runtime.Error); ok {
		event = event.Str("error", err.Error())
	}
	event.Msg("panic in a handler")
}
