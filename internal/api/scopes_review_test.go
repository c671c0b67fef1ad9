package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// A key that may cancel orders gives no money back with that, nor lets go of any,
// unless it may do so with the payment itself.
func TestACancellationMovesNoMoneyThatItsKeyMayNotMove(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	clerk := func(scopes ...payment.Scope) *client {
		return b.As(b.keyWith("demo", append(scopes, payment.ScopeOrders)...))
	}
	cancelled := func(release string) map[string]any {
		return map[string]any{"reason": "gone", "release": release}
	}
	order, pay := c.paidBy("card")
	for _, by := range []*client{clerk(), clerk(payment.ScopePayments), clerk(payment.ScopeRead, payment.ScopeAdmin)} {
		by.Post("/v1/orders/"+order+"/cancel", cancelled("refund")).Refused(http.StatusForbidden, "forbidden")
	}
	require.Equal(t, "processing", c.Get("/v1/orders/"+order).Text("status"))
	require.Zero(t, c.booked(pay, "refund"))
	clerk(payment.ScopeRefunds).Post("/v1/orders/"+order+"/cancel", cancelled("refund")).Is(http.StatusOK)
	require.Equal(t, 1, c.booked(pay, "refund"))

	order, pay = c.paidBy("card-manual")
	clerk(payment.ScopeRefunds).Post("/v1/orders/"+order+"/cancel", cancelled("void")).Refused(http.StatusForbidden, "forbidden")
	require.Zero(t, c.booked(pay, "void"))
	clerk(payment.ScopePayments).Post("/v1/orders/"+order+"/cancel", cancelled("void")).Is(http.StatusOK)
	require.Equal(t, 1, c.booked(pay, "void"))

	order, _ = c.paidBy("card")
	clerk().Post("/v1/orders/"+order+"/cancel", cancelled("none")).Is(http.StatusOK)
	clerk().Post("/v1/orders/"+c.Order()+"/cancel", map[string]any{"reason": "gone"}).Is(http.StatusOK)
	clerk().Post("/v1/orders/"+payment.OrderID(b.ids.New()).String()+"/cancel", cancelled("refund")).
		Refused(http.StatusForbidden, "forbidden") // whether there is such an order is not told
}
