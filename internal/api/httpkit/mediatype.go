package httpkit

import (
	"mime"
	"net/http"
	"strings"
)

const (
	contentJSON    = "application/json"
	contentProblem = "application/problem+json"
)

// isPlainJSON lets only plain JSON in: no other type that a browser's form
// could send across origins, no other charset, no compression, which could
// unfold a small body into a huge one.
func isPlainJSON(h http.Header) bool {
	values := h["Content-Type"]
	if len(h["Content-Encoding"]) > 0 || len(values) != 1 {
		return false
	}
	if values[0] == contentJSON {
		return true
	}
	mediaType, params, err := mime.ParseMediaType(values[0])
	if err != nil || mediaType != contentJSON {
		return false
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return false
		}
	}
	return true
}

// checkAccept refuses, before anything is done, a caller who could not read
// the answer.
func checkAccept(r *http.Request, produces string) *Problem {
	values := r.Header["Accept"]
	if len(values) == 0 {
		return nil
	}
	for _, value := range values {
		for rest := value; rest != ""; {
			var entry string
			entry, rest, _ = strings.Cut(rest, ",")
			if accepts(entry, produces) {
				return nil
			}
		}
	}
	return NewProblem(http.StatusNotAcceptable, CodeNotAcceptable, "")
}

// accepts is true if one entry of an Accept header covers the type produced.
func accepts(entry, produces string) bool {
	name, params, _ := strings.Cut(entry, ";")
	name = strings.ToLower(strings.TrimSpace(name))
	if q, found := strings.CutPrefix(strings.TrimSpace(params), "q="); found && strings.Trim(q, "0.") == "" {
		return false // "not this one"
	}
	group, _, _ := strings.Cut(produces, "/")
	return name == "*/*" || name == produces || name == group+"/*"
}
