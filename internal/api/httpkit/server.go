package httpkit

import (
	stdlog "log"
	"net/http"
	"time"

	"github.com/rs/zerolog"
)

// The bounds of the server. ReadTimeout covers the head and the body of a
// request; net/http takes it off once both were read, so that it does not
// cancel requests that take long. Event streams replace WriteTimeout by their
// own.
const (
	HeaderReadTimeout = 5 * time.Second
	ReadTimeout       = 10 * time.Second
	WriteTimeout      = 60 * time.Second
	IdleTimeout       = 60 * time.Second
	HeaderMaxBytes    = 64 << 10
)

// NewServer is a server with the bounds above; a Kit served by another one has
// no protection from slow clients. The caller sets its listener
// and its life. What net/http has to say is logged as a warning.
func NewServer(handler http.Handler, log zerolog.Logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: HeaderReadTimeout,
		ReadTimeout:       ReadTimeout,
		WriteTimeout:      WriteTimeout,
		IdleTimeout:       IdleTimeout,
		MaxHeaderBytes:    HeaderMaxBytes,
		ErrorLog:          stdlog.New(log.With().Str("level", "warn").Str("part", "http").Logger(), "", 0),
	}
}
