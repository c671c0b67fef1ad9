package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"
)

// An invoice has no PSP that would release anything by itself: what a final capture
// leaves is decided to be released, and shown as such.
func TestWhatAFinalCaptureLeavesOfAnInvoiceIsOnItsWayBack(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order := c.Order(hundred)
	id := c.Pay(order, "invoice", nil).Is(http.StatusOK).Text("payment.id")
	require.Nil(t, c.Get("/v1/payments/"+id).At("release"))
	c.do(id, "mark-authorized", map[string]any{"reason": "Their bank says so."}).Is(http.StatusOK)
	a := c.do(id, "capture", map[string]any{"amount": "40.00", "final": true}).Is(http.StatusOK)
	require.Equal(t, "60.00", a.Text("payment.amounts.authorized"))
	require.Equal(t, "capture_final", a.Text("payment.release.reason"))
	require.Equal(t, "under_way", a.Text("payment.release.state"))
	require.Equal(t, "done", c.Get("/v1/payments/"+id).Text("release.state"), "right after")
	require.Equal(t, []string{"0.00", "40.00", "0.00", "60.00"}, c.amounts(id))
	c.do(id, "capture", nil).refusedFor("captured_already")
	c.do(id, "refund", amount("10.00")).Is(http.StatusOK)
}

// Money that is held for a cancelled order goes back, and the payment says so.
func TestTheReleaseOfACancelledOrderIsShown(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, id := c.paidBy("card-manual")
	c.do(id, "capture", amount("30.00")).Is(http.StatusOK)
	require.True(t, c.actions(order)["cancel"].allowed)
	c.Post("/v1/orders/"+order+"/cancel", map[string]any{"reason": "gone", "release": "refund"}).Is(http.StatusOK)
	p := c.Get("/v1/payments/" + id)
	require.Equal(t, "cancelled", p.Text("release.reason"))
	require.Equal(t, "done", p.Text("release.state"))
	require.Equal(t, []string{"0.00", "30.00", "30.00", "70.00"}, c.amounts(id))
	c.agrees(id)
	require.Equal(t, "order_not_open", c.actions(order)["cancel"].why)
}
