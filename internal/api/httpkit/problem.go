package httpkit

import (
	"context"
	"net/http"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// MoneyMoved says whether a request that could move money did.
type MoneyMoved string

// The values of MoneyMoved. Empty leaves the choice to the kit: see Route.
const (
	MoneyNo      MoneyMoved = "no"
	MoneyYes     MoneyMoved = "yes"
	MoneyUnknown MoneyMoved = "unknown"
)

// codeDatabase is the code of whatever the database is missing for.
const codeDatabase = "database_unavailable"

// Problem is the body of every answer that is not a success (RFC 9457), and
// the error that a handler returns to answer it. Nothing in it may repeat a
// value of the request. A Problem may be shared: the kit completes a copy.
type Problem struct {
	Type       string       `json:"type" doc:"Names the kind of problem; as stable as code." example:"urn:paysvc:problem:validation_failed"`
	Title      string       `json:"title" doc:"The HTTP status in words." example:"Unprocessable Entity"`
	Status     int          `json:"status" example:"422"`
	Detail     string       `json:"detail" doc:"What happened, for people. Never repeats a value of the request."`
	Code       string       `json:"code" doc:"What happened, for programs." example:"validation_failed"`
	Errors     []FieldError `json:"errors" doc:"The fields to blame, if any."`
	RequestID  string       `json:"request_id"`
	MoneyMoved MoneyMoved   `json:"money_moved,omitempty" enum:"no,yes,unknown" doc:"On everything that can move money: whether this request did."`

	Reason    *Reason `json:"reason,omitempty" doc:"Why the PSP declined."`
	MaxAmount string  `json:"max_amount,omitempty" doc:"The most that would have been accepted."`
	WhyNot    *Reason `json:"why_not,omitempty" doc:"Why the action is not allowed now."`

	// RetryAfterSeconds sets the Retry-After header if it is not 0.
	RetryAfterSeconds int `json:"-"`
}

// FieldError blames one field. It is an error, so that resolvers can return it.
type FieldError struct {
	Field   string `json:"field" doc:"A path in the body such as lines[0].unit_price, or query.limit, path.id, header.X." example:"lines[0].unit_price"`
	Code    string `json:"code" example:"amount_invalid"`
	Message string `json:"message"`
}

// Error is for logs: the code and the field.
func (e FieldError) Error() string { return e.Code + ": " + e.Field }

// Reason is a code with words, and for declines whether trying again can help.
type Reason struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Decline string `json:"decline,omitempty" enum:"soft,hard"`
}

// NewProblem makes a problem. An empty detail is filled in where the code is
// one of the kit's.
func NewProblem(status int, code, detail string, fields ...FieldError) *Problem {
	if detail == "" {
		detail = detailOf(code)
	}
	return &Problem{
		Type:   problemTypePrefix + code,
		Title:  http.StatusText(status),
		Status: status,
		Detail: detail,
		Code:   code,
		Errors: fields,
	}
}

// NewFieldProblem makes a problem about one field, whose code is also the
// problem's.
func NewFieldProblem(status int, code, field, detail string) *Problem {
	p := NewProblem(status, code, detail)
	p.Errors = []FieldError{{Field: field, Code: code, Message: p.Detail}}
	return p
}

// Moved returns a copy that says whether money moved.
func (p *Problem) Moved(moved MoneyMoved) *Problem {
	q := *p
	q.MoneyMoved = moved
	return &q
}

// Error is for logs: the code.
func (p *Problem) Error() string { return p.Code }

// GetStatus serves huma.
func (p *Problem) GetStatus() int { return p.Status }

// ContentType serves huma.
func (p *Problem) ContentType(string) string { return contentProblem }

// GetHeaders serves huma.
func (p *Problem) GetHeaders() http.Header {
	if p.RetryAfterSeconds == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(p.RetryAfterSeconds)}}
}

// finished is the copy that is sent: complete, and with no field's name that
// could hold data.
func (p *Problem) finished(ctx context.Context) *Problem {
	q := *p
	if s := scopeOf(ctx); s != nil {
		q.RequestID = s.id
		if q.MoneyMoved == "" {
			q.MoneyMoved = s.moneyMoved()
		}
		if q.MoneyMoved == MoneyNo && q.Code == codeDatabase {
			q.MoneyMoved = MoneyUnknown // whether it repeats a request that moved some cannot be seen
		}
	}
	q.Errors = make([]FieldError, 0, len(p.Errors))
	for _, e := range p.Errors {
		e.Field = safeField(e.Field)
		q.Errors = append(q.Errors, e)
	}
	return &q
}

// moneyMoved is what can be said where nobody said more.
func (s *scope) moneyMoved() MoneyMoved {
	switch {
	case !s.movesMoney:
		return ""
	case s.handling:
		return MoneyUnknown
	default:
		return MoneyNo
	}
}

// WriteProblem answers p, for code that is not an operation of the API.
func WriteProblem(w http.ResponseWriter, r *http.Request, p *Problem) {
	for name, values := range p.GetHeaders() {
		w.Header()[name] = values
	}
	body, err := EncodeJSON(p.finished(r.Context()))
	if err != nil {
		panic(err) // a struct of strings always encodes, unless code of ours put bad UTF-8 in
	}
	w.Header().Set("Content-Type", contentProblem)
	w.WriteHeader(p.Status)
	_, _ = w.Write(body) // the client may be gone; nothing is left to tell it
}

// finishProblems completes the problems that huma writes.
func finishProblems(ctx huma.Context, _ string, v any) (any, error) {
	if p, ok := v.(*Problem); ok {
		return p.finished(ctx.Context()), nil
	}
	return v, nil
}
