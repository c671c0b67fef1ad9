package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The last payment of a tender is approved after all, but another one is gone by then:
// nobody is told that the order is paid.
func TestAPaymentWhoseTenderIsBrokenIsNotAnsweredAsPaid(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Order()
	body := map[string]any{"payments": []any{
		map[string]any{"method": "card-manual", "amount": "29.95"}, byCard("error_after_charge"),
	}}
	key := []string{"Idempotency-Key", "broken"}
	first := c.Post("/v1/orders/"+order+"/pay", body, key...).Is(http.StatusAccepted)
	require.Equal(t, "unknown", first.Text("money_moved"))
	reserved := first.Text("order.payments.0.transactions.0.reference")
	require.Equal(t, http.StatusOK, b.As("").Post("/sandbox/payments/"+reserved+"/notify", map[string]any{"event": "voided"}).Status)
	require.Equal(t, "voided", c.Get("/v1/orders/"+order).Text("payments.0.status"))
	b.Clock.Advance(time.Minute)
	b.ask(first.Text("payment.id"), 0)

	again := c.Post("/v1/orders/"+order+"/pay", body, key...).Refused(http.StatusPaymentRequired, "payment_declined")
	require.Equal(t, "yes", again.Text("money_moved"))
	require.Equal(t, "tender_incomplete", again.Text("reason.code"))
	b.releaseAll(t)
	o := c.Get("/v1/orders/" + order)
	require.Equal(t, "refunded", o.Text("payments.1.status"))
	require.Equal(t, "129.95", o.Text("amounts.due"))
}
