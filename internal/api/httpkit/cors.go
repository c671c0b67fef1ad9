package httpkit

import "net/http"

// allowBrowsers lets the page that asked read the answer, whatever its origin: the
// caller is known by its key and by the order's token, never by a cookie.
func allowBrowsers(h http.Header) {
	h.Set("Access-Control-Allow-Origin", "*")
	h.Set("Access-Control-Expose-Headers", "Idempotent-Replayed, Retry-After, X-Request-Id")
}

// preflight answers a browser that asks whether a page may call an operation.
func preflight(w http.ResponseWriter, _ *http.Request) {
	h := w.Header()
	allowBrowsers(h)
	h.Set("Access-Control-Allow-Methods", "GET, POST")
	h.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, Idempotency-Key, X-Order-Token, X-Request-Id")
	h.Set("Access-Control-Max-Age", "7200")
	w.WriteHeader(http.StatusNoContent)
}
