package httpkit

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

const (
	headerIdempotencyKey   = "Idempotency-Key"
	idempotencyKeyMaxBytes = 255
)

// ParseIdempotencyKey reads the Idempotency-Key header: exactly one, of 1 to
// 255 visible ASCII characters. The error is a *Problem with status 400.
// Operations with NeedsKey have it read already: see IdempotencyKey.
func ParseIdempotencyKey(h http.Header) (string, error) {
	key, p := parseIdempotencyKey(h)
	if p != nil {
		return "", p
	}
	return key, nil
}

func parseIdempotencyKey(h http.Header) (string, *Problem) {
	values := h[headerIdempotencyKey]
	if len(values) == 0 {
		return "", keyProblem(CodeIdempotencyKeyRequired)
	}
	key := values[0]
	if len(values) > 1 || key == "" || len(key) > idempotencyKeyMaxBytes {
		return "", keyProblem(CodeIdempotencyKeyInvalid)
	}
	for i := range len(key) {
		if key[i] <= ' ' || key[i] > '~' {
			return "", keyProblem(CodeIdempotencyKeyInvalid)
		}
	}
	return key, nil
}

func keyProblem(code string) *Problem {
	return NewFieldProblem(http.StatusBadRequest, code, "header."+headerIdempotencyKey, "")
}

// idempotencyParam documents the header. The guard checks it, not huma, which
// would see the first of several headers only.
func idempotencyParam() *huma.Param {
	shortest, longest := 1, idempotencyKeyMaxBytes
	return &huma.Param{
		Name:        headerIdempotencyKey,
		In:          "header",
		Required:    true,
		Description: "Makes the request safe to repeat: the same key with the same body gets the first answer again.",
		Schema: &huma.Schema{
			Type: huma.TypeString, MinLength: &shortest, MaxLength: &longest, Pattern: "^[!-~]+$",
			Extensions: map[string]any{extensionErrorCode: CodeIdempotencyKeyInvalid},
		},
	}
}
