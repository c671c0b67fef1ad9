package api_test

import (
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestAPaymentIsReadWithItsOrder(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	id := c.PaidOrder(map[string]any{"number": "P-1"})
	order := c.Get("/v1/orders/" + id)
	a := c.Get("/v1/payments/" + order.Text("payments.0.id")).Is(http.StatusOK)
	require.Equal(t, id, a.Text("order_id"))
	require.Equal(t, "P-1", a.Text("number"))
	require.Equal(t, "EUR", a.Text("currency"))
	require.Equal(t, order.At("payments.0.transactions"), a.At("transactions"))
	for _, wrong := range []string{"pay_", "nothing", id, order.Text("payments.0.transactions.0.id")} {
		c.Get("/v1/payments/"+wrong).Refused(http.StatusNotFound, "not_found")
	}
}

func TestTheHistoryOfTransactionsIsFiltered(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	price := func(total string) map[string]any {
		return map[string]any{"total": total, "lines": nil, "shipping": total, "tax": nil}
	}
	var made []string
	pay := func(total, method string, data map[string]any) string {
		b.Clock.Advance(time.Millisecond) // ids made within one are in no order
		id := c.Order(price(total))
		c.Pay(id, method, data)
		txn := c.Get("/v1/orders/" + id).Text("payments.0.transactions.0.id")
		made = append(made, txn)
		return txn
	}
	small, declined := pay("5.00", "card", nil), pay("50.00", "card", map[string]any{"scenario": "decline"})
	held, invoiced := pay("500.00", "card-manual", nil), pay("99.99", "invoice", nil)
	slices.Reverse(made)
	require.Equal(t, made, c.walk("/v1/transactions?limit=2"))

	first := c.Get("/v1/transactions?state=declined").Is(http.StatusOK)
	require.Equal(t, "card", first.Text("data.0.method"))
	require.Equal(t, "sandbox", first.Text("data.0.gateway"))
	require.NotEmpty(t, first.Text("data.0.reason.code"))
	for query, found := range map[string][]string{
		"type=authorize&gateway=sandbox":         {held},
		"type=refund":                            {},
		"state=declined":                         {declined},
		"method=invoice":                         {invoiced},
		"gateway=sandbox":                        {held, declined, small},
		"min_amount=50.00&max_amount=100":        {invoiced, declined},
		"max_amount=5":                           {small},
		"min_amount=500.01":                      {},
		"q=" + first.Text("data.0.reference"):    {declined},
		"from=2100-01-01T00:00:00Z":              {},
		"to=2100-01-01T00:00:00Z&state=declined": {declined},
	} {
		require.Equal(t, found, c.Get("/v1/transactions?"+query).ids(), "%s", query)
	}
	c.Get("/v1/transactions?min_amount=-1").Refused(http.StatusUnprocessableEntity, "amount_invalid")
}
