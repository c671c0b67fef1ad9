package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestStockIsSetAndRead(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	item := func(sku string, quantity int) any { return map[string]any{"sku": sku, "quantity": quantity} }
	c.Put("/v1/stock", map[string]any{"items": []any{item("B-1", 5), item("A/1 é", 0), item("4006381333023", 7)}}).Is(http.StatusOK)
	c.Put("/v1/stock", map[string]any{"items": []any{item("B-1", 6)}}).Is(http.StatusOK)
	require.Equal(t, 6.0, c.Get("/v1/stock/B-1").Is(http.StatusOK).At("quantity"))
	require.Equal(t, 0.0, c.Get("/v1/stock/A%2F1%20%C3%A9").Is(http.StatusOK).At("quantity"))
	require.Equal(t, 7.0, c.Get("/v1/stock/4006381333023").Is(http.StatusOK).At("quantity"), "a GTIN is not a card number")
	c.Put("/v1/stock", map[string]any{"items": []any{item("D-1", 1)}}).Is(http.StatusOK)
	c.Send(http.MethodDelete, "/v1/stock/D-1", nil).Is(http.StatusNoContent)
	c.Send(http.MethodDelete, "/v1/stock/D-1", nil).Refused(http.StatusNotFound, "not_found")
	c.Get("/v1/stock/C-1").Refused(http.StatusNotFound, "not_found")
	first := c.Get("/v1/stock?limit=2").Is(http.StatusOK)
	require.Len(t, first.List("data"), 2)
	rest := c.Get("/v1/stock?limit=2&cursor=" + first.Text("next_cursor")).Is(http.StatusOK)
	require.Len(t, rest.List("data"), 1)
	require.Nil(t, rest.At("next_cursor"))

	for _, bad := range []any{item("", 1), item("A", -1), map[string]any{"sku": "A"}, map[string]any{"sku": "A", "quantity": "1"}} {
		c.Put("/v1/stock", map[string]any{"items": []any{bad}}).Refused(http.StatusUnprocessableEntity, "validation_failed")
	}
	c.Put("/v1/stock", map[string]any{"items": []any{}}).Refused(http.StatusUnprocessableEntity, "validation_failed")
	a := c.Put("/v1/stock", map[string]any{"items": []any{item("B-1", 1), item("B-1", 2)}}).Refused(http.StatusUnprocessableEntity, "duplicate")
	require.Equal(t, "items[1].sku", a.Text("errors.0.field"))
	require.Equal(t, 6.0, c.Get("/v1/stock/B-1").At("quantity"), "nothing of a refused list is set")
}

func TestPromotionCodesAreSetAndCountTheirUse(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	code := func(name string, most any) any { return map[string]any{"code": name, "usage_max": most} }
	c.Put("/v1/promotion-codes", map[string]any{"items": []any{code("SUMMER", 10), code("WINTER", nil)}}).Is(http.StatusOK)
	require.Equal(t, 10.0, c.Get("/v1/promotion-codes/SUMMER").Is(http.StatusOK).At("usage_max"))
	a := c.Put("/v1/promotion-codes", map[string]any{"items": []any{map[string]any{"code": "SUMMER"}}}).Is(http.StatusOK)
	require.Nil(t, a.At("data.0.usage_max"), "the code is set anew")
	require.Equal(t, 0.0, a.At("data.0.used"))
	list := c.Get("/v1/promotion-codes?limit=1").Is(http.StatusOK)
	require.Len(t, list.List("data"), 1)
	require.NotNil(t, list.At("next_cursor"))
	c.Get("/v1/promotion-codes/summer").Refused(http.StatusNotFound, "not_found")
	c.Put("/v1/promotion-codes", map[string]any{"items": []any{code("A", -1)}}).Refused(http.StatusUnprocessableEntity, "validation_failed")
	c.Put("/v1/promotion-codes", map[string]any{"items": []any{map[string]any{"code": "A", "used": 3}}}).
		Refused(http.StatusUnprocessableEntity, "validation_failed")
	c.Put("/v1/promotion-codes", map[string]any{"items": []any{code("A", 1), code("A", 1)}}).Refused(http.StatusUnprocessableEntity, "duplicate")
}

func TestABasketIsKeptAndDeleted(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	const content = `{"lines": [{"sku": "A-1", "price": 1.0}]}`
	c.Get("/v1/baskets/b-9").Refused(http.StatusNotFound, "not_found")
	for range 2 { // a deleted basket can be kept anew
		c.Put("/v1/baskets/b-9", content).Is(http.StatusNoContent)
		require.Equal(t, content, string(c.Get("/v1/baskets/b-9").Is(http.StatusOK).Body))
		c.Send(http.MethodDelete, "/v1/baskets/b-9", nil).Is(http.StatusNoContent)
		c.Get("/v1/baskets/b-9").Refused(http.StatusNotFound, "not_found")
		c.Send(http.MethodDelete, "/v1/baskets/b-9", nil).Refused(http.StatusNotFound, "not_found")
	}
	c.Put("/v1/baskets/b-9", `{"card":"4111111111111111"}`).Refused(http.StatusUnprocessableEntity, "card_data_refused")
	c.Put(fmt.Sprintf("/v1/baskets/%065d", 1), content).Refused(http.StatusUnprocessableEntity, "validation_failed")
}
