package moments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// A look is nobody's request, so nobody would catch what its gateway does: whoever
// reads an order must not end the service with that.
func TestAGatewayThatPanicsEndsNoLook(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "timeout_after_charge")
	require.NoError(t, err)
	b.setCall(func(*http.Request) { panic("an answer that the gateway cannot bear") })
	for range 3 { // a PSP that fails more often is not asked for a while
		look := b.LookedAt("demo", o.ID)
		require.NotNil(t, look)
		require.NotPanics(t, func() { look(t.Context()) })
		b.clock.advance(15 * time.Second)
	}
	b.setCall(func(*http.Request) {})
	b.LookedAt("demo", o.ID)(t.Context())
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
}
