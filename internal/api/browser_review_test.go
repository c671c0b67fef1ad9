package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whoever pays in a browser repeats a request as often as they like, also after people
// of the shop have written down why they gave money back.
func TestABrowserIsNotShownWhatOperatorsWrote(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Post("/v1/orders", orderOf()).Is(http.StatusCreated)
	id, token := order.Text("id"), order.Text("client_token")
	browser := b.As(b.PublishableKey("demo"))
	pay := func() *answer {
		return browser.Pay(id, "card", map[string]any{"scenario": "error_after_charge"}, "X-Order-Token", token, "Idempotency-Key", "mine")
	}
	first := pay().Is(http.StatusAccepted)
	b.Clock.Advance(time.Minute)
	b.ask(first.Text("payment.id"), 0)
	c.do(first.Text("payment.id"), "refund", map[string]any{
		"amount": "10.00", "reason": "Looks like fraud to me.", "reference": "fraud-desk-7",
	}).Is(http.StatusOK)
	c.Post("/v1/orders/"+id+"/cancel", map[string]any{"reason": "A fraudster, no doubt.", "release": "none"}).Is(http.StatusOK)

	again := pay().Is(http.StatusOK)
	require.Equal(t, "refund", again.Text("payment.transactions.1.type"))
	require.Equal(t, "10.00", again.Text("payment.transactions.1.amount"))
	for _, written := range []string{"fraud", "desk", "no doubt"} {
		require.NotContains(t, string(again.Body), written)
	}
	require.Contains(t, string(c.Get("/v1/orders/"+id).Body), "fraud-desk-7", "a server is")
}
