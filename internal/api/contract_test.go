package api_test

import (
	"bytes"
	"io"
	"net/http"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"
	"github.com/getkin/kin-openapi/routers/legacy"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// contract compares exchanges with the document, as somebody else's program
// reads it.
type contract struct {
	t      *testing.T
	router routers.Router
	mu     sync.Mutex
	seen   map[string]bool // operation and status
}

func newContract(t *testing.T) *contract {
	t.Helper()
	document, err := uncalled(t).OpenAPIYAML()
	require.NoError(t, err)
	loaded, err := openapi3.NewLoader().LoadFromData(document)
	require.NoError(t, err)
	router, err := legacy.NewRouter(loaded, openapi3.AllowExtraSiblingFields("patternDescription")) // 3.1 allows any keyword
	require.NoError(t, err)
	return &contract{t: t, router: router, seen: map[string]bool{}}
}

// check is a client's Sent.
func (c *contract) check(r *http.Request, sent []byte, a *answer) {
	c.t.Helper()
	r = r.Clone(r.Context())
	r.URL.Scheme, r.URL.Host, r.Host = "", "", ""
	r.Body = io.NopCloser(bytes.NewReader(sent))
	route, params, err := c.router.FindRoute(r)
	require.NoError(c.t, err, "%s %s", r.Method, r.URL)
	options := &openapi3filter.Options{
		AuthenticationFunc: openapi3filter.NoopAuthenticationFunc, IncludeResponseStatus: true, MultiError: true,
	}
	request := &openapi3filter.RequestValidationInput{Request: r, PathParams: params, Route: route, Options: options}
	if a.Status < http.StatusBadRequest {
		assert.NoError(c.t, openapi3filter.ValidateRequest(r.Context(), request), "%s was taken: %s", route.Operation.OperationID, sent)
	}
	err = openapi3filter.ValidateResponse(r.Context(), &openapi3filter.ResponseValidationInput{
		RequestValidationInput: request, Status: a.Status, Header: a.Header, Options: options,
		Body: io.NopCloser(bytes.NewReader(a.Body)),
	})
	assert.NoError(c.t, err, "%s %s answered %d: %s", r.Method, r.URL, a.Status, a.Body)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[route.Operation.OperationID] = true
}

func TestAnswersAreWhatTheDocumentSays(t *testing.T) {
	t.Parallel()
	b := boot(t)
	book := newContract(t)
	plain := b.Client()
	checked := b.Client()
	checked.Sent = book.check

	o := b.objects(plain)
	for _, op := range operations(t) { // each operation once, and once for what is not there
		if op.ID == "stream-order-status" {
			continue
		}
		checked.Send(op.Method, o.path(t, op, false), bodyOf(t, op))
		if op.ID != "put-basket" {
			checked.Send(op.Method, o.path(t, op, true), bodyOf(t, op))
		}
	}
	storyOfPayments(b, checked)
	for _, op := range operations(t) {
		assert.True(t, book.seen[op.ID] || op.ID == "stream-order-status", "%s was never compared", op)
	}
}

// storyOfPayments goes through every kind of outcome.
func storyOfPayments(b *bundle, c *client) {
	free := c.Order(map[string]any{"total": "0.00", "lines": nil, "shipping": nil, "tax": nil, "customer": nil, "return_urls": nil})
	c.Pay(free, "", nil).Is(http.StatusOK)
	yen := map[string]any{"currency": "JPY", "total": "1000", "lines": nil, "shipping": "1000", "tax": nil, "expires_at": "2099-01-01T00:00:00Z"}
	c.Pay(c.Order(yen), "card", nil).Is(http.StatusOK)
	invoice := c.Order()
	c.Pay(invoice, "invoice", nil)
	wallet := c.Order()
	c.Pay(wallet, "wallet", nil).Is(http.StatusOK)
	try := map[string]any{"order": wallet, "pipeline": "confirm", "fact": "approved"}
	c.tried(try).Is(http.StatusOK)
	try["pipelines"] = map[string]any{"status-ok": []any{map[string]any{"remove": "deduct-stock"}}}
	c.tried(try).Is(http.StatusOK)
	c.Post("/v1/orders/"+wallet+"/submit", nil).Is(http.StatusOK)
	c.Post("/v1/orders/"+wallet+"/failed", nil).Is(http.StatusOK)
	for _, scenario := range []string{"decline", "insufficient_funds", "action_required", "refuse_before_send", "timeout_after_charge", "garbage", "wrong_amount", "pending_then_approve"} {
		id := c.Order()
		c.Pay(id, "card", map[string]any{"scenario": scenario})
		c.Get("/v1/orders/" + id).Is(http.StatusOK)
		c.Get("/v1/orders/" + id + "/status").Is(http.StatusOK)
		c.Get("/v1/orders/" + id + "/timeline?limit=200").Is(http.StatusOK)
	}
	c.Post("/v1/orders", orderOf(map[string]any{"pay": map[string]any{"method": "card"}}))
	b.notify("NOBODYKNOWSTHISREF02", map[string]any{"event": "paid", "amount": "1.00", "currency": "EUR"})
	for _, list := range []string{
		"orders", "transactions", "notifications", "cases", "events", "pipelines", "stock", "promotion-codes",
	} {
		c.Get("/v1/" + list).Is(http.StatusOK)
	}
	c.Get("/v1/orders/" + free + "/payment-methods?include=excluded").Is(http.StatusOK)
	c.Post("/v1/orders", `{"Number":1}`)
	c.Get("/v1/orders?limit=1000")
	c.Get("/v1/orders", "Authorization", "")
}
