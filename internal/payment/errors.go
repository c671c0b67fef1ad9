package payment

import (
	"errors"
	"fmt"
)

// Kind classifies an error once, where the knowledge is. The HTTP layer holds
// the only table from Kind to status; everything without a Kind is internal.
type Kind int

// The kinds of errors.
const (
	// KindInternal is a bug or a broken dependency; its text stays inside.
	KindInternal Kind = iota
	// KindInvalid is input that can never be right as it is.
	KindInvalid
	// KindNotFound is an object that does not exist, or belongs to another store.
	KindNotFound
	// KindConflict is a request that the present state forbids.
	KindConflict
	// KindForbidden is a caller without the right.
	KindForbidden
	// KindUnauthenticated is a caller, or a notification, that proves nothing.
	KindUnauthenticated
	// KindUnavailable is a dependency that is down; nothing was changed.
	KindUnavailable
)

// FieldError says what is wrong with one field, never with which value.
type FieldError struct {
	Field   string // as the caller wrote it: "lines[0].total"
	Code    string // stable, for programs: "total_mismatch"
	Message string // for people
}

// Error is an error for a caller: a kind, a stable problem code, and a text
// that repeats no value of the request.
type Error struct {
	Kind    Kind
	Code    string // problem code of the API contract, e.g. "order_not_open"
	Message string
	Fields  []FieldError
	// Why says of an action that is not allowed why that is; zero for others.
	Why Reason
	// Max is the most that would have been accepted; nil where nothing would, or
	// where that is not what is wrong.
	Max *Money
}

// Error implements error.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

// Errorf returns an *Error of the given kind and problem code.
func Errorf(kind Kind, code, format string, args ...any) *Error {
	return &Error{Kind: kind, Code: code, Message: fmt.Sprintf(format, args...)}
}

// Invalid returns the error for one bad field.
func Invalid(field, code, message string) *Error {
	return &Error{
		Kind: KindInvalid, Code: code, Message: message,
		Fields: []FieldError{{Field: field, Code: code, Message: message}},
	}
}

// NotAllowed returns the error for an action that the present state forbids, and
// why: a stable code, and a text for people.
func NotAllowed(code, message string) *Error {
	return &Error{
		Kind: KindConflict, Code: "action_not_allowed", Message: message, Why: Reason{Code: code, Message: message},
	}
}

// NotFound is the answer for an absent object and for another store's alike.
func NotFound(what string) *Error {
	return Errorf(KindNotFound, "not_found", "%s does not exist", what)
}

// KindOf returns the kind of err; an error that nobody classified is internal.
func KindOf(err error) Kind {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Kind
	}
	return KindInternal
}

// CodeOf returns the problem code of err, or "" where it has none.
func CodeOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return ""
}
