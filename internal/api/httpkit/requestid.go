package httpkit

import (
	"encoding/hex"
	"io"
	"net/http"
)

const (
	headerRequestID   = "X-Request-Id"
	requestIDMaxBytes = 64
)

// setRequestID takes the caller's id if it is sane, else makes one, and
// answers it in the response header.
func (s *scope) setRequestID(r *http.Request) {
	if values := r.Header[headerRequestID]; len(values) == 1 && saneRequestID(values[0]) {
		s.id = values[0]
	} else {
		s.id = newRequestID(s.kit.config.Random)
	}
	s.idHeader[0] = s.id
	s.writer.Header()[headerRequestID] = s.idHeader[:]
}

// saneRequestID is true for 1-64 of [A-Za-z0-9._-], which is safe in a log
// line and in a header. One shaped like a card number is not taken over.
func saneRequestID(id string) bool {
	if id == "" || len(id) > requestIDMaxBytes {
		return false
	}
	for i := range len(id) {
		c := id[i]
		switch {
		case c >= '0' && c <= '9', c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c == '.', c == '_', c == '-':
		default:
			return false
		}
	}
	return !ContainsCardNumber(id)
}

// newRequestID answers "unavailable" if there is no randomness: an id helps to
// find a request, and its absence is no reason to refuse one.
func newRequestID(random io.Reader) string {
	var raw [16]byte
	if _, err := io.ReadFull(random, raw[:]); err != nil {
		return "unavailable"
	}
	return hex.EncodeToString(raw[:])
}
