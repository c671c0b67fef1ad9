package httpkit

import (
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"
)

// refuseBadURL refuses paths and queries that hold a NUL, invalid UTF-8 or a
// broken escape, and query parameters given twice: the database would choke on
// the first ones, and readers of the last disagree on which one counts.
func refuseBadURL(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !cleanText(r.URL.Path) || !cleanQuery(r.URL.RawQuery) {
			WriteProblem(w, r, NewProblem(http.StatusBadRequest, CodeMalformedURL, ""))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func cleanText(s string) bool {
	return strings.IndexByte(s, 0) < 0 && utf8.ValidString(s)
}

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
