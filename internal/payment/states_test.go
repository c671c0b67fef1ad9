package payment_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

var states = []payment.State{
	payment.Sending, payment.Unknown, payment.NotSent, payment.ActionRequired, payment.Pending, payment.Declined,
	payment.Approved, payment.Reversed,
}

// The published graph (I7), as a matrix: the row is left for the columns marked x.
const transactionGraph = `
                 sending unknown not_sent action_required pending declined approved reversed
sending          .       x       x        x               x       x        x        x
unknown          .       .       x        x               x       x        x        x
not_sent         .       .       .        x               x       x        x        x
action_required  .       .       .        .               x       x        x        x
pending          .       .       .        .               .       x        x        x
declined         .       .       .        .               .       .        x        x
approved         .       .       .        .               .       .        .        x
reversed         .       .       .        .               .       .        .        .`

const orderGraph = `
            pending processing complete cancelled
pending     .       x          x        x
processing  .       .          x        x
complete    .       .          .        x
cancelled   .       .          .        .`

// graph reads a matrix: every edge, and every non-edge.
func graph(t *testing.T, matrix string) map[[2]string]bool {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(matrix), "\n")
	columns := strings.Fields(lines[0])
	edges := make(map[[2]string]bool)
	for _, line := range lines[1:] {
		fields := strings.Fields(line)
		require.Len(t, fields, len(columns)+1)
		for i, mark := range fields[1:] {
			edges[[2]string{fields[0], columns[i]}] = mark == "x"
		}
	}
	require.Len(t, edges, len(columns)*len(columns))
	return edges
}

func TestTransactionsMoveAlongThePublishedGraphOnly(t *testing.T) {
	t.Parallel()
	edges := graph(t, transactionGraph)
	require.Len(t, edges, len(states)*len(states))
	for edge, is := range edges {
		require.Equal(t, is, payment.State(edge[0]).CanBecome(payment.State(edge[1])), "%s → %s", edge[0], edge[1])
	}
	require.False(t, payment.Sending.CanBecome("gibberish"))
	require.False(t, payment.State("gibberish").CanBecome(payment.Approved))
}

// Every edge and every non-edge again, walked by a fact.
func TestAFactMovesATransactionAlongAnEdgeAndLeavesItAloneOtherwise(t *testing.T) {
	t.Parallel()
	for edge, is := range graph(t, transactionGraph) {
		from, to := payment.State(edge[0]), payment.State(edge[1])
		o, p := sale(t)
		p.Transactions[0].State = from
		finding, err := o.Record(payment.Fact{Reference: reference("A"), State: payment.State(edge[1])}, noon())
		require.NoError(t, err)
		if to == payment.Sending { // that is ours to know: whoever speaks of it says at most that it left us
			is, to = from == payment.Sending, payment.Unknown
		}
		want := from
		if is {
			want = to
		}
		require.Equal(t, want, p.Transactions[0].State, "%s, told %s", from, edge[1])
		require.Equal(t, is, finding.Changed, "%s, told %s", from, edge[1])
		require.Equal(t, from, finding.Before)
	}
}

func TestOrdersMoveAlongTheirGraphOnly(t *testing.T) {
	t.Parallel()
	for edge, is := range graph(t, orderGraph) {
		from, to := payment.OrderStatus(edge[0]), payment.OrderStatus(edge[1])
		require.Equal(t, is, from.CanBecome(to), "%s → %s", from, to)
		o := unpaid(t, "10.00")
		o.Progress.Status = from
		require.Equal(t, is, o.MoveTo(to))
		want := from
		if is {
			want = to
		}
		require.Equal(t, want, o.Progress.Status)
		require.Equal(t, payment.OrderPending, o.Saved.Status, "moving is not saving")
	}
	require.False(t, payment.OrderPending.CanBecome("gibberish"))
}

func TestTheSetsOfStatesAreClosed(t *testing.T) {
	t.Parallel()
	open := []payment.State{payment.Sending, payment.Unknown, payment.ActionRequired, payment.Pending}
	for _, s := range states {
		require.True(t, s.Known(), s)
		require.Equal(t, slices.Contains(open, s), s.Open(), s)
	}
	require.False(t, payment.State("").Known())
	require.False(t, payment.State("Approved").Known())
	require.True(t, payment.State("gibberish").Open(), "a state that nobody knows is not known to be closed")
}

func TestOnlyAuthorizationsAndSalesBeginAPayment(t *testing.T) {
	t.Parallel()
	for typ, initial := range map[payment.Type]bool{
		payment.Authorize: true, payment.AuthorizeAndCapture: true, payment.Capture: false, payment.Refund: false,
		payment.Void: false, payment.Credit: false, payment.Chargeback: false, "": false,
	} {
		require.Equal(t, initial, typ.Initial(), typ)
	}
}
