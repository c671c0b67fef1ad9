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
	rest  []string // what final captures left
}

func (*operates) CheckOperation(*pipeline.Run, pipeline.Part) error { return nil }

func (o *operates) Rest(_ *pipeline.Run, p *payment.Payment) {
	o.rest = append(o.rest, p.Sums.Reserved().String())
}

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
				Parts: []pipeline.Part{{Payment: run.Payment.N, Amount: payment.FromMinor(300, run.Order.Currency)}},
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
	for state, rest := range map[payment.State][]string{
		payment.Approved: {"5.00"}, payment.Declined: nil, payment.NotSent: nil, payment.Pending: nil, payment.Unknown: nil,
	} {
		b, o := reserved(t), &operates{says: state}
		b.captures(t, o, false)
		require.Equal(t, 1, o.asked)
		require.Equal(t, rest, o.rest, "%s", state)
	}
}

func TestWhatACaptureOutsideAnyPSPLeavesIsARestToo(t *testing.T) {
	t.Parallel()
	b, o := reserved(t), &operates{}
	b.captures(t, o, true)
	require.Zero(t, o.asked)
	require.Equal(t, "5.00", b.order.Payments[0].Sums.Captured.String())
	require.Equal(t, []string{"5.00"}, o.rest)
}
