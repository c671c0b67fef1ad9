package httpkit_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

// The five things that huma gets wrong by default for a service like ours.

func TestHardening1WrongCaseCannotReplaceAField(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	w := serve(k, post("/v1/orders", order(`"total":"129.95"`, `"total":"129.95","TOTAL":"-999; drop"`)))
	require.Equal(t, http.StatusUnprocessableEntity, w.Code)
	require.Equal(t, "TOTAL", problemOf(t, w).Errors[0].Field)
	require.True(t, huma.ValidateStrictCasing)

	w = serve(k, post("/v1/orders", order(`"total"`, `"Total"`)))
	var blamed []string
	for _, e := range problemOf(t, w).Errors {
		blamed = append(blamed, e.Code+" "+e.Field)
	}
	require.Equal(t, []string{"unknown_field Total", "unknown_field lines[0].Total", "required lines[0].total", "required total"}, blamed)
}

func TestHardening2DuplicateNamesAreRefusedAtAnyDepth(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	for field, body := range map[string]string{
		"number":     order(`"number":"10001"`, `"number":"10001","number":"10001"`),
		"metadata.k": order(`"k":"v"`, `"k":"v","k":"v"`),
		"data.a.b":   order(`"k":"v"}`, `"k":"v"},"data":{"a":{"b":1,"b":1}}`),
	} {
		w := serve(k, post("/v1/orders", body))
		require.Equal(t, http.StatusBadRequest, w.Code, w.Body.String())
		require.Equal(t, field, problemOf(t, w).Errors[0].Field)
	}
}

func TestHardening3ErrorsNeverRepeatAValue(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	for _, body := range []string{
		`{"canary`, `"canary"`, order(`"10001"`, `["canary"]`), order(`"EUR"`, `"canary"`), order(`"129.95"`, `"canary"`),
		order(`"k":"v"}`, `"k":"v"},"customer":{"email":"canary@@"}`), order(`"k":"v"}`, `"k":"v"},"expires_at":"canary"`),
		order(`"quantity":2`, `"quantity":"canary"`), order(`"k":"v"}`, `"k":"v"},"return_url":"http://canary\u007f/"`),
	} {
		w := serve(k, post("/v1/orders", body))
		require.GreaterOrEqual(t, w.Code, 400)
		problemOf(t, w)
		require.NotContains(t, w.Body.String(), "canary")
	}
	require.NotContains(t, toJSON(t, huma.NewError(422, "x", &huma.ErrorDetail{Location: "body.a", Message: "expected string", Value: "canary"})), "canary")
}

func TestHardening4NothingComesFromElsewhereAndBodiesAreOurs(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	for _, path := range []string{"/docs", "/schemas/OrderBody.json", "/openapi-3.0.json"} {
		require.Equal(t, http.StatusNotFound, serve(k, get(path)).Code, path)
	}
	w := serve(k, post("/v1/orders", order()))
	require.NotContains(t, w.Body.String(), "$schema")
	require.Empty(t, w.Header().Get("Link"))
}

func TestHardening5NULIsRefusedEverywhere(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	for _, body := range []string{
		order("10001", `1\u0000`), order(`"k":"v"`, `"k":"\u0000"`), order(`"k":"v"`, `"\u0000":""`),
		order(`"k":"v"}`, `"k":"v"},"data":[["\u0000"]]`),
	} {
		w := serve(k, post("/v1/orders", body))
		require.Equal(t, http.StatusUnprocessableEntity, w.Code, w.Body.String())
		require.Equal(t, "nul_character", problemOf(t, w).Errors[0].Code)
	}
	require.Equal(t, "malformed_url", problemOf(t, serve(k, get("/v1/orders/a%00b"))).Code)
	require.Equal(t, "malformed_url", problemOf(t, serve(k, post("/v1/orders?q=%00", order("x", "x")))).Code)
}

func TestManyKitsAtOnceDoNotRace(t *testing.T) {
	t.Parallel()
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			k, _ := newKit(t, nil)
			createOrder(k, httpkit.Route{})
			if w := serve(k, post("/v1/orders", `{`)); w.Code != http.StatusBadRequest {
				t.Errorf("status %d", w.Code)
			}
			if w := serve(k, get("/openapi.yaml")); w.Code != http.StatusOK {
				t.Errorf("status %d", w.Code)
			}
		})
	}
	group.Wait()
}

func TestAnswersAreDeterministicAndNotEscaped(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	body := order(`"k":"v"`, `"b":"<&>","a":"2","c":"\u2028é"`)
	w := serve(k, post("/v1/orders", body))
	require.Equal(t, http.StatusCreated, w.Code, w.Body.String())
	require.Equal(t, "application/json", w.Header().Get("Content-Type"))
	require.Contains(t, w.Body.String(), `"metadata":{"a":"2","b":"<&>","c":"`+"\u2028"+`é"}`)
	require.Contains(t, w.Body.String(), `"created_at":"2026-11-21T12:00:00.123456Z"`)
	for range 20 {
		require.Equal(t, w.Body.String(), serve(k, post("/v1/orders", body)).Body.String())
	}
	none := serve(k, post("/v1/orders", `{"number":"1","currency":"EUR","total":"1"}`))
	require.Contains(t, none.Body.String(), `"lines":[]`)
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	encoded, err := json.Marshal(v)
	require.NoError(t, err)
	return strings.TrimSpace(string(encoded))
}
