package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// comparison leases the one comparison that is due.
func (b *bundle) comparison() payment.Comparison {
	b.t.Helper()
	due, err := b.DueComparisons(b.t.Context(), b.now(), b.now().Add(time.Minute), 10)
	require.NoError(b.t, err)
	require.Len(b.t, due, 1)
	return due[0]
}

func TestAComparisonIsKeptWithHowFarItIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	due := b.now().Add(time.Hour)
	require.NoError(t, b.NewComparison(t.Context(), "demo", "main", b.now(), due))
	require.NoError(t, b.NewComparison(t.Context(), "demo", "main", b.now().Add(time.Hour), b.now()), "it is known")
	none, err := b.DueComparisons(t.Context(), b.now(), b.now().Add(time.Minute), 10)
	require.NoError(t, err)
	require.Empty(t, none)

	began := b.now()
	b.tick(time.Hour)
	c := b.comparison()
	require.Equal(t, payment.Comparison{Store: "demo", Account: "main", CoveredUntil: began, Lease: b.now().Add(time.Minute)}, c)
	c.Begin(b.ids.New(), b.now())
	c.Cursor, c.Pages, c.Mark, c.Tally = "page 4", 3, "page 3", payment.Tally{Listed: 4, Recorded: 3, Orphans: 2, Missing: 1}
	held, err := b.SaveComparison(t.Context(), c, b.now())
	require.NoError(t, err)
	require.True(t, held)
	held, err = b.SaveComparison(t.Context(), c, b.now())
	require.NoError(t, err)
	require.False(t, held, "the lease was given back")

	b.tick(time.Second)
	c.Lease = b.now().Add(time.Minute)
	require.Equal(t, c, b.comparison(), "whoever comes next goes on where it was")
}

func TestCounterpartsAreAllOfAPayment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	reference := b.pay(o.ID, "card", payment.Approved)
	b.work(o.ID, func(o *payment.Order) payment.Closing {
		part := money("10.00", "EUR")
		_, err := o.Record(payment.Fact{
			Source: payment.SourceInquiry, Reference: reference, Type: payment.Refund, GatewayReference: "re_1", State: payment.Approved,
			Amount: &part,
		}, b.now())
		require.NoError(t, err)
		return payment.Closing{}
	})
	other := b.pay(b.order("other", nil).ID, "card", payment.Approved)
	found, err := b.Counterparts(t.Context(), []string{reference, "ABCDEFGHJKMNPQRSTVWX"})
	require.NoError(t, err)
	require.Len(t, found, 2)
	for _, c := range found {
		require.Equal(t, reference, c.Named)
		require.Equal(t, o.ID, c.ID.Order)
		require.Equal(t, "demo", c.Account.Store)
		require.Equal(t, payment.Approved, c.State)
		if c.Type == payment.Refund {
			require.Equal(t, "re_1", c.GatewayReference)
			require.Empty(t, c.Reference)
			require.Equal(t, money("10.00", "EUR"), c.Amount)
		}
	}
	found, err = b.Counterparts(t.Context(), []string{other})
	require.NoError(t, err)
	require.Equal(t, "other", found[0].Account.Store, "whichever store it is of")
}

func TestUnseenIsWhatMovedMoneyInTheWindowAndWasNotDoneWith(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var c payment.Comparison
	b.pay(b.order("demo", nil).ID, "card", payment.Approved) // before
	from := b.tick(time.Hour)
	o := b.order("demo", nil)
	b.pay(o.ID, "card", payment.Approved)
	b.pay(b.order("demo", nil).ID, "card", payment.Declined)
	b.pay(b.order("demo", nil).ID, "card", payment.Unknown)
	b.pay(b.order("other", nil).ID, "card", payment.Approved)
	to := b.tick(time.Hour)
	b.pay(b.order("demo", nil).ID, "card", payment.Approved) // after
	c.Between(b.ids.New(), from, to, b.tick(24*time.Hour))

	read, err := b.ReadOrder(t.Context(), "demo", o.ID)
	require.NoError(t, err)
	p := read.Payments[0]
	account := payment.AccountName{Store: "demo", Gateway: p.Gateway, Account: p.Account, Mode: p.Mode}
	unseen := func(run payment.ID) []payment.Counterpart {
		c := c
		c.Run = run
		found, err := b.Unseen(t.Context(), account, c, 10)
		require.NoError(t, err)
		return found
	}
	found := unseen(c.Run)
	require.Len(t, found, 1)
	require.Equal(t, payment.TransactionID{Order: o.ID, N: p.Initial().N}, found[0].ID)

	for range 2 {
		require.NoError(t, b.KeepSeen(t.Context(), c.Run, []payment.TransactionID{found[0].ID}))
	}
	require.NoError(t, b.KeepSeen(t.Context(), c.Run, nil))
	require.Empty(t, unseen(c.Run))
	require.Len(t, unseen(b.ids.New()), 1, "another comparison has its own")

	abandoned := b.ids.New()
	require.NoError(t, b.KeepSeen(t.Context(), abandoned, []payment.TransactionID{found[0].ID}))
	b.tick(time.Hour)
	require.NoError(t, b.ForgetSeen(t.Context(), c.Run, payment.FirstID(b.now())))
	require.Zero(t, value[int](b, "select count(*) from reconciliation_seen"), "nor is anything left of what never ended")
}

func TestACaseOfNoOrderIsOpenedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	amount := money("12.00", "EUR")
	for range 2 {
		require.NoError(t, b.OpenCases(t.Context(), []payment.Case{{
			ID: payment.CaseID(b.ids.New()), Store: "demo", Kind: payment.CaseReconciliation, Subject: "main/refund/re_1",
			Detail: "Orphan.", OpenedAt: b.now(), Amount: &amount,
		}}))
	}
	require.Equal(t, 1, value[int](b, "select count(*) from cases"))
	require.NoError(t, b.OpenCases(t.Context(), nil))
}
