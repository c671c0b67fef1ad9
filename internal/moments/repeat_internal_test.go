package moments

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// ending is a first request that ends while its repeat reads: its commit comes
// between the look at the key and the look at the order.
type ending struct {
	Orders
	order *payment.Order
	reply *payment.Reply // what the key holds when it is looked at again
}

func (e ending) ReadOrder(context.Context, string, payment.OrderID) (*payment.Order, error) {
	return e.order, nil
}

func (e ending) Claimed(context.Context, *payment.Claim) (*payment.Claimed, error) {
	return &payment.Claimed{Order: e.order.ID, Payment: 1, Finished: e.reply != nil, Reply: e.reply}, nil
}

func (e ending) KeepReply(context.Context, *payment.Claim, payment.Reply) (bool, error) {
	return e.reply == nil, nil
}

// repeated repeats a request whose first was still running when its key was
// looked at, and whose order is approved.
func repeated(t *testing.T, reply *payment.Reply) Answer {
	t.Helper()
	o := &payment.Order{ID: payment.OrderID{1}, Payments: []*payment.Payment{{
		N: 1, Transactions: []*payment.Transaction{{N: 2, State: payment.Approved, Type: payment.AuthorizeAndCapture}},
	}}}
	books := ending{order: o, reply: reply}
	s := &Service{Deps: Deps{Orders: books, Claims: books}}
	c := &PayCommand{Claim: &payment.Claim{}, Render: func(Outcome) payment.Reply {
		return payment.Reply{Status: 200, Body: []byte("from the books"), Final: true}
	}}
	answer, err := s.repeat(t.Context(), c.repetition(), &payment.Claimed{Order: o.ID, Payment: 1})
	require.NoError(t, err)
	return answer
}

func TestARepeatThatMeetsTheEndOfTheFirstRequestReplaysItsAnswer(t *testing.T) {
	t.Parallel()
	answer := repeated(t, &payment.Reply{Status: 200, Body: []byte("the first answer")})
	require.True(t, answer.Replayed)
	require.Equal(t, "the first answer", string(answer.Body))
}

func TestARepeatOfARequestThatNeverEndedTellsWhatIsKnown(t *testing.T) {
	t.Parallel()
	answer := repeated(t, nil)
	require.False(t, answer.Replayed)
	require.Equal(t, "from the books", string(answer.Body))
}

// The first request was refused before anything was sent, in the commit that also
// ended its payment.
func TestARepeatThatMeetsTheRefusalOfTheFirstRequestReplaysIt(t *testing.T) {
	t.Parallel()
	o := &payment.Order{ID: payment.OrderID{1}, Payments: []*payment.Payment{{N: 1, Status: payment.StatusFailed}}}
	for _, reply := range []*payment.Reply{nil, {Status: 409, Body: []byte("refused")}} {
		books := ending{order: o, reply: reply}
		s := &Service{Deps: Deps{Orders: books, Claims: books}}
		answer, err := s.repeat(t.Context(), (&PayCommand{Claim: &payment.Claim{}}).repetition(), &payment.Claimed{Order: o.ID, Payment: 1})
		if reply == nil {
			require.Equal(t, "gateway_unavailable", payment.CodeOf(err), "it was cut off")
			continue
		}
		require.NoError(t, err)
		require.Equal(t, "refused", string(answer.Body))
	}
}
