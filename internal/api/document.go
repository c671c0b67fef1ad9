package api

import (
	"net/http"
	"reflect"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// documentOutcomes adds the answers of those operations that have several kinds
// of success: huma documents one by itself.
func (a *API) documentOutcomes() {
	document := a.kit.API.OpenAPI()
	schema := func(view reflect.Type) *huma.Schema { return document.Components.Schemas.Schema(view, true, "") }
	order, paid := schema(reflect.TypeFor[orderView]()), schema(reflect.TypeFor[payView]())

	create := document.Paths["/v1/orders"].Post
	answers(create, http.StatusCreated, "The order was made.", order)
	answers(create, http.StatusOK, "The order was there already, with the same content; or, with pay, what pay answers.",
		&huma.Schema{AnyOf: []*huma.Schema{order, paid}})
	answers(create, http.StatusAccepted, "With pay: the payment is pending, or its outcome unknown.", paid)

	pay := document.Paths["/v1/orders/{id}/pay"].Post
	answers(pay, http.StatusOK, "The order is paid or authorized; or the shopper must do what next_action says.", paid)
	answers(pay, http.StatusAccepted, "The payment is pending, or its outcome unknown. Ask for the status, or repeat the request.", paid)
}

func answers(op *huma.Operation, status int, description string, schema *huma.Schema) {
	op.Responses[strconv.Itoa(status)] = &huma.Response{
		Description: description, Content: map[string]*huma.MediaType{"application/json": {Schema: schema}},
	}
}
