package moments_test

import (
	"context"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// statements counts what goes to the database.
type statements struct {
	roundTrips, statements, commits atomic.Int64
}

func (s *statements) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	s.roundTrips.Add(1)
	s.count(q.SQL)
	return ctx
}

func (s *statements) TraceQueryEnd(context.Context, *pgx.Conn, pgx.TraceQueryEndData) {}

func (s *statements) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	s.roundTrips.Add(1)
	return ctx
}

func (s *statements) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	s.count(q.SQL)
}

func (s *statements) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}

func (s *statements) count(sql string) {
	switch {
	case sql == "commit":
		s.commits.Add(1)
	case strings.HasPrefix(sql, "begin"):
	default:
		s.statements.Add(1)
	}
}

// cost is what an operation may ask of the database. Whoever raises a number
// here makes every payment slower, and says why.
type cost struct{ roundTrips, statements, commits int64 }

func (b *bundle) cost(work func()) cost {
	b.t.Helper()
	s := b.statements
	before := cost{s.roundTrips.Load(), s.statements.Load(), s.commits.Load()}
	work()
	return cost{
		s.roundTrips.Load() - before.roundTrips, s.statements.Load() - before.statements, s.commits.Load() - before.commits,
	}
}

// plain is an order without effects beside the money.
func plain(o *payment.Order) {
	o.Customer.Email = ""
	o.Lines[0].SKU = ""
}

func TestPayCostsTwoCommitsAndTwoRoundTripsEach(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	got := b.cost(func() {
		state, err := b.pay(o, "card", "approve")
		require.NoError(t, err)
		require.Equal(t, payment.Approved, state)
	})
	require.Equal(t, cost{roundTrips: 4, statements: 23, commits: 2}, got)
}

func TestCreatingAndPayingInOneCallSavesARoundTrip(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.newOrder(plain)
	c := b.command(o, "card", "approve")
	c.New = o
	got := b.cost(func() {
		answer, err := b.Pay(t.Context(), c)
		require.NoError(t, err)
		require.Equal(t, "approved", string(answer.Body))
	})
	require.Equal(t, cost{roundTrips: 3, statements: 20, commits: 2}, got)
}

func TestConfirmCostsOneCommitAndTwoRoundTrips(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	reference := b.reference(o)
	got := b.cost(func() {
		b.control(http.MethodPost, "/sandbox/payments/"+reference+"/notify", `{"event":"paid"}`)
	})
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
	require.Equal(t, cost{roundTrips: 2, statements: 11, commits: 1}, got)
}

func TestStatusCostsOneStatement(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	got := b.cost(func() {
		_, err := b.store.ReadStatus(t.Context(), "demo", o.ID)
		require.NoError(t, err)
	})
	require.Equal(t, cost{roundTrips: 1, statements: 1, commits: 0}, got)
}

func TestCaptureRefundAndVoidCostTwoCommitsAndTwoRoundTripsEach(t *testing.T) {
	t.Parallel()
	for action, c := range map[payment.Action]struct {
		method string
		amount string
	}{
		payment.ActCapture: {"card-manual", "4.00"}, payment.ActVoid: {"card-manual", ""}, payment.ActRefund: {"card", "4.00"},
	} {
		b := setup(t)
		o := b.order(plain)
		_, err := b.pay(o, c.method, "approve")
		require.NoError(t, err)
		command := b.operation(o, action, c.amount)
		got := b.cost(func() {
			answer, err := b.Operate(t.Context(), command)
			require.NoError(t, err)
			require.Equal(t, string(payment.Approved), string(answer.Body), "%s", action)
		})
		require.Equal(t, int64(2), got.commits, "%s", action)
		require.Equal(t, int64(4), got.roundTrips, "%s", action)
		require.LessOrEqual(t, got.statements, int64(24), "%s", action)
	}
}

// operation asks for something to be done with the order's first payment.
func (b *bundle) operation(o *payment.Order, action payment.Action, amount string) moments.OperateCommand {
	c := moments.OperateCommand{
		Store: "demo", Order: o.ID, Payment: b.read(o).Payments[0].N, Action: action, Claim: b.claim(""), Author: "test",
		Render: func(outcome moments.Outcome) payment.Reply {
			return payment.Reply{Body: []byte(outcome.Transactions[0].State), Final: true}
		},
	}
	if amount != "" {
		c.Amount = func(currency payment.Currency) (*payment.Money, error) {
			m, err := payment.ParseMoney(amount, currency)
			return &m, err
		}
	}
	return c
}
