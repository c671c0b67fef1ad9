package httpkit

import (
	"context"
	"net/http"
	"strconv"
)

// Answer is an answer that is encoded already: the one that is kept under an
// Idempotency-Key and given again byte for byte. A handler returns it as its
// error, the first time as well, so that both times the same bytes are sent.
type Answer struct {
	Status    int
	MediaType string
	Body      []byte
	// Replayed adds Idempotent-Replayed: true.
	Replayed bool
	// RetryAfterSeconds sets the Retry-After header if it is not 0.
	RetryAfterSeconds int
}

// NewAnswer encodes a success.
func NewAnswer(status int, v any) (*Answer, error) {
	body, err := EncodeJSON(v)
	if err != nil {
		return nil, err
	}
	return &Answer{Status: status, MediaType: contentJSON, Body: body}, nil
}

// ProblemAnswer encodes a problem, with the request id of ctx.
func ProblemAnswer(ctx context.Context, p *Problem) (*Answer, error) {
	body, err := EncodeJSON(p.finished(ctx))
	if err != nil {
		return nil, err
	}
	return &Answer{Status: p.Status, MediaType: contentProblem, Body: body, RetryAfterSeconds: p.RetryAfterSeconds}, nil
}

// Error serves huma, which takes other answers than an operation's output as
// errors only.
func (a *Answer) Error() string { return "answered " + strconv.Itoa(a.Status) }

// GetStatus serves huma.
func (a *Answer) GetStatus() int { return a.Status }

// ContentType serves huma.
func (a *Answer) ContentType(string) string { return a.MediaType }

// GetHeaders serves huma.
func (a *Answer) GetHeaders() http.Header {
	h := http.Header{}
	if a.Replayed {
		h.Set("Idempotent-Replayed", "true")
	}
	if a.RetryAfterSeconds != 0 {
		h.Set("Retry-After", strconv.Itoa(a.RetryAfterSeconds))
	}
	return h
}
