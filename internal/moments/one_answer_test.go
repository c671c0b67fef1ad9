package moments_test

import (
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// While the first request waits for its PSP, a notification settles the payment and
// the request is repeated. Whoever answers first, there is one answer.
func TestARequestAndItsRepetitionGetTheSameAnswer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	c := b.command(o, "card", "approve")
	c.Render = func(out moments.Outcome) payment.Reply {
		at := out.Order.UpdatedAt.Format(time.RFC3339Nano)
		return payment.Reply{Status: http.StatusOK, Body: []byte(at), Final: out.Transaction().State == payment.Approved}
	}
	var twin moments.Answer
	var once sync.Once
	b.setCall(func(*http.Request) {
		once.Do(func() { // charged, and not answered yet
			b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/notify", `{"event":"paid"}`)
			b.clock.advance(time.Second)
			var err error
			twin, err = b.Pay(t.Context(), c)
			require.NoError(t, err)
		})
	})
	first, err := b.Pay(t.Context(), c)
	require.NoError(t, err)
	require.NotEmpty(t, twin.Body)
	require.Equal(t, string(twin.Body), string(first.Body))
	b.clock.advance(time.Hour)
	again, err := b.Pay(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, string(first.Body), string(again.Body))
	require.True(t, again.Replayed)
	require.Len(t, b.charges(o), 1)
}
