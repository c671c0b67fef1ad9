package api

import (
	"errors"
	"net/http"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// statusOf is the only table from the kind of an error to a status.
var statusOf = map[payment.Kind]int{
	payment.KindInvalid:         http.StatusUnprocessableEntity,
	payment.KindNotFound:        http.StatusNotFound,
	payment.KindConflict:        http.StatusConflict,
	payment.KindForbidden:       http.StatusForbidden,
	payment.KindUnauthenticated: http.StatusUnauthorized,
	payment.KindUnavailable:     http.StatusServiceUnavailable,
}

// problemOf makes the problem for an error of ours, nil for one that nobody
// classified: that is a 500 and its text stays inside.
func problemOf(err error) *httpkit.Problem {
	e, ok := errors.AsType[*payment.Error](err)
	if !ok {
		return nil
	}
	status, ok := statusOf[e.Kind]
	if !ok {
		return nil
	}
	p := httpkit.NewProblem(status, e.Code, detailOf(e))
	for _, f := range e.Fields {
		p.Errors = append(p.Errors, httpkit.FieldError{Field: f.Field, Code: f.Code, Message: f.Message})
	}
	if e.Why != (payment.Reason{}) {
		p.WhyNot = &httpkit.Reason{Code: e.Why.Code, Message: sentence(e.Why.Message)}
	}
	if e.Max != nil {
		p.MaxAmount = e.Max.String()
	}
	switch {
	case e.Code == "idempotency_in_progress":
		p.RetryAfterSeconds = 1
	case status == http.StatusServiceUnavailable:
		p.RetryAfterSeconds = 5
	}
	return p
}

// unmoved answers the error of a request that could move money: whatever was
// refused moved none, except where the outcome could not be recorded, or where the
// request may be the repetition of one that did: nobody can tell while that still
// runs, or while the books cannot be read.
func unmoved(err error) error {
	p := problemOf(err)
	switch {
	case p == nil:
		return err
	case errors.Is(err, payment.ErrUnrecorded), p.Code == "idempotency_in_progress", p.Code == "database_unavailable":
		return p.Moved(httpkit.MoneyUnknown)
	}
	return p.Moved(httpkit.MoneyNo)
}

// detailOf names the field where only one is to blame.
func detailOf(e *payment.Error) string {
	if len(e.Fields) == 1 {
		return e.Fields[0].Field + ": " + stopped(e.Fields[0].Message)
	}
	return sentence(e.Message)
}

// sentence begins with a capital and ends with a stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	if first := s[0]; first >= 'a' && first <= 'z' {
		s = string(first-'a'+'A') + s[1:]
	}
	return stopped(s)
}

func stopped(s string) string {
	if s == "" || s[len(s)-1] == '.' {
		return s
	}
	return s + "."
}
