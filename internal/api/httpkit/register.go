package httpkit

import (
	"context"
	"errors"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// Route is an operation and what it promises. MaxBodyBytes of the operation is
// the cap on its body, 0 for BodyMaxBytes. Security names the scopes that the
// caller's key needs, for the Authenticator.
type Route struct {
	huma.Operation
	// MovesMoney makes every problem of the route carry money_moved: "no"
	// before the handler was entered, and after that what the handler's problem
	// says, or "unknown" if it says nothing.
	MovesMoney bool
	// NeedsKey requires an Idempotency-Key.
	NeedsKey bool
	// TakesKey honours an Idempotency-Key where there is one.
	TakesKey bool
	// Browser lets pages of other origins call the operation. It is for keys that
	// may be used in a browser: nothing here reads cookies.
	Browser bool
	// Public lets callers in without asking the Authenticator.
	Public bool
	// Produces is the content type of success, "" for JSON.
	Produces string
	// CardExempt lists fields of the body that may look like a card number,
	// with [] for any index ("lines[].sku"). Such a field must be of a kind
	// that never holds one; a GTIN passes the check one time in ten.
	CardExempt []string
}

// Handler is an operation's code. Its error is a *Problem, an *Answer, or
// anything that Config.MapError knows; whatever else is logged and answered
// as a 500 that says nothing.
type Handler[I, O any] func(ctx context.Context, input *I) (*O, error)

// Register adds an operation to the API, guarded as the route promises.
func Register[I, O any](k *Kit, route Route, handle Handler[I, O]) {
	if route.SkipValidateBody || route.SkipValidateParams {
		panic("httpkit: " + route.OperationID + ": validation cannot be skipped")
	}
	maxBytes := route.MaxBodyBytes
	if maxBytes == 0 {
		maxBytes = BodyMaxBytes
	}
	// The guard has read the body already, so huma's own bounds are lifted:
	// its cap refuses a body of exactly the limit, and its deadline, set after
	// the body was read, would cancel a long request.
	route.MaxBodyBytes = -1
	route.BodyReadTimeout = -1
	route.document()
	if route.Browser {
		k.Router.Options(route.Path, preflight)
	}
	op := route.Operation
	op.Middlewares = append(huma.Middlewares{k.guard(&route, maxBytes)}, op.Middlewares...)
	huma.Register(k.API, op, func(ctx context.Context, input *I) (*O, error) {
		if s := scopeOf(ctx); s != nil {
			s.handling = true
		}
		output, err := handle(ctx, input)
		if err != nil {
			return nil, k.answerable(ctx, err)
		}
		return output, nil
	})
}

// document adds to the OpenAPI document what the kit does by itself.
func (route *Route) document() {
	if route.Public && route.Security == nil {
		route.Security = []map[string][]string{{}}
	}
	if route.NeedsKey || route.TakesKey {
		param := idempotencyParam()
		param.Required = route.NeedsKey
		route.Parameters = append(route.Parameters, param)
	}
	if route.Produces != "" && route.Responses == nil {
		route.Responses = map[string]*huma.Response{"200": {
			Description: http.StatusText(http.StatusOK),
			Content:     map[string]*huma.MediaType{route.Produces: {Schema: &huma.Schema{Type: huma.TypeString}}},
		}}
	}
}

// answerable turns a handler's error into something that huma writes as it is.
func (k *Kit) answerable(ctx context.Context, err error) error {
	if answer, ok := errors.AsType[*Answer](err); ok {
		return answer
	}
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	if k.config.MapError != nil {
		if p := k.config.MapError(err); p != nil {
			return p
		}
	}
	if ctx.Err() != nil {
		return NewProblem(http.StatusServiceUnavailable, CodeRequestCancelled, "")
	}
	k.config.Log.Error().Err(err).Str("request_id", RequestID(ctx)).Msg("request failed")
	return NewProblem(http.StatusInternalServerError, CodeInternal, "")
}
