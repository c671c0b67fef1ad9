package api

import (
	"context"
	"io"
	"net/http"
	"slices"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// The rights that routes ask for: a key needs one of them. publishable lets keys
// for browsers in; the handler then checks the order's client token.
const (
	anyScope                  = "any"
	publishable payment.Scope = "publishable"
)

// routes lists every route of the service.
func (a *API) routes() {
	r := a.kit.Router
	r.Get("/healthz", a.healthz)
	r.Get("/readyz", a.readyz)
	r.Get("/", toDocs)
	r.Head("/", toDocs)
	r.Post("/confirm/{gateway}/{account}", a.confirm)
	r.Get("/confirm/{gateway}/{account}", a.confirm)
	a.pages(r.With(a.forShoppers, a.kit.LimitByIP)) // each may ask a PSP
	for path, handler := range a.Mount {
		r.Mount(path, handler)
	}

	// Orders.
	add(a, post("/v1/orders", "create-order", "Create an order", payment.ScopeOrders).money().names("number", "basket_id", "lines[].sku", "pay.data.iban", "pay.payments[].data.iban", "pay.data.code", "pay.payments[].data.code"), a.createOrder)
	add(a, get("/v1/orders/{id}", "get-order", "Read an order"), a.getOrder)
	add(a, patch("/v1/orders/{id}", "amend-order", "Re-price an order or change its addresses", payment.ScopeOrders), a.amendOrder)
	add(a, post("/v1/orders/{id}/cancel", "cancel-order", "Cancel an order", payment.ScopeOrders).mayMoveMoney(), a.cancelOrder)

	// The moments of a payment.
	add(a, post("/v1/orders/{id}/pay", "pay-order", "Pay an order", payment.ScopeOrders, publishable).money().names("data.iban", "payments[].data.iban", "data.code", "payments[].data.code"), a.pay)
	add(a, post("/v1/orders/{id}/repay", "repay-order", "Pay an order whose payment came to nothing", payment.ScopeOrders).money().names("data.iban", "payments[].data.iban", "data.code", "payments[].data.code"), a.repay)
	add(a, get("/v1/orders/{id}/payment-methods", "list-payment-methods", "List the methods that an order can be paid with", publishable), a.listMethods)
	add(a, post("/v1/orders/{id}/payment-data", "validate-payment-data", "Check what the shopper entered", payment.ScopeOrders, publishable).names("data.iban", "data.code"), a.validateData)
	add(a, post("/v1/orders/{id}/submit", "submit-order", "The shopper is back from paying", payment.ScopeOrders), a.submit)
	add(a, post("/v1/orders/{id}/failed", "fail-order", "The shopper is back from not paying", payment.ScopeOrders), a.fail)
	add(a, get("/v1/orders/{id}/status", "get-order-status", "Read where an order stands", publishable), a.getStatus)
	add(a, get("/v1/orders/{id}/status/stream", "stream-order-status", "Follow where an order stands", publishable).produces(httpkit.ContentEventStream), a.streamStatus)

	a.operationRoutes()
	a.giftCardRoutes()
	a.listRoutes()
}

// route is a route while it is being described.
type route struct{ httpkit.Route }

// get reads, with any secret key: a scope in more changes nothing, publishable
// does. What needs a scope to be read is described with only.
func get(path, id, summary string, more ...payment.Scope) route {
	return describe(http.MethodGet, path, id, summary, append([]string{anyScope}, scopeNames(more)...))
}

func post(path, id, summary string, scopes ...payment.Scope) route {
	return describe(http.MethodPost, path, id, summary, scopeNames(scopes))
}

func patch(path, id, summary string, scopes ...payment.Scope) route {
	return describe(http.MethodPatch, path, id, summary, scopeNames(scopes))
}

func put(path, id, summary string, scopes ...payment.Scope) route {
	return describe(http.MethodPut, path, id, summary, scopeNames(scopes))
}

func del(path, id, summary string, scopes ...payment.Scope) route {
	return describe(http.MethodDelete, path, id, summary, scopeNames(scopes))
}

func describe(method, path, id, summary string, rights []string) route {
	return route{httpkit.Route{Operation: huma.Operation{
		Method: method, Path: path, OperationID: id, Summary: summary,
		Security: []map[string][]string{{"bearer": rights}},
	}}}
}

// only lets in keys with one of the scopes, and no others.
func (r route) only(scopes ...payment.Scope) route {
	r.Security = []map[string][]string{{"bearer": scopeNames(scopes)}}
	return r
}

// money marks a route that can move money: it needs an Idempotency-Key, and its
// problems say whether money moved.
func (r route) money() route {
	r.MovesMoney, r.NeedsKey = true, true
	return r
}

// mayMoveMoney marks a route that moves money only where it is asked to: it may have
// an Idempotency-Key, and its problems say whether money moved.
func (r route) mayMoveMoney() route {
	r.MovesMoney, r.TakesKey = true, true
	return r
}

// names exempts fields from the check for card numbers that hold the shop's own
// numbers, an IBAN, or the code of a gift card: one long number in ten has the shape
// of a card number.
func (r route) names(fields ...string) route {
	r.CardExempt = fields
	return r
}

func (r route) produces(mediaType string) route {
	r.Produces = mediaType
	return r
}

// add registers a route. One that keys for browsers may call lets their pages in.
func add[I, O any](a *API, r route, handle func(context.Context, *I) (*O, error)) {
	r.Browser = slices.Contains(r.Security[0]["bearer"], string(publishable))
	httpkit.Register(a.kit, r.Route, handle)
}

func scopeNames(scopes []payment.Scope) []string {
	all := make([]string, len(scopes))
	for i, s := range scopes {
		all[i] = string(s)
	}
	return all
}

// healthz answers as long as the process can: it looks at nothing else, so that a
// database that is down gets no healthy instance killed.
func (a *API) healthz(w http.ResponseWriter, _ *http.Request) { fine(w) }

// readyz answers 503 while the service cannot do its work, so that a balancer
// sends its requests elsewhere.
func (a *API) readyz(w http.ResponseWriter, r *http.Request) {
	if err := a.Ready(r.Context()); err != nil {
		httpkit.WriteProblem(w, r, httpkit.NewProblem(http.StatusServiceUnavailable, httpkit.CodeUnavailable, ""))
		return
	}
	fine(w)
}

// toDocs sends whoever opens the bare address to the API's document.
func toDocs(w http.ResponseWriter, r *http.Request) {
	http.Redirect(w, r, "/docs", http.StatusSeeOther)
}

func fine(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json")
	_, _ = io.WriteString(w, `{"status":"ok"}`+"\n") // whoever asked may be gone
}
