package steps_test

import (
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// operates is an operator that allows all, and whose PSP says one thing.
type operates struct {
	says  payment.State
	asked int
}

func (*operates) CheckOperation(*pipeline.Run, pipeline.Part) error { return nil }

func (o *operates) Operate(
	_ context.Context, _ *pipeline.Run, _ *payment.Payment, t *payment.Transaction, _ json.RawMessage,
) []payment.Fact {
	o.asked++
	return []payment.Fact{{Reference: t.Reference, State: o.says}}
}

// reserved is an order of 10.00 whose money is reserved, and of which 2.00 was taken.
func reserved(t *testing.T) *book {
	b := newBook(t)
	begin(b.order, payment.Authorize)
	tell(t, b.order, payment.Approved)
	bySelf(t, b.order, payment.Capture, "2.00")
	require.NoError(t, do(t, "pay-order", b.order))
	b.order.Save()
	return b
}

// captures lets the pipeline capture 3.00 as the last.
func (b *book) captures(t *testing.T, o *operates, offline bool) {
	t.Helper()
	d := steps.Deps{Operator: o, Returns: func(string) steps.Returns { return steps.Returns{} }}
	_, err := newRunner(b).Execute(t.Context(), pipeline.Request{
		Prepare: func(run *pipeline.Run) error {
			run.Payment = run.Order.Payments[0]
			run.Operation = &pipeline.Operation{
				Action: payment.ActCapture, Final: true, Offline: offline,
				Parts: []pipeline.Part{{
					Payment: run.Payment.N, Amount: payment.FromMinor(300, run.Order.Currency), Rest: payment.RestVoided,
				}},
			}
			return nil
		},
		Pick: pick(t, pipeline.Capture, d), Confirm: pick(t, pipeline.Confirm, d),
	})
	require.NoError(t, err)
}

// Only a final capture that was made leaves a rest: while nobody knows, and where it
// was declined, the money that is reserved is still wanted.
func TestARestIsLeftByACaptureThatWasMade(t *testing.T) {
	t.Parallel()
	for _, state := range []payment.State{payment.Approved, payment.Declined, payment.NotSent, payment.Pending, payment.Unknown} {
		b, o := reserved(t), &operates{says: state}
		b.captures(t, o, false)
		require.Equal(t, 1, o.asked)
		b.requireRest(t, state == payment.Approved)
		if state.Open() { // it is told later that it was made
			capture := b.order.Payments[0].OpenTransactions()[0]
			_, err := b.order.Record(payment.Fact{Reference: capture.Reference, State: payment.Approved}, noon())
			require.NoError(t, err)
			b.requireRest(t, true)
		}
	}
}

// requireRest expects what a last capture left to be on its way back, or not.
func (b *book) requireRest(t *testing.T, left bool) {
	t.Helper()
	p := b.order.Payments[0]
	require.Equal(t, left, p.Release.Open())
	if left {
		require.Equal(t, payment.ReleaseRest, p.Release.Reason)
		require.Equal(t, "5.00", p.Sums.Reserved().String())
	}
}

func TestWhatACaptureOutsideAnyPSPLeavesIsARestToo(t *testing.T) {
	t.Parallel()
	b, o := reserved(t), &operates{}
	b.captures(t, o, true)
	require.Zero(t, o.asked)
	require.Equal(t, "5.00", b.order.Payments[0].Sums.Captured.String())
	b.requireRest(t, true)
}
