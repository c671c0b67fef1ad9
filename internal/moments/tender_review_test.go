package moments_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// A fixed discount is granted for a payment. Whoever splits one into ten gets it once,
// and no part is for nothing.
func TestAFixedDiscountIsNotMultipliedBySplittingAPayment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(strings.Replace(string(settings.Demo()), "title: Card\n", "title: Card\n        fee: {EUR: -5.00}\n", 1))
	o := b.order(plain)
	for name, parts := range map[string][]moments.PartCommand{
		"granted twice":  {{Method: "card", Amount: some("60.00")}, {Method: "card"}},
		"all of a part":  {{Method: "card", Amount: some("5.00")}, {Method: "card-manual"}},
		"more than that": {{Method: "card", Amount: some("4.00")}, {Method: "card-manual"}},
	} {
		c := b.command(o, "", "")
		c.Parts = parts
		_, err := b.Pay(t.Context(), c)
		require.Equal(t, "method_unavailable", payment.CodeOf(err), name)
	}
	require.Empty(t, b.read(o).Payments)
	c := b.command(o, "", "")
	c.Parts = []moments.PartCommand{{Method: "card", Amount: some("60.00")}, {Method: "card-manual"}}
	_, err := b.Pay(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
	require.Len(t, b.charges(o), 2)
}
