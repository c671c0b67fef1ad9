package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// paidTogether makes an order of 129.95 that a gift card pays 20.00 of, and a card
// the rest; it returns the order and the payments.
func (c *client) paidTogether() (order, card, giftCard string) {
	c.t.Helper()
	_, code := c.GiftCard(nil)
	order = c.Order()
	a := c.together(order, byGiftCard(code, "20.00"), byCard("approve")).Is(http.StatusOK)
	return order, a.Text("order.payments.1.id"), a.Text("order.payments.0.id")
}

func TestARefundIsSpreadOverThePaymentsOfAnOrder(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, card, giftCard := c.paidTogether()
	path := "/v1/orders/" + order + "/refund"
	require.Equal(t, listedAction{true, "129.95", ""}, c.actions(order)["refund"])
	a := c.Post(path, map[string]any{"amount": "100.00", "reference": "return-1"}).Is(http.StatusOK)
	require.Len(t, a.List("transactions"), 1, "what was paid last is given back first")
	require.Equal(t, card, a.Text("payment.id"))

	a = c.Post(path, amount("29.96")).Refused(http.StatusUnprocessableEntity, "amount_exceeds")
	require.Equal(t, "29.95", a.Text("max_amount"))

	a = c.Post(path, map[string]any{"amount": "20.00", "reference": "return-2"}).Is(http.StatusOK)
	require.Len(t, a.List("transactions"), 2)
	require.Equal(t, a.Text("transactions.0.run"), a.Text("transactions.1.run"))
	require.Equal(t, "return-2", a.Text("transactions.1.store_reference"))
	require.Equal(t, "109.95", c.amounts(card)[2])
	require.Equal(t, "10.05", c.amounts(giftCard)[2])
	require.Equal(t, "partially_refunded", a.Text("order.payment_status"))

	a = c.Post(path, nil).Is(http.StatusOK)
	require.Equal(t, "refunded", a.Text("order.payment_status"))
	c.Post(path, nil).refusedFor("refunded_already")
	c.agrees(card)
}

// What was given back of one payment is not undone because another's PSP declined:
// the answer says so, and the rest can be tried again.
func TestARefundThatSucceedsInPartSaysSo(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, card, giftCard := c.paidTogether()
	path, key := "/v1/orders/"+order+"/refund", []string{"Idempotency-Key", "all-back"}
	a := c.Post(path, playing("decline"), key...).Refused(http.StatusPaymentRequired, "payment_declined")
	require.Equal(t, "yes", a.Text("money_moved"))
	require.Contains(t, a.Text("detail"), "A part was done")
	require.Equal(t, "0.00", c.amounts(card)[2])
	require.Equal(t, "20.00", c.amounts(giftCard)[2])
	require.Equal(t, string(a.Body), string(c.Post(path, playing("decline"), key...).Body))

	a = c.Post(path, playing("timeout_after_charge")).Is(http.StatusAccepted)
	require.Equal(t, "unknown", a.Text("money_moved"))
	c.Post(path, nil).refusedFor("refunded_already")
	require.Equal(t, "refunded", c.Get("/v1/orders/"+order).Text("payment_status"), "the PSP was asked")
	c.agrees(card)
}

func TestManyRefundsOfOneOrderGiveBackNoMoreThanItTook(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, card, giftCard := c.paidTogether()
	var requests []func() (*answer, error)
	for i := range 20 {
		path := "/v1/orders/" + order + "/refund"
		if i%2 == 0 {
			path = "/v1/payments/" + card + "/refund"
		}
		requests = append(requests, c.sending(path, amount("15.00")))
	}
	_, answers := c.atOnce(t, requests...)
	for _, a := range answers {
		require.Contains(t, append(refusals, http.StatusOK), a.Status, "%s", a.Body)
	}
	o := c.Get("/v1/orders/" + order)
	require.Nil(t, o.At("review"))
	c.agrees(card)
	c.Post("/v1/orders/"+order+"/refund", nil)
	require.Equal(t, "129.95", c.Get("/v1/orders/"+order).Text("amounts.refunded"))
	require.Equal(t, "20.00", c.amounts(giftCard)[2])
	c.agrees(card)
}
