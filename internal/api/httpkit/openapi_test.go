package httpkit_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

func TestOpenAPIDocument(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, func(c *httpkit.Config) {
		c.Docs = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("docs")) })
	})
	createOrder(k, httpkit.Route{NeedsKey: true, MovesMoney: true})

	w := serve(k, get("/openapi.json"))
	require.Equal(t, "application/openapi+json", w.Header().Get("Content-Type"))
	document, err := openapi3.NewLoader().LoadFromData(w.Body.Bytes())
	require.NoError(t, err)
	require.Equal(t, "3.1.0", document.OpenAPI)
	require.Equal(t, "paysvc", document.Info.Title)
	require.Equal(t, "bearer", document.Components.SecuritySchemes["bearer"].Value.Scheme)
	require.NotEmpty(t, document.Security)

	op := document.Paths.Value("/v1/orders").Post
	require.True(t, op.Parameters.GetByInAndName("header", "Idempotency-Key").Required)
	problem := op.Responses.Default().Value.Content["application/problem+json"]
	require.NotNil(t, problem, "every operation documents its problems")
	require.Contains(t, problem.Schema.Value.Properties, "money_moved")
	require.NotContains(t, problem.Schema.Value.Properties, "RetryAfterSeconds")
	var raw struct {
		Components struct {
			Schemas map[string]struct {
				Properties map[string]map[string]any `json:"properties"`
			} `json:"schemas"`
		} `json:"components"`
	}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &raw))
	total := raw.Components.Schemas["OrderBody"].Properties["total"]
	require.Equal(t, "amount_invalid", total["x-error-code"])
	require.Equal(t, `^[0-9]{1,15}(\.[0-9]{1,4})?$`, total["pattern"])

	yaml := serve(k, get("/openapi.yaml"))
	require.Equal(t, "application/openapi+yaml", yaml.Header().Get("Content-Type"))
	frozen, err := k.OpenAPIYAML()
	require.NoError(t, err)
	require.Equal(t, yaml.Body.Bytes(), frozen)
	require.Equal(t, "docs", serve(k, get("/docs")).Body.String())
	require.Equal(t, "docs", serve(k, get("/docs/start.js")).Body.String())
}
