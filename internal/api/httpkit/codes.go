package httpkit

import "net/http"

// The codes that the kit itself answers. They are promised to callers, as are
// those that handlers add.
const (
	CodeValidationFailed     = "validation_failed"
	CodeMalformedJSON        = "malformed_json"
	CodeMalformedURL         = "malformed_url"
	CodeBadRequest           = "bad_request"
	CodeBodyRequired         = "body_required"
	CodeBodyIncomplete       = "body_incomplete"
	CodeBodyTimeout          = "body_timeout"
	CodeBodyTooLarge         = "body_too_large"
	CodeUnsupportedMediaType = "unsupported_media_type"
	CodeNotAcceptable        = "not_acceptable"
	CodeNotFound             = "not_found"
	CodeMethodNotAllowed     = "method_not_allowed"
	CodeUnauthorized         = "unauthorized"
	CodeForbidden            = "forbidden"
	CodeConflict             = "conflict"
	CodeRateLimited          = "rate_limited"
	CodeInternal             = "internal"
	CodeUnavailable          = "unavailable"
	CodeRequestCancelled     = "request_cancelled"

	CodeCardDataRefused        = "card_data_refused"
	CodeAmountInvalid          = "amount_invalid"
	CodeCursorInvalid          = "cursor_invalid"
	CodeIdempotencyKeyRequired = "idempotency_key_required"
	CodeIdempotencyKeyInvalid  = "idempotency_key_invalid"
)

// The codes of single fields, in errors[].code, besides those above.
const (
	fieldRequired      = "required"
	fieldUnknown       = "unknown_field"
	fieldUnknownParam  = "unknown_parameter"
	fieldType          = "wrong_type"
	fieldPattern       = "wrong_pattern"
	fieldFormat        = "wrong_format"
	fieldEnum          = "not_allowed"
	fieldLength        = "wrong_length"
	fieldRange         = "out_of_range"
	fieldInvalid       = "invalid"
	fieldDuplicate     = "duplicate_field"
	fieldInvalidUTF8   = "invalid_utf8"
	fieldTrailing      = "trailing_data"
	fieldTooDeep       = "too_deep"
	fieldNUL           = "nul_character"
	fieldControl       = "control_character"
	fieldSyntax        = "syntax"
	fieldErrorsMax     = 32 // a body of 256 KiB can break 40,000 rules; nobody reads them
	fieldNameMaxBytes  = 200
	problemTypePrefix  = "urn:paysvc:problem:"
	unknownFieldAnswer = "this field is not known here"
)

// detailOf is the sentence for a code where nobody wrote a better one.
func detailOf(code string) string {
	switch code {
	case CodeValidationFailed:
		return "The request has fields that cannot be accepted; see errors."
	case CodeMalformedJSON:
		return "The body is not acceptable JSON; see errors."
	case CodeMalformedURL:
		return "The path or query holds a broken escape, a NUL, invalid UTF-8 or a parameter given twice."
	case CodeBodyRequired:
		return "This operation needs a JSON body."
	case CodeBodyIncomplete:
		return "The body ended early."
	case CodeBodyTimeout:
		return "The body took too long to arrive."
	case CodeBodyTooLarge:
		return "The body is larger than this operation accepts."
	case CodeUnsupportedMediaType:
		return "Bodies must be application/json, in UTF-8, not compressed."
	case CodeNotAcceptable:
		return "The Accept header does not allow the type that this operation answers."
	case CodeNotFound:
		return "There is nothing here."
	case CodeMethodNotAllowed:
		return "This path does not have that method; see Allow."
	case CodeRateLimited:
		return "Too many requests; try again after the time in Retry-After."
	case CodeInternal:
		return "Something went wrong on our side; the request_id finds it in our logs."
	default:
		return detailOfField(code)
	}
}

// detailOfField is detailOf for the codes that are about one field.
func detailOfField(code string) string {
	switch code {
	case CodeCardDataRefused:
		return "A field holds what looks like a card number. Card data is not accepted here."
	case CodeAmountInvalid:
		return "Amounts are strings of digits with at most four decimals."
	case CodeCursorInvalid:
		return "The cursor is not one that this list gave."
	case CodeIdempotencyKeyRequired:
		return "This operation needs an Idempotency-Key header."
	case CodeIdempotencyKeyInvalid:
		return "The Idempotency-Key header must be given once, with 1 to 255 visible ASCII characters."
	default:
		return ""
	}
}

// codeOf is the code of a status where nothing more is known.
func codeOf(status int) string {
	switch status {
	case http.StatusUnauthorized:
		return CodeUnauthorized
	case http.StatusForbidden:
		return CodeForbidden
	case http.StatusNotFound:
		return CodeNotFound
	case http.StatusMethodNotAllowed:
		return CodeMethodNotAllowed
	case http.StatusNotAcceptable:
		return CodeNotAcceptable
	case http.StatusRequestTimeout:
		return CodeBodyTimeout
	case http.StatusConflict:
		return CodeConflict
	case http.StatusRequestEntityTooLarge:
		return CodeBodyTooLarge
	case http.StatusUnsupportedMediaType:
		return CodeUnsupportedMediaType
	case http.StatusUnprocessableEntity:
		return CodeValidationFailed
	case http.StatusTooManyRequests:
		return CodeRateLimited
	}
	switch {
	case status == http.StatusServiceUnavailable:
		return CodeUnavailable
	case status >= http.StatusInternalServerError:
		return CodeInternal
	default:
		return CodeBadRequest
	}
}
