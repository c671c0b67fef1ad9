package httpkit

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
	"github.com/go-chi/chi/v5"
	"github.com/go-chi/httprate"
	"github.com/rs/zerolog"
)

// Config is what a Kit needs from outside. Log, Now and Random are required.
type Config struct {
	// Version is shown in the OpenAPI document.
	Version string
	Log     zerolog.Logger
	// Now times requests for the log, and does nothing else.
	Now func() time.Time
	// Random makes request ids. It must be safe for concurrent use, as
	// crypto/rand.Reader is.
	Random io.Reader
	// Docs serves /docs and everything below it; nil serves none.
	Docs http.Handler
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	Limits         RateLimits
	// Authenticate checks the caller of every operation that is not Public.
	// Nil lets everyone in: for tests of a handler only.
	Authenticate Authenticator
	// MapError classifies the errors that handlers return and that are not
	// problems already. Nil, or a nil answer, makes it a 500 that says nothing,
	// and the error is logged.
	MapError func(error) *Problem
}

// Authenticator finds out who calls. It returns the context that the handler
// gets and an id of the key, which is logged and rate limited by (so never
// the key itself). The operation's Security says which scopes are needed.
// A *Problem as error is answered as it is; any other is a 500.
type Authenticator func(ctx context.Context, r *http.Request, op *huma.Operation) (context.Context, string, error)

// RateLimits bounds requests per Window. A limit of 0 is no limit.
type RateLimits struct {
	PerIP  int
	PerKey int
	Window time.Duration
}

// Kit is the HTTP side of the service: the router, and the API on it.
type Kit struct {
	// Router takes the routes that are not part of the REST API (pages,
	// notifications). Its middlewares are complete: don't call Use.
	Router chi.Router
	// API is the huma API. Register operations with Register, not with huma's
	// own functions, which would skip the guard.
	API huma.API

	config   Config
	ipLimit  *httprate.RateLimiter
	keyLimit *httprate.RateLimiter
	buffers  *sync.Pool
	specJSON func() ([]byte, error)
	specYAML func() ([]byte, error)
}

// New builds a Kit with no operation yet.
func New(config Config) (*Kit, error) {
	if config.Now == nil || config.Random == nil {
		return nil, errors.New("httpkit: Now and Random are required")
	}
	if (config.Limits.PerIP > 0 || config.Limits.PerKey > 0) && config.Limits.Window <= 0 {
		return nil, errors.New("httpkit: rate limits need a window")
	}
	hardenHuma()
	k := &Kit{config: config, buffers: newBufferPool()}
	k.ipLimit = newLimiter(config.Limits.PerIP, config.Limits.Window)
	k.keyLimit = newLimiter(config.Limits.PerKey, config.Limits.Window)

	mux := chi.NewMux()
	mux.Use(k.begin, securityHeaders, k.accessLog, k.recoverPanic, k.resolveClientIP, refuseBadPath)
	mux.NotFound(func(w http.ResponseWriter, r *http.Request) {
		WriteProblem(w, r, NewProblem(http.StatusNotFound, CodeNotFound, ""))
	})
	mux.MethodNotAllowed(methodNotAllowed(mux))
	k.Router = mux
	k.API = humachi.New(mux, k.humaConfig())
	k.serveSpec()
	if config.Docs != nil {
		mux.Method(http.MethodGet, "/docs", config.Docs)
		mux.Method(http.MethodGet, "/docs/*", config.Docs)
	}
	return k, nil
}

// ServeHTTP makes the Kit the handler of a server.
func (k *Kit) ServeHTTP(w http.ResponseWriter, r *http.Request) { k.Router.ServeHTTP(w, r) }

// methodNotAllowed answers 405 with the methods that the path does have: chi
// leaves Allow out once the handler is replaced.
func methodNotAllowed(mux *chi.Mux) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		for _, method := range []string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"} {
			if mux.Match(chi.NewRouteContext(), method, r.URL.Path) {
				w.Header().Add("Allow", method)
			}
		}
		WriteProblem(w, r, NewProblem(http.StatusMethodNotAllowed, CodeMethodNotAllowed, ""))
	}
}
