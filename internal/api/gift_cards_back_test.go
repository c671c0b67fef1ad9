package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestARefundGoesBackToTheGiftCard(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	card, code := c.GiftCard(nil)
	order := c.Order()
	paid := c.Pay(order, "gift-card", map[string]any{"code": code}).Is(http.StatusOK)
	refund := func(amount string) *answer {
		return c.Post("/v1/payments/"+paid.Text("payment.id")+"/refund", map[string]any{"amount": amount, "reason": "returned"})
	}
	balance := func() string { return c.Get("/v1/gift-cards/" + card).Is(http.StatusOK).Text("balance") }
	require.Equal(t, "partially_refunded", refund("29.95").Is(http.StatusOK).Text("order.payment_status"))
	require.Equal(t, "100.00", balance())
	refund("100.01").Refused(http.StatusUnprocessableEntity, "amount_exceeds")
	require.Equal(t, "refunded", refund("100.00").Is(http.StatusOK).Text("order.payment_status"))
	require.Equal(t, "200.00", balance())
}
