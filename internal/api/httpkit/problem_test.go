package httpkit_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

type empty struct{}

var errGone = errors.New("canary: the order is gone")

// route registers an operation without a body that fails with err.
func route(k *httpkit.Kit, r httpkit.Route, path string, err error) {
	r.Operation = huma.Operation{OperationID: "op" + path, Method: http.MethodPost, Path: path, DefaultStatus: http.StatusNoContent}
	httpkit.Register(k, r, func(context.Context, *empty) (*empty, error) { return nil, err })
}

func TestProblemsOfTheRouter(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	require.Equal(t, "not_found", problemOf(t, serve(k, get("/canary"))).Code)
	require.Equal(t, "not_found", problemOf(t, serve(k, get("/v1/orders/"))).Code)

	for _, method := range []string{"GET", "DELETE", "OPTIONS", "TRACE", "CONNECT", "BREW"} {
		r := get("/v1/orders")
		r.Method = method
		w := serve(k, r)
		require.Equal(t, http.StatusMethodNotAllowed, w.Code, method)
		require.Equal(t, "method_not_allowed", problemOf(t, w).Code)
		require.Equal(t, []string{"POST"}, w.Header().Values("Allow"))
	}
}

func TestProblemsOfHandlers(t *testing.T) {
	t.Parallel()
	shared := httpkit.NewProblem(http.StatusConflict, "order_not_open", "The order is complete.")
	shared.WhyNot = &httpkit.Reason{Code: "complete", Message: "x"}
	shared.MaxAmount = "1.00"
	shared.RetryAfterSeconds = 7
	k, logged := newKit(t, func(c *httpkit.Config) {
		c.MapError = func(err error) *httpkit.Problem {
			if errors.Is(err, errGone) {
				return httpkit.NewProblem(http.StatusNotFound, httpkit.CodeNotFound, "")
			}
			return nil
		}
	})
	route(k, httpkit.Route{}, "/shared", fmt.Errorf("pay: %w", shared))
	route(k, httpkit.Route{}, "/mapped", fmt.Errorf("pay: %w", errGone))
	route(k, httpkit.Route{}, "/unknown", errors.New("canary in the database"))
	route(k, httpkit.Route{}, "/huma", huma.Error404NotFound("no such thing"))

	w := serve(k, post("/shared", ""))
	p := problemOf(t, w)
	require.Equal(t, "order_not_open", p.Code)
	require.Equal(t, "complete", p.WhyNot.Code)
	require.Equal(t, "1.00", p.MaxAmount)
	require.Equal(t, "7", w.Header().Get("Retry-After"))
	require.Empty(t, shared.RequestID, "a shared problem is not changed")

	require.Equal(t, "not_found", problemOf(t, serve(k, post("/mapped", ""))).Code)
	p = problemOf(t, serve(k, post("/huma", "")))
	require.Equal(t, "not_found", p.Code)
	require.Equal(t, "no such thing", p.Detail)

	w = serve(k, post("/unknown", ""))
	require.Equal(t, http.StatusInternalServerError, w.Code)
	require.Equal(t, "internal", problemOf(t, w).Code)
	require.NotContains(t, w.Body.String(), "canary")
	require.Contains(t, logged.String(), "canary in the database", "the operator needs it")
	require.NotContains(t, logged.String(), "canary: the order is gone", "a known error is answered, not logged")
}

func TestMoneyMovedIsSaidOnRoutesThatMoveMoney(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	money := httpkit.Route{MovesMoney: true, NeedsKey: true}
	declined := httpkit.NewProblem(http.StatusPaymentRequired, "payment_declined", "")
	declined.Detail = "The PSP said no."
	route(k, money, "/silent", declined)
	route(k, money, "/no", declined.Moved(httpkit.MoneyNo))
	route(k, money, "/broken", errors.New("x"))
	k.Router.Post("/other", func(w http.ResponseWriter, r *http.Request) { httpkit.WriteProblem(w, r, declined) })

	moved := func(path, key string) httpkit.MoneyMoved {
		r := post(path, "")
		if key != "" {
			r.Header.Set("Idempotency-Key", key)
		}
		return problemOf(t, serve(k, r)).MoneyMoved
	}
	require.Equal(t, httpkit.MoneyNo, moved("/silent", ""), "refused before the handler")
	require.Equal(t, httpkit.MoneyUnknown, moved("/silent", "k"), "the handler did not say")
	require.Equal(t, httpkit.MoneyNo, moved("/no", "k"))
	require.Equal(t, httpkit.MoneyUnknown, moved("/broken", "k"))
	require.Empty(t, moved("/other", ""))
	require.Empty(t, declined.MoneyMoved)
}

func TestPanicIsA500AndTheServerGoesOn(t *testing.T) {
	t.Parallel()
	k, logged := newKit(t, nil)
	httpkit.Register(k, httpkit.Route{MovesMoney: true, Operation: huma.Operation{OperationID: "p", Method: "POST", Path: "/panic"}},
		func(context.Context, *empty) (*empty, error) { panic("canary") })
	k.Router.Get("/nil", func(http.ResponseWriter, *http.Request) {
		var s []int
		_ = s[len(s)]
	})
	k.Router.Get("/begun", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = w.Write([]byte("half"))
		panic("canary")
	})
	for range 2 {
		w := serve(k, post("/panic", ""))
		require.Equal(t, http.StatusInternalServerError, w.Code)
		p := problemOf(t, w)
		require.Equal(t, "internal", p.Code)
		require.Equal(t, httpkit.MoneyUnknown, p.MoneyMoved)
		require.NotContains(t, w.Body.String(), "canary")
	}
	require.Contains(t, logged.String(), "problem_test.go", "the stack is logged")
	require.NotContains(t, logged.String(), "canary", "a panic's text may hold anything")
	require.Contains(t, logged.String(), `"status":500`)

	serve(k, get("/nil"))
	require.Contains(t, logged.String(), "index out of range", "a runtime error's text holds no data")
	require.PanicsWithValue(t, http.ErrAbortHandler, func() { serve(k, get("/begun")) }, "half an answer must not look whole")
}

func TestFieldNamesCannotCarryData(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	route(k, httpkit.Route{}, "/x", httpkit.NewFieldProblem(422, "c", "meta."+testPAN+"\r\nX: y\u0000", "d"))
	p := problemOf(t, serve(k, post("/x", "")))
	require.Equal(t, "meta.[card]??X: y?", p.Errors[0].Field)
}

func TestAnswersAreGivenAgainByteForByte(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	var kept *httpkit.Answer
	httpkit.Register(k, httpkit.Route{NeedsKey: true, MovesMoney: true, Operation: huma.Operation{OperationID: "a", Method: "POST", Path: "/a"}},
		func(ctx context.Context, in *orderInput) (*orderOutput, error) {
			if kept != nil {
				again := *kept
				again.Replayed = true
				return nil, &again
			}
			answer, err := httpkit.ProblemAnswer(ctx, httpkit.NewProblem(402, "payment_declined", "No.").Moved(httpkit.MoneyNo))
			if in.Body.Number == "good" {
				answer, err = httpkit.NewAnswer(201, orderAnswer{ID: "ord_1", Metadata: map[string]string{"b": "<1>", "a": "2"}})
			}
			require.NoError(t, err)
			kept = answer
			return nil, answer
		})
	for number, contentType := range map[string]string{"good": "application/json", "bad": "application/problem+json"} {
		kept = nil
		first := serve(k, post("/a", order("10001", number), "Idempotency-Key", "k"))
		again := serve(k, post("/a", order("10001", number), "Idempotency-Key", "k"))
		require.Equal(t, first.Code, again.Code)
		require.Equal(t, first.Body.Bytes(), again.Body.Bytes())
		require.Equal(t, contentType, again.Header().Get("Content-Type"))
		require.Empty(t, first.Header().Get("Idempotent-Replayed"))
		require.Equal(t, "true", again.Header().Get("Idempotent-Replayed"))
		require.NotEqual(t, first.Header().Get("X-Request-Id"), again.Header().Get("X-Request-Id"))
	}
}
