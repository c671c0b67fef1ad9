package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// Whoever has the token of an order could try one stolen card after the other, and
// make the order so long that reading it costs everybody dearly.
func TestAnOrderIsNotTriedForEver(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Post("/v1/orders", orderOf()).Is(http.StatusCreated)
	id, token := order.Text("id"), order.Text("client_token")
	browser := b.As(b.PublishableKey("demo"))
	declined := map[string]any{"scenario": "decline"}
	parts := []any{map[string]any{"method": "card", "data": declined}}
	for range 9 {
		parts = append(parts, map[string]any{"method": "card", "amount": "1.00", "data": declined})
	}
	tender := map[string]any{"payments": parts}
	for range 19 {
		browser.Post("/v1/orders/"+id+"/pay", tender, "X-Order-Token", token).Refused(http.StatusPaymentRequired, "payment_declined")
	}
	last := []string{"X-Order-Token", token, "Idempotency-Key", "last"}
	browser.Post("/v1/orders/"+id+"/pay", tender, last...).Refused(http.StatusPaymentRequired, "payment_declined")

	a := browser.Pay(id, "card", nil, "X-Order-Token", token).Refused(http.StatusConflict, "too_many_attempts")
	require.Equal(t, "no", a.Text("money_moved"))
	c.Post("/v1/orders/"+id+"/repay", nil).Refused(http.StatusConflict, "too_many_attempts")
	require.Equal(t, "too_many_attempts", c.actions(id)["pay"].why)
	browser.Post("/v1/orders/"+id+"/pay", tender, last...).Refused(http.StatusPaymentRequired, "payment_declined") // as before
	require.Len(t, c.Get("/v1/orders/"+id).List("payments"), 200)
}
