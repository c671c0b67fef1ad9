package httpkit

import (
	"net/http"
	"time"

	"github.com/go-chi/httprate"
)

// newLimiter returns nil where there is no limit. Counters live in this
// process: several instances each allow the whole limit.
func newLimiter(limit int, window time.Duration) *httprate.RateLimiter {
	if limit <= 0 {
		return nil
	}
	return httprate.NewRateLimiter(limit, window,
		httprate.WithResponseHeaders(httprate.ResponseHeaders{RetryAfter: "Retry-After"}))
}

// allow counts the request. When there were too many it sets Retry-After and
// answers a problem, else nil.
func allow(limiter *httprate.RateLimiter, w http.ResponseWriter, r *http.Request, key string) *Problem {
	if limiter == nil || !limiter.OnLimit(w, r, key) {
		return nil
	}
	return NewProblem(http.StatusTooManyRequests, CodeRateLimited, "")
}

// LimitByIP is a middleware for routes outside of the REST API that should
// share its limit per address. Notifications of PSPs should not: one address
// sends for all shops.
func (k *Kit) LimitByIP(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p := k.allowIP(w, r); p != nil {
			WriteProblem(w, r, p)
			return
		}
		next.ServeHTTP(w, r)
	})
}

// allowIP counts by address, an IPv6 client by its /64, which is what one
// client owns.
func (k *Kit) allowIP(w http.ResponseWriter, r *http.Request) *Problem {
	if k.ipLimit == nil {
		return nil
	}
	return allow(k.ipLimit, w, r, httprate.CanonicalizeIP(ClientIP(r.Context()).String()))
}

func (k *Kit) allowKey(w http.ResponseWriter, r *http.Request, keyID string) *Problem {
	return allow(k.keyLimit, w, r, keyID)
}
