package httpkit

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// refuseBadPath refuses paths that hold a NUL or invalid UTF-8, which the
// database would choke on.
func refuseBadPath(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !cleanText(r.URL.Path) {
			WriteProblem(w, r, NewProblem(http.StatusBadRequest, CodeMalformedURL, ""))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func cleanText(s string) bool {
	return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s)
}

// cleanQuery tells whether a query can be read in one way only: no broken escape,
// no parameter twice. Operations refuse another; pages and notifications do not
// read theirs, and a PSP may append what it likes.
func cleanQuery(raw string) bool {
	if raw == "" {
		return true
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return false
	}
	for name, given := range values {
		if len(given) != 1 || !cleanText(name) || !cleanText(given[0]) {
			return false
		}
	}
	return true
}
