package httpkit

import "net/http"

// securityHeaders sets what every answer carries. Answers hold money and
// people, so none is stored by default; pages and assets that may be cached or
// need scripts set their own Cache-Control and Content-Security-Policy.
//
// The slices are shared between answers: Set replaces them, and Add copies,
// because each is full.
func securityHeaders(next http.Handler) http.Handler {
	var (
		noStore  = []string{"no-store"}
		noSniff  = []string{"nosniff"}
		noFrame  = []string{"DENY"}
		referrer = []string{"no-referrer"}
		policy   = []string{"default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"}
	)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h["Cache-Control"] = noStore
		h["X-Content-Type-Options"] = noSniff
		h["X-Frame-Options"] = noFrame
		h["Referrer-Policy"] = referrer
		h["Content-Security-Policy"] = policy
		next.ServeHTTP(w, r)
	})
}
