package api

import (
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// listRoutes lists the routes of all that is read in lists, and of the small
// objects around orders.
func (a *API) listRoutes() {
	const orders, admin = payment.ScopeOrders, payment.ScopeAdmin

	add(a, get("/v1/orders", "list-orders", "List orders"), a.listOrders)
	add(a, get("/v1/payments/{id}", "get-payment", "Read a payment"), a.getPayment)
	add(a, get("/v1/transactions", "list-transactions", "List transactions"), a.listTransactions)

	// What belongs to an order.
	add(a, get("/v1/orders/{id}/notes", "list-notes", "List the notes of an order"), a.listNotes)
	add(a, post("/v1/orders/{id}/notes", "add-note", "Leave a note on an order", orders).created(), a.addNote)
	add(a, get("/v1/orders/{id}/timeline", "get-timeline", "Read all that happened to an order"), a.getTimeline)
	add(a, get("/v1/orders/{id}/attributes/{key}", "get-attribute", "Read an attribute of an order").answersJSON(), a.attributes().get)
	add(a, put("/v1/orders/{id}/attributes/{key}", "put-attribute", "Keep an attribute for an order", orders).answersJSON().upTo(attributeMaxBytes), a.attributes().put)
	add(a, del("/v1/orders/{id}/attributes/{key}", "delete-attribute", "Delete an attribute of an order", orders), a.attributes().delete)
	add(a, get("/v1/orders/{id}/checkout-state/{key}", "get-checkout-state", "Read what a checkout keeps").answersJSON(), a.checkoutState().get)
	add(a, put("/v1/orders/{id}/checkout-state/{key}", "put-checkout-state", "Keep something for a checkout", orders).answersJSON().upTo(attributeMaxBytes), a.checkoutState().put)
	add(a, del("/v1/orders/{id}/checkout-state/{key}", "delete-checkout-state", "Delete what a checkout keeps", orders), a.checkoutState().delete)
	add(a, post("/v1/orders/{id}/notifications/seen", "mark-order-seen", "Clear the new-notification flag of an order", orders), a.markSeen)

	// What happened, for the store's programs and for operators.
	add(a, get("/v1/events", "list-events", "Read events, oldest first"), a.listEvents)
	add(a, get("/v1/runs/{id}", "get-run", "Read the journal of a run"), a.getRun)
	add(a, get("/v1/pipelines", "list-pipelines", "List what runs, for each method"), a.listPipelines)
	add(a, post("/v1/pipelines/try", "try-pipeline", "Try a pipeline on an order", admin), a.tryPipeline)
	add(a, get("/v1/notifications", "list-notifications", "List notifications of PSPs"), a.listNotifications)
	add(a, post("/v1/notifications/{id}/replay", "replay-notification", "Apply a notification again", admin), a.replayNotification)
	add(a, get("/v1/cases", "list-cases", "List what only a person can decide"), a.listCases)
	add(a, get("/v1/cases/{id}", "get-case", "Read a case"), a.getCase)
	add(a, post("/v1/cases/{id}/resolve", "resolve-case", "Resolve a case", admin, payment.ScopePayments).money(), a.resolveCase)

	add(a, get("/v1/jobs", "list-jobs", "List background work that is not done").only(admin), a.listJobs)
	add(a, post("/v1/jobs/{id}/retry", "retry-job", "Try background work again", admin), a.retryJob)

	// What stores keep here for the effects of orders.
	add(a, get("/v1/stock", "list-stock", "List the stock"), a.listStock)
	add(a, put("/v1/stock", "put-stock", "Set the stock of articles", admin).exempt("items[].sku"), a.putStock)
	add(a, get("/v1/stock/{sku}", "get-stock", "Read the stock of an article"), a.getStock)
	add(a, del("/v1/stock/{sku}", "delete-stock", "Track an article no longer", admin), a.deleteStock)
	add(a, get("/v1/promotion-codes", "list-promotion-codes", "List promotion codes"), a.listPromotionCodes)
	add(a, put("/v1/promotion-codes", "put-promotion-codes", "Set promotion codes", admin), a.putPromotionCodes)
	add(a, get("/v1/promotion-codes/{code}", "get-promotion-code", "Read a promotion code"), a.getPromotionCode)
	add(a, del("/v1/promotion-codes/{code}", "delete-promotion-code", "Delete a promotion code", admin), a.deletePromotionCode)
	add(a, get("/v1/baskets/{id}", "get-basket", "Read a basket").answersJSON(), a.getBasket)
	add(a, put("/v1/baskets/{id}", "put-basket", "Keep a basket", orders), a.putBasket)
	add(a, del("/v1/baskets/{id}", "delete-basket", "Delete a basket", orders), a.deleteBasket)

	a.webhookRoutes()
	a.documentOutcomes()
	a.explain()
}

// created answers 201.
func (r route) created() route {
	r.DefaultStatus = http.StatusCreated
	return r
}

// upTo caps the body.
func (r route) upTo(maxBytes int64) route {
	r.MaxBodyBytes = maxBytes
	return r
}

// exempt lists fields of the body that may look like a card number.
func (r route) exempt(fields ...string) route {
	r.CardExempt = fields
	return r
}

// answersJSON documents an answer that is whatever JSON the caller kept here,
// byte for byte.
func (r route) answersJSON() route {
	r.Responses = map[string]*huma.Response{"200": {
		Description: http.StatusText(http.StatusOK),
		Content:     map[string]*huma.MediaType{"application/json": {Schema: &huma.Schema{}}},
	}}
	return r
}

// list is the answer of every list.
type list[T any] struct {
	Data       []T     `json:"data"`
	NextCursor *string `json:"next_cursor" doc:"Goes into cursor to read on; null at the end."`
}

type listOutput[T any] struct{ Body list[T] }

// pageOf is the page that a request asks for.
func pageOf(p httpkit.Page) payment.Page {
	return payment.Page{Limit: p.Limit, After: string(p.Cursor)}
}

// listed answers rows, each as its view.
func listed[R, V any](rows []R, next string, view func(R) V) *listOutput[V] {
	out := &listOutput[V]{Body: list[V]{Data: make([]V, len(rows))}}
	for i, row := range rows {
		out.Body.Data[i] = view(row)
	}
	if next != "" {
		out.Body.NextCursor = &next
	}
	return out
}

// unlisted is the error of a list. A cursor that no list gave is a bad request,
// like one that is no cursor at all.
func unlisted(err error) error {
	if payment.CodeOf(err) == httpkit.CodeCursorInvalid {
		return httpkit.NewFieldProblem(http.StatusBadRequest, httpkit.CodeCursorInvalid, "query.cursor", "")
	}
	return err
}

// Period bounds a list by the time of creation.
type Period struct {
	From httpkit.Timestamp `query:"from" doc:"Created at this time or later."`
	To   httpkit.Timestamp `query:"to" doc:"Created before this time."`
}

// flag is true, false or, when it was not sent, nil.
func flag(sent string) *bool {
	if sent == "" {
		return nil
	}
	yes := sent == "true"
	return &yes
}
