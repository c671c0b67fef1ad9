package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMoneyIsCapturedInParts(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, id := c.paidBy("card-manual")
	a := c.do(id, "capture", map[string]any{"amount": "40.00", "reference": "shipment-1"}).Is(http.StatusOK)
	require.Equal(t, "yes", a.Text("money_moved"))
	require.Nil(t, a.At("next_action"))
	require.Equal(t, order, a.Text("order.id"))
	require.Equal(t, id, a.Text("payment.id"))
	require.Len(t, a.List("transactions"), 1)
	require.Equal(t, "capture", a.Text("transactions.0.type"))
	require.Equal(t, "approved", a.Text("transactions.0.state"))
	require.Equal(t, "shipment-1", a.Text("transactions.0.store_reference"))
	require.Equal(t, a.Text("payment.transactions.0.id"), a.Text("transactions.0.parent"))
	require.NotEmpty(t, c.Get("/v1/runs/"+a.Text("transactions.0.run")).Is(http.StatusOK).Body)
	require.Equal(t, "partially_paid", a.Text("order.payment_status"))
	require.NotNil(t, a.At("payment.capture_before"), "the PSP told until when")

	a = c.do(id, "capture", nil).Is(http.StatusOK) // all that is left
	require.Equal(t, "60.00", a.Text("transactions.0.amount"))
	require.Equal(t, "paid", a.Text("order.payment_status"))
	require.Equal(t, []string{"0.00", "100.00", "0.00", "0.00"}, c.amounts(id))
	c.do(id, "capture", nil).refusedFor("captured_already")
	c.agrees(id)
}

func TestAFinalCaptureReleasesWhatItLeaves(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	a := c.do(id, "capture", map[string]any{"amount": "40.00", "final": true}).Is(http.StatusOK)
	require.Equal(t, "0.00", a.Text("payment.amounts.authorized"))
	require.Equal(t, []string{"0.00", "40.00", "0.00", "60.00"}, c.amounts(id))
	c.do(id, "capture", nil).refusedFor("captured_already")
	c.agrees(id)
}

func TestMoneyIsGivenBackInParts(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card")
	a := c.do(id, "refund", map[string]any{"amount": "10.00", "reason": "One lamp was broken.", "reference": "return-1"}).Is(http.StatusOK)
	require.Equal(t, "yes", a.Text("money_moved"))
	require.Equal(t, "partially_refunded", a.Text("order.payment_status"))
	require.Equal(t, "One lamp was broken.", a.Text("transactions.0.purpose"))
	require.Equal(t, "return-1", a.Text("transactions.0.store_reference"))

	a = c.do(id, "refund", amount("90.01")).Refused(http.StatusUnprocessableEntity, "amount_exceeds")
	require.Equal(t, "90.00", a.Text("max_amount"))
	require.Equal(t, "amount", a.Text("errors.0.field"))
	require.Equal(t, "no", a.Text("money_moved"))

	a = c.do(id, "refund", map[string]any{}).Is(http.StatusOK)
	require.Equal(t, "90.00", a.Text("transactions.0.amount"), "a full refund after a partial one is the remainder")
	require.Equal(t, "refunded", a.Text("order.payment_status"))
	c.do(id, "refund", nil).refusedFor("refunded_already")
	c.do(id, "refund", amount("1.00")).refusedFor("refunded_already")
	c.agrees(id)
}

func TestReservedMoneyIsReleased(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	c.do(id, "refund", nil).refusedFor("nothing_captured")
	a := c.do(id, "void", map[string]any{"reason": "Out of stock."}).Is(http.StatusOK)
	require.Equal(t, "voided", a.Text("order.payment_status"))
	require.Equal(t, "cancelled", a.Text("order.status"), "nothing can pay it any more")
	require.Equal(t, "Out of stock.", a.Text("transactions.0.purpose"))
	c.do(id, "void", nil).refusedFor("voided_already")
	c.do(id, "capture", nil).refusedFor("order_cancelled")
	c.agrees(id)
}

func TestWhatACaptureLeftIsReleased(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	c.do(id, "capture", amount("30.00")).Is(http.StatusOK)
	require.Equal(t, "70.00", c.do(id, "void", map[string]any{}).Is(http.StatusOK).Text("transactions.0.amount"))
	require.Equal(t, []string{"0.00", "30.00", "0.00", "70.00"}, c.amounts(id))
	c.agrees(id)
}

func TestMoreIsReserved(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	c.do(id, "increase", map[string]any{}).Is(http.StatusUnprocessableEntity)
	a := c.do(id, "increase", amount("25.00")).Is(http.StatusOK)
	require.Equal(t, "authorize", a.Text("transactions.0.type"))
	require.Equal(t, "125.00", a.Text("payment.amounts.authorized"))
	c.do(id, "capture", amount("125.00")).Is(http.StatusOK)
	c.do(id, "increase", amount("1.00")).refusedFor("captured_already")
	c.agrees(id)
}

func TestWhatHappensOutsideAnyPSPIsRecorded(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card")
	a := c.do(id, "refund", map[string]any{"amount": "10.00", "offline": true, "reason": "Cash at the till."}).Is(http.StatusOK)
	require.Equal(t, "10.00", a.Text("payment.amounts.refunded"))
	require.Zero(t, c.booked(id, "refund"), "the PSP was not asked")
	a = c.do(id, "refund", map[string]any{"offline": true}).Is(http.StatusOK)
	require.Equal(t, "refunded", a.Text("payment.status"), "by the sums")

	_, id = c.paidBy("card-manual")
	require.Equal(t, "voided", c.do(id, "void", map[string]any{"offline": true}).Is(http.StatusOK).Text("payment.status"))
	require.Zero(t, c.booked(id, "void"))
}

func TestThePaymentOfAMethodThatCannotDoesNot(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card")
	c.do(id, "capture", nil).refusedFor("gateway_cannot")
	c.do(id, "void", nil).refusedFor("gateway_cannot")
	c.do(id, "increase", amount("1.00")).refusedFor("gateway_cannot")
	c.do(id, "mark-paid", map[string]any{"reason": "x"}).refusedFor("gateway_decides")
	c.do(id, "mark-authorized", map[string]any{"reason": "x"}).refusedFor("gateway_decides")
}

func TestAPaymentThatFailedHoldsNothing(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order := c.Order()
	c.Pay(order, "card-manual", map[string]any{"scenario": "decline"}).Is(http.StatusPaymentRequired)
	id := c.Get("/v1/orders/" + order).Text("payments.0.id")
	for _, action := range []string{"capture", "void"} {
		c.do(id, action, nil).refusedFor("payment_failed")
	}
	c.do(id, "refund", nil).refusedFor("nothing_captured")
	c.Post("/v1/orders/"+order+"/refund", nil).refusedFor("nothing_captured")
	c.Post("/v1/orders/"+order+"/complete", nil).refusedFor("order_not_covered")
}

func TestAnInvoiceIsVouchedForThenPaidAndGivenBack(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order := c.Order(hundred)
	id := c.Pay(order, "invoice", nil).Is(http.StatusOK).Text("payment.id")
	a := c.do(id, "mark-authorized", map[string]any{"reason": "Their bank says so."}).Is(http.StatusOK)
	require.Equal(t, "authorized", a.Text("order.payment_status"))
	require.Equal(t, "processing", a.Text("order.status"))
	require.Equal(t, id, a.Text("payment.id"))
	require.Equal(t, "approved", a.Text("transactions.0.state"))
	c.do(id, "mark-authorized", map[string]any{"reason": "again"}).refusedFor("not_pending")
	require.Equal(t, "paid", c.do(id, "mark-paid", map[string]any{"reason": "Statement 17."}).Is(http.StatusOK).Text("payment.status"))
	require.Equal(t, "refunded", c.do(id, "refund", nil).Is(http.StatusOK).Text("payment.status"), "there is no PSP to ask")
}

func TestAnOrderIsComplete(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, id := c.paidBy("card")
	a := c.Post("/v1/orders/"+order+"/complete", nil, "Idempotency-Key", "complete-1").Is(http.StatusOK)
	require.Equal(t, "complete", a.Text("order.status"))
	require.Equal(t, "no", a.Text("money_moved"))
	require.Empty(t, a.List("transactions"))
	again := c.Post("/v1/orders/"+order+"/complete", nil, "Idempotency-Key", "complete-1").Is(http.StatusOK)
	require.Equal(t, string(a.Body), string(again.Body))
	c.Post("/v1/orders/"+order+"/complete", nil).refusedFor("completed_already")
	c.do(id, "refund", amount("1.00")).Is(http.StatusOK)
	require.Equal(t, "complete", c.Get("/v1/orders/"+order).Text("status"), "a refund does not move an order")
}

func TestARefundOfAnOrderIsThatOfItsPayments(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, id := c.paidBy("card")
	c.Post("/v1/orders/"+order+"/refund", amount("100.01")).Refused(http.StatusUnprocessableEntity, "amount_exceeds")
	a := c.Post("/v1/orders/"+order+"/refund", map[string]any{"amount": "30.00", "reason": "Late."}).Is(http.StatusOK)
	require.Equal(t, id, a.Text("payment.id"))
	require.Equal(t, "30.00", a.Text("transactions.0.amount"))
	require.Equal(t, "70.00", c.Post("/v1/orders/"+order+"/refund", nil).Is(http.StatusOK).Text("transactions.0.amount"))
	c.Post("/v1/orders/"+order+"/refund", nil).refusedFor("refunded_already")
	c.agrees(id)
}
