package httpkit

import (
	"cmp"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// hardenOnce guards hardenHuma.
var hardenOnce sync.Once

// hardenHuma sets the switches that huma has as package variables. This is the
// only place that writes them: once per process, before the first API of any
// Kit exists, and the Once orders the write before every read through a Kit.
//
// Without strict casing, the validator reads "amount" while "Amount" is
// another member of the same object. Without our error constructors, huma's
// errors repeat the offending value, and for a parse error the whole body.
func hardenHuma() {
	hardenOnce.Do(func() {
		huma.ValidateStrictCasing = true
		huma.DefaultArrayNullable = false
		huma.NewError = newError
		huma.NewErrorWithContext = newErrorWithContext
	})
}

// newError is for code that calls huma.Error404NotFound and the like: the
// message is the caller's own.
func newError(status int, message string, errs ...error) huma.StatusError {
	p := problemOfErrors(nil, status, errs)
	if message != "" && len(errs) == 0 {
		p.Detail = message
	}
	return p
}

// newErrorWithContext is for huma's own errors. Its messages are not used:
// some of them quote.
func newErrorWithContext(ctx huma.Context, status int, message string, errs ...error) huma.StatusError {
	if status == http.StatusBadRequest && len(errs) == 0 && strings.Contains(message, "required") {
		return NewProblem(status, CodeBodyRequired, "")
	}
	return problemOfErrors(ctx, status, errs)
}

// problemOfErrors makes one problem of what validation found. A *Problem among
// the errors (from a resolver) wins. ctx may be nil.
func problemOfErrors(ctx huma.Context, status int, errs []error) *Problem {
	fields := make([]FieldError, 0, min(len(errs), fieldErrorsMax))
	malformed := false
	for _, err := range errs {
		switch err := err.(type) { //nolint:errorlint // huma hands over what was made here, unwrapped
		case *Problem:
			return err
		case FieldError:
			fields = append(fields, err)
		case *huma.ErrorDetail:
			field, broken := fieldErrorOf(ctx, err)
			fields = append(fields, field)
			malformed = malformed || broken
		default:
			fields = append(fields, FieldError{Code: fieldInvalid, Message: messageOf(fieldInvalid)})
		}
	}
	if status >= http.StatusInternalServerError || len(fields) == 0 {
		return NewProblem(status, codeOf(status), "")
	}
	// huma walks maps, so the order of its errors is random; ours is not.
	slices.SortStableFunc(fields, func(a, b FieldError) int { return cmp.Compare(a.Field, b.Field) })
	fields = fields[:min(len(fields), fieldErrorsMax)]
	status, code := judge(status, fields, malformed)
	return NewProblem(status, code, detailOfFields(code, fields), fields...)
}

// judge gives the whole problem its status and code. Where every field has
// the same code and that code is a promised one of its own, it is the
// problem's too.
func judge(status int, fields []FieldError, malformed bool) (int, string) {
	if malformed {
		return http.StatusBadRequest, CodeMalformedJSON
	}
	if status == http.StatusUnsupportedMediaType {
		return status, CodeUnsupportedMediaType
	}
	first := fields[0].Code
	for _, field := range fields {
		if field.Code != first {
			return http.StatusUnprocessableEntity, CodeValidationFailed
		}
	}
	switch first {
	case CodeCursorInvalid:
		return http.StatusBadRequest, first
	case CodeAmountInvalid:
		return http.StatusUnprocessableEntity, first
	default:
		return http.StatusUnprocessableEntity, CodeValidationFailed
	}
}

// detailOfFields names the field if there is one only.
func detailOfFields(code string, fields []FieldError) string {
	if len(fields) == 1 && fields[0].Field != "" {
		return safeField(fields[0].Field) + ": " + fields[0].Message + "."
	}
	return detailOf(code)
}
