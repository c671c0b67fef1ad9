package api

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

// forShoppers turns the problems of what is below into pages for those who say
// that they take HTML, as browsers do: a shopper can do nothing with JSON.
// Programs get the problem itself.
func (a *API) forShoppers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Add("Vary", "Accept")
		if strings.Contains(strings.Join(r.Header["Accept"], ","), "text/html") {
			w = &problemPage{ResponseWriter: w, request: r, api: a}
		}
		next.ServeHTTP(w, r)
	})
}

// problemPage sends a page in place of a problem, with its status and its header
// fields, and lets everything else through.
type problemPage struct {
	http.ResponseWriter
	request  *http.Request
	api      *API
	replaced bool
}

// WriteHeader implements http.ResponseWriter.
func (p *problemPage) WriteHeader(status int) {
	if p.Header().Get("Content-Type") != "application/problem+json" {
		p.ResponseWriter.WriteHeader(status)
		return
	}
	p.replaced = true
	s := standing{words: problemWords(status), RequestID: httpkit.RequestID(p.request.Context())}
	if wait, err := strconv.Atoi(p.Header().Get("Retry-After")); err == nil {
		s.Refresh = wait
	}
	p.api.render(p.ResponseWriter, p.request, status, s)
}

// Write drops the problem that was replaced.
func (p *problemPage) Write(b []byte) (int, error) {
	if p.replaced {
		return len(b), nil
	}
	return p.ResponseWriter.Write(b)
}

// Unwrap serves http.ResponseController.
func (p *problemPage) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// problemWords say of a problem what a shopper can do about it.
func problemWords(status int) words {
	switch {
	case status == http.StatusTooManyRequests:
		return words{State: "pending", Heading: "Too many requests", Text: "Please try again in a moment."}
	case status >= http.StatusInternalServerError:
		return words{
			State: "pending", Heading: "Something went wrong", Text: "Your order cannot be shown right now. Please try again in a moment.",
			Hint: "Please do not pay again before you have seen your order.",
		}
	default:
		return words{
			State: "off", Heading: "Page not found", Text: "This link does not lead to an order. It may be incomplete or out of date.",
			Hint: "Go back to the shop to see your order.",
		}
	}
}
