package api_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// forBrowsers are the operations that a publishable key may use, for the order
// whose client token comes with it. Nothing else may ever say so.
var forBrowsers = []string{
	"pay-order", "list-payment-methods", "validate-payment-data", "get-order-status", "stream-order-status",
}

// notOfAnObject are operations that name nothing which exists already: another
// store may use them, on what is its own.
var notOfAnObject = []string{"put-basket"}

// bodies are what each operation with a body gets in these tests; a new
// operation needs one.
var bodies = map[string]any{
	"create-webhook-endpoint": map[string]any{"url": "https://shop.example/hooks?a=1"},
	"change-webhook-endpoint": map[string]any{"types": []string{"order.paid"}},
	"create-order":            map[string]any{"number": "A-1", "currency": "EUR", "total": "0.00"},
	"amend-order":             map[string]any{"locale": "de"},
	"cancel-order":            map[string]any{"reason": "changed their mind"},
	"pay-order":               map[string]any{"method": "card"},
	"repay-order":             map[string]any{"method": "card"},
	"validate-payment-data":   map[string]any{"method": "card"},
	"capture-payment":         map[string]any{"amount": "1.00"},
	"refund-payment":          map[string]any{"amount": "1.00"},
	"refund-order":            map[string]any{"amount": "1.00"},
	"void-payment":            map[string]any{"reason": "out of stock"},
	"increase-payment":        map[string]any{"amount": "1.00"},
	"mark-payment-paid":       map[string]any{"reason": "the money came"},
	"mark-payment-authorized": map[string]any{"reason": "the bank vouches for it"},
	"resolve-case":            map[string]any{"resolution": "checked", "reason": "it is as it should be"},
	"add-note":                map[string]any{"text": "called"},
	"put-attribute":           map[string]any{"a": 1},
	"put-checkout-state":      map[string]any{"a": 1},
	"put-stock":               map[string]any{"items": []any{map[string]any{"sku": "X-1", "quantity": 1}}},
	"put-promotion-codes":     map[string]any{"items": []any{map[string]any{"code": "WINTER"}}},
	"put-basket":              map[string]any{"lines": []any{}},
	"issue-gift-card":         map[string]any{"amount": "50.00", "currency": "EUR"},
	"find-gift-card":          map[string]any{"code": "GIFT-0001-OLD1"},
	"try-pipeline":            map[string]any{"order": payment.OrderID{}.String(), "pipeline": "confirm"},
}

// objects are an object of store demo for each path parameter, and the same for
// one that nobody has.
type objects struct {
	order, absentOrder               string
	payment, absentPayment           string
	run, absentRun                   string
	notification, absentNotification string
	endpoint, absentEndpoint         string
	event, absentEvent               string
	caseID, absentCase               string
	giftCard, absentGiftCard         string
	token                            string
}

// stock a store with one of each.
func (b *bundle) objects(c *client) objects {
	b.t.Helper()
	id := c.PaidOrder()
	order := c.Get("/v1/orders/" + id).Is(http.StatusOK)
	absent := payment.OrderID(b.ids.New())
	o := objects{
		order: id, absentOrder: absent.String(), token: order.Text("client_token"),
		payment: order.Text("payments.0.id"), absentPayment: payment.PaymentID{Order: absent, N: 1}.String(),
		absentRun:          payment.RunID{Order: absent, N: 1}.String(),
		absentNotification: payment.NotificationID(b.ids.New()).String(),
		absentEndpoint:     payment.EndpointID(b.ids.New()).String(),
		absentEvent:        payment.EventID{Order: absent, N: 1}.String(),
		absentCase:         payment.CaseID(b.ids.New()).String(),
		absentGiftCard:     payment.GiftCardID(b.ids.New()).String(),
	}
	o.giftCard = c.Post("/v1/gift-cards", bodies["issue-gift-card"]).Is(http.StatusCreated).Text("id")
	o.endpoint = c.Post("/v1/webhook-endpoints", bodies["create-webhook-endpoint"]).Is(http.StatusCreated).Text("id")
	for _, entry := range c.Get("/v1/orders/" + id + "/timeline?limit=200").Is(http.StatusOK).List("data") {
		if event, ok := entry.(map[string]any)["event"].(map[string]any); ok {
			o.event = event["id"].(string)
		}
		if run, ok := entry.(map[string]any)["run"].(map[string]any); ok {
			o.run = run["id"].(string)
		}
	}
	require.NotEmpty(b.t, o.run)
	b.notify(order.Text("payments.0.transactions.0.reference"), map[string]any{"event": "paid"})
	o.notification = c.Get("/v1/notifications").Is(http.StatusOK).Text("data.0.id")
	b.notify(order.Text("payments.0.transactions.0.reference"), map[string]any{"event": "paid", "amount": "1.00"})
	o.caseID = c.Get("/v1/cases").Is(http.StatusOK).Text("data.0.id")
	c.Put("/v1/orders/"+id+"/attributes/crm", `{"a":1}`).Is(http.StatusOK)
	c.Put("/v1/stock", bodies["put-stock"]).Is(http.StatusOK)
	c.Put("/v1/promotion-codes", bodies["put-promotion-codes"]).Is(http.StatusOK)
	c.Put("/v1/baskets/b-9", `{"lines":[]}`).Is(http.StatusNoContent)
	return o
}

// notify makes the simulator send a notification and waits until it was taken.
func (b *bundle) notify(reference string, event map[string]any) {
	b.t.Helper()
	b.As("").Post("/sandbox/payments/"+reference+"/notify", event).Is(http.StatusOK)
}

// path fills in the parameters of a path: with objects of demo, or absent ones.
func (o objects) path(t *testing.T, op operation, absent bool) string {
	t.Helper()
	pick := func(there, nowhere string) string {
		if absent {
			return nowhere
		}
		return there
	}
	var id string
	switch strings.Split(op.Path, "/")[2] {
	case "orders":
		id = pick(o.order, o.absentOrder)
	case "payments":
		id = pick(o.payment, o.absentPayment)
	case "runs":
		id = pick(o.run, o.absentRun)
	case "notifications":
		id = pick(o.notification, o.absentNotification)
	case "webhook-endpoints":
		id = pick(o.endpoint, o.absentEndpoint)
	case "gift-cards":
		id = pick(o.giftCard, o.absentGiftCard)
	case "events":
		id = pick(o.event, o.absentEvent)
	case "cases":
		id = pick(o.caseID, o.absentCase)
	case "baskets":
		id = pick("b-9", "b-none")
	case "jobs":
		id = pick("job_812", "job_9")
	}
	path := strings.NewReplacer(
		"{id}", id, "{key}", pick("crm", "nothing"), "{sku}", pick("X-1", "X-none"), "{code}", pick("WINTER", "NONE"),
	).Replace(op.Path)
	require.NotContains(t, path, "{", "say in objects what the parameters of %s are", op)
	require.False(t, strings.Contains(op.Path, "{id}") && id == "", "say in objects what {id} of %s is", op)
	return path
}

func bodyOf(t *testing.T, op operation) any {
	t.Helper()
	if op.RequestBody == nil {
		return nil
	}
	body, ok := bodies[op.ID]
	require.True(t, ok, "%s needs an entry in bodies", op)
	return body
}

func TestNobodyUsesARouteWithoutAKeyThatLetsThemIn(t *testing.T) {
	t.Parallel()
	b := boot(t)
	o := b.objects(b.Client())
	revoked, key := b.Key("demo")
	require.NoError(t, b.Store.RevokeKey(t.Context(), "demo", key.ID, payment.ByCommandLine(b.Clock.Now())))
	browser, reader := b.PublishableKey("demo"), b.keyWith("demo", payment.ScopeRead)
	for _, op := range operations(t) {
		path, body := o.path(t, op, false), bodyOf(t, op)
		for name, secret := range map[string]string{"no": "", "a wrong": "paysk_test_wrong", "a revoked": revoked} {
			a := b.As(secret).Send(op.Method, path, body)
			assert.Equal(t, http.StatusUnauthorized, a.Status, "%s with %s key: %s", op, name, a.Body)
		}
		if op.allows("any") {
			assert.NotEqual(t, http.StatusForbidden, b.As(reader).Send(op.Method, path, body).Status, "%s with scope read", op)
		} else {
			b.refusesEveryOtherScope(op, path, body)
		}
		a := b.As(browser).Send(op.Method, path, body, "X-Order-Token", o.token)
		assert.Equal(t, slices.Contains(forBrowsers, op.ID), a.Status != http.StatusForbidden, "%s in a browser: %s", op, a.Body)
		if a.Status == http.StatusForbidden {
			assert.Equal(t, "forbidden", a.Text("code"))
		}
	}
}

// keyWith makes a secret key with one scope.
func (b *bundle) keyWith(store string, scopes ...payment.Scope) string {
	secret, _ := b.Key(store, scopes...)
	return secret
}

// refusesEveryOtherScope tries a key with each scope that the operation does
// not name.
func (b *bundle) refusesEveryOtherScope(op operation, path string, body any) {
	b.t.Helper()
	for _, scope := range allScopes {
		if op.allows(string(scope)) {
			continue
		}
		a := b.As(b.keyWith("demo", scope)).Send(op.Method, path, body)
		assert.Equal(b.t, http.StatusForbidden, a.Status, "%s with scope %s: %s", op, scope, a.Body)
	}
}

func TestWhatAnotherStoreHasLooksLikeWhatNobodyHas(t *testing.T) {
	t.Parallel()
	b := boot(t)
	mine := b.Client()
	o := b.objects(mine)
	before := snapshot(mine, o)
	other := b.As(b.keyWith("other", allScopes...))
	for _, op := range operations(t) {
		body := bodyOf(t, op)
		foreign := other.Send(op.Method, o.path(t, op, false), body)
		switch {
		case !strings.Contains(op.Path, "{"):
			if op.Method == http.MethodGet && op.ID != "list-pipelines" {
				foreign.Is(http.StatusOK)
				require.NotContains(t, string(foreign.Body), "ord_", "%s shows another store's", op)
			}
		case slices.Contains(notOfAnObject, op.ID):
		default:
			absent := other.Send(op.Method, o.path(t, op, true), body)
			require.Equal(t, http.StatusNotFound, foreign.Status, "%s: %s", op, foreign.Body)
			assert.Equal(t, withoutRequestID(absent), withoutRequestID(foreign), "%s", op)
		}
	}
	require.Equal(t, before, snapshot(mine, o), "another store changed something")
}

// snapshot is all that a store can read of its objects.
func snapshot(c *client, o objects) []string {
	var all []string
	for _, path := range []string{
		"/v1/orders", "/v1/orders/" + o.order + "/timeline", "/v1/orders/" + o.order + "/attributes/crm", "/v1/notifications",
		"/v1/stock/X-1", "/v1/promotion-codes/WINTER", "/v1/baskets/b-9", "/v1/stock", "/v1/promotion-codes", "/v1/gift-cards", "/v1/gift-cards/" + o.giftCard,
	} {
		all = append(all, string(c.Get(path).Body))
	}
	return all
}

func withoutRequestID(a *answer) any {
	a.t.Helper()
	body := a.At("")
	if problem, ok := body.(map[string]any); ok {
		delete(problem, "request_id")
	}
	return body
}

func TestABrowserNeedsTheTokenOfTheOrder(t *testing.T) {
	t.Parallel()
	b := boot(t)
	mine := b.Client()
	o := b.objects(mine)
	foreign := mine.Get("/v1/orders/" + mine.Order()).Text("client_token")
	browser := b.As(b.PublishableKey("demo"))
	absent := browser.Get("/v1/orders/"+o.absentOrder+"/status").Refused(http.StatusNotFound, "not_found")
	for _, op := range operations(t) {
		if !slices.Contains(forBrowsers, op.ID) {
			continue
		}
		path, body := o.path(t, op, false), bodyOf(t, op)
		for name, token := range map[string]string{"no": "", "a wrong": "wrong", "another order's": foreign} {
			a := browser.Send(op.Method, path, body, "X-Order-Token", token)
			require.Equal(t, http.StatusNotFound, a.Status, "%s with %s token: %s", op, name, a.Body)
			require.Equal(t, absent.Text("detail"), a.Text("detail"))
		}
	}
	require.Equal(t, "paid", browser.Get("/v1/orders/"+o.order+"/status", "X-Order-Token", o.token).
		Is(http.StatusOK).Text("payment_status"))
}

func TestARevokedKeyWorksForASecondAtMost(t *testing.T) {
	t.Parallel()
	b := boot(t)
	secret, key := b.Key("demo")
	c := b.As(secret)
	c.Get("/v1/orders").Is(http.StatusOK)
	require.NoError(t, b.Store.RevokeKey(t.Context(), "demo", key.ID, payment.ByCommandLine(b.Clock.Now())))
	b.Clock.Advance(time.Second)
	c.Get("/v1/orders").Refused(http.StatusUnauthorized, "unauthorized")
}

func TestAKeyOfAnotherShapeIsRefused(t *testing.T) {
	t.Parallel()
	b := boot(t)
	secret, _ := b.Key("demo")
	for _, header := range []string{
		secret, "bearer " + secret, "Basic " + secret, "Bearer  " + secret, "Bearer " + secret + " ", "Bearer", "Bearer ",
		"Bearer " + strings.Repeat("a", 10_000),
	} {
		a := b.As("").Get("/v1/orders", "Authorization", header)
		if header == "Bearer "+secret+" " { // HTTP trims a field's value
			a.Is(http.StatusOK)
			continue
		}
		a.Refused(http.StatusUnauthorized, "unauthorized")
	}
	require.NotContains(t, b.Log.String(), secret)
}
