package api_test

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// document is the document that is served, as somebody else's program reads it.
func document(t *testing.T) *openapi3.T {
	t.Helper()
	recorder := httptest.NewRecorder()
	uncalled(t).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/openapi.json", http.NoBody))
	loaded, err := openapi3.NewLoader().LoadFromData(recorder.Body.Bytes())
	require.NoError(t, err)
	return loaded
}

func TestTheDocumentExplainsEveryOperation(t *testing.T) {
	t.Parallel()
	d := document(t)
	for _, convention := range []string{"Idempotency-Key", "Bearer", "X-Order-Token", "decimal strings", "money_moved", "next_cursor"} {
		assert.Contains(t, d.Info.Description, convention)
	}
	var tags, used []string
	for _, tag := range d.Tags {
		assert.NotEmpty(t, tag.Description, "%s", tag.Name)
		tags = append(tags, tag.Name)
	}
	require.Equal(t, "Orders", tags[0], "in the order of an order's life")
	for path, item := range d.Paths.Map() {
		for method, op := range item.Operations() {
			require.Len(t, op.Tags, 1, "%s %s", method, path)
			used = append(used, op.Tags[0])
			assert.True(t, strings.HasSuffix(op.Description, "."), "%s %s: %q", method, path, op.Description)
			for status, r := range op.Responses.Map() {
				assert.NotEmpty(t, *r.Value.Description, "%s %s %s", method, path, status)
			}
		}
	}
	slices.Sort(used)
	assert.ElementsMatch(t, tags, slices.Compact(used))
}

func TestTheDocumentNamesTheProblemsOfPay(t *testing.T) {
	t.Parallel()
	pay := document(t).Paths.Value("/v1/orders/{id}/pay").Post
	for status, codes := range map[string][]string{
		"402": {"payment_declined"},
		"409": {"order_already_paid", "payment_in_progress", "order_not_open", "idempotency_in_progress"},
		"422": {"method_unavailable", "payment_data_invalid", "payments_do_not_cover_total", "idempotency_key_reused"},
		"503": {"gateway_unavailable"},
	} {
		r := pay.Responses.Value(status)
		require.NotNil(t, r, "%s", status)
		for _, code := range codes {
			assert.Contains(t, *r.Value.Description, "`"+code+"`")
		}
		content := r.Value.Content["application/problem+json"]
		assert.NotNil(t, content.Schema, "%s", status)
		assert.Equal(t, codes[0], content.Example.(map[string]any)["code"])
	}
	for _, status := range []string{"202", "503"} {
		assert.Contains(t, pay.Responses.Value(status).Value.Headers, "Retry-After")
	}
	assert.NoError(t, document(t).Validate(t.Context(), openapi3.AllowExtraSiblingFields("patternDescription")), "the examples fit the types")
	assert.NotNil(t, pay.Parameters.GetByInAndName("header", "X-Order-Token"))
}

func TestTheExamplesOfTheDocumentWork(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	d := document(t)
	example := func(op *openapi3.Operation) any { return op.RequestBody.Value.Content["application/json"].Example }
	order := "/v1/orders/" + c.Post("/v1/orders", example(d.Paths.Value("/v1/orders").Post)).Is(http.StatusCreated).Text("id")
	one := func(path string) *openapi3.PathItem { return d.Paths.Value("/v1/orders/{id}" + path) }
	c.Post(order+"/payment-data", example(one("/payment-data").Post)).Is(http.StatusOK)
	c.Send(http.MethodPatch, order, example(one("").Patch)).Is(http.StatusOK)
	c.Post(order+"/cancel", example(one("/cancel").Post)).Is(http.StatusOK)
	other := c.Order()
	c.Post("/v1/orders/"+other+"/pay", example(one("/pay").Post)).Is(http.StatusOK)
}
