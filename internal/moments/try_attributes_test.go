package moments_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Orders are read without their attributes nearly everywhere. A trial runs
// conditions, which look at them.
func TestATrialSeesTheAttributesOfTheOrder(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.reload(with(`{status-ok: [{append: note, when: order.attributes.score > 5, with: {text: scored}}]}`))
	o := b.order()
	_, err := b.store.PutAttribute(t.Context(), "demo", o.ID, "score", []byte("7"), nil, b.clock.now())
	require.NoError(t, err)
	_, err = b.pay(o, "wallet", "")
	require.NoError(t, err)
	const step = "order-path-selector/note: done"

	confirm := moments.TryCommand{Order: o.ID, Pipeline: pipeline.Confirm, Fact: payment.Approved}
	tried := b.try(confirm)
	require.NoError(t, tried.InForce.Err)
	require.Contains(t, results(tried.InForce), step)

	without, err := b.Beside(demo(t, b))
	require.NoError(t, err)
	confirm.Store = "demo"
	tried, err = b.TryBeside(t.Context(), without, confirm)
	require.NoError(t, err)
	require.Contains(t, results(tried.InForce), step)

	b.control("POST", "/sandbox/payments/"+b.reference(o)+"/pay", "")
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
	sum, err := b.TryRecorded(t.Context(), without, b.store, moments.ReplayCommand{Runs: 10}, func(r moments.Replayed) error {
		require.Len(t, r.Differences, 2, "the step and its note, that the shop has now and would not have")
		require.Equal(t, "order-path-selector/note", r.Differences[0].Subject)
		return nil
	})
	require.NoError(t, err)
	require.NotZero(t, sum.Differing)
}
