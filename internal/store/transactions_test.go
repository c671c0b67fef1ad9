package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestListTransactionsNewestFirstAcrossOrders(t *testing.T) {
	t.Parallel()
	b := setup(t)
	first, second := b.order("demo", nil), b.priced("demo", "3000", "JPY", nil)
	var want []string
	for range 3 { // attempts of the two orders in turns
		for _, o := range []*payment.Order{first, second} {
			b.tick(time.Second)
			want = append([]string{b.pay(o.ID, "card", payment.Declined)}, want...)
		}
	}
	b.pay(b.order("other", nil).ID, "card", payment.Approved)
	var got []string
	eachPage(t, 4, func(page payment.Page) (string, error) {
		list, next, err := b.ListTransactions(t.Context(), payment.TransactionFilter{Store: "demo"}, page)
		for _, l := range list {
			got = append(got, l.Reference)
		}
		return next, err
	})
	require.Equal(t, want, got)

	list, _, err := b.ListTransactions(t.Context(), payment.TransactionFilter{Store: "demo"}, payment.Page{Limit: 1})
	require.NoError(t, err)
	o, err := b.ReadOrder(t.Context(), "demo", second.ID)
	require.NoError(t, err)
	latest := o.LatestPayment()
	require.Equal(t, payment.ListedTransaction{
		Transaction: *latest.Transactions[0], Order: o.ID, Number: o.Number, Payment: latest.N,
		Method: "card", Gateway: "card-gateway", Account: "main",
	}, list[0])
	require.Equal(t, "3000 JPY", list[0].Amount.String()+" "+list[0].Amount.Currency().String())
}

func TestListTransactionsOfOneInstantPagesThemAll(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 3 {
		b.pay(b.order("demo", nil).ID, "card", payment.Approved)
	}
	seen := map[string]bool{}
	eachPage(t, 1, func(page payment.Page) (string, error) {
		list, next, err := b.ListTransactions(t.Context(), payment.TransactionFilter{Store: "demo"}, page)
		for _, l := range list {
			seen[l.Reference] = true
		}
		return next, err
	})
	require.Len(t, seen, 3)
}

func TestListTransactionsFilters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	old := b.pay(b.priced("demo", "1000", "JPY", nil).ID, "card", payment.Approved)
	later := b.tick(time.Hour)
	euros := b.pay(b.priced("demo", "10.50", "EUR", nil).ID, "wallet", payment.Declined)
	dinars := b.pay(b.priced("demo", "10.250", "KWD", nil).ID, "card", payment.Sending)
	for name, c := range map[string]struct {
		filter payment.TransactionFilter
		want   []string
	}{
		"type":                {payment.TransactionFilter{Type: "refund"}, nil},
		"type of them":        {payment.TransactionFilter{Type: "authorize_and_capture"}, []string{old, euros, dinars}},
		"state":               {payment.TransactionFilter{State: "declined"}, []string{euros}},
		"gateway":             {payment.TransactionFilter{Gateway: "wallet-gateway"}, []string{euros}},
		"method":              {payment.TransactionFilter{Method: "card"}, []string{old, dinars}},
		"from is inclusive":   {payment.TransactionFilter{From: later}, []string{euros, dinars}},
		"to is exclusive":     {payment.TransactionFilter{To: later}, []string{old}},
		"at least":            {payment.TransactionFilter{MinAmount: "10.50"}, []string{old, euros}},
		"at least, in dinars": {payment.TransactionFilter{MinAmount: "10.2500"}, []string{old, euros, dinars}},
		"at most":             {payment.TransactionFilter{MaxAmount: "10.499"}, []string{dinars}},
		"between":             {payment.TransactionFilter{MinAmount: "10.5", MaxAmount: "999.9999"}, []string{euros}},
		"our reference":       {payment.TransactionFilter{Q: strings.ToLower(euros)}, []string{euros}},
		"the PSP's reference": {payment.TransactionFilter{Q: "psp-" + old}, []string{old}},
		"nobody's reference":  {payment.TransactionFilter{Q: "x"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.filter.Store = "demo"
			list, _, err := b.ListTransactions(t.Context(), c.filter, payment.Page{})
			require.NoError(t, err)
			var got []string
			for _, l := range list {
				got = append(got, l.Reference)
			}
			require.ElementsMatch(t, c.want, got)
		})
	}
	for _, bad := range []string{"-1", "NaN", "Infinity", "1e3", "1,5", "0x1", " 1", "1.23456", strings.Repeat("9", 40)} {
		_, _, err := b.ListTransactions(t.Context(), payment.TransactionFilter{Store: "demo", MinAmount: bad}, payment.Page{})
		require.Equal(t, "amount_invalid", payment.CodeOf(err), bad)
	}
}

// The statement that compares amounts across currencies knows their digits.
func TestListTransactionsComparesAmountsInEveryCurrency(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var codes []string
	for i := range 26 * 26 * 26 {
		code := string([]byte{byte('A' + i/676), byte('A' + i/26%26), byte('A' + i%26)})
		if _, err := payment.ParseCurrency(code); err == nil {
			codes = append(codes, code)
		}
	}
	require.Greater(t, len(codes), 150)
	for _, code := range codes {
		b.pay(b.priced("demo", "7", code, func(o *payment.Order) { o.Lines = nil }).ID, "card", payment.Sending)
	}
	list, _, err := b.ListTransactions(t.Context(),
		payment.TransactionFilter{Store: "demo", MinAmount: "7", MaxAmount: "7"}, payment.Page{Limit: 200})
	require.NoError(t, err)
	var found []string
	for _, l := range list {
		found = append(found, l.Amount.Currency().String())
	}
	require.ElementsMatch(t, codes, found)
}

func TestDueTransactionsAreLeasedOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const n = 40
	for range n {
		b.pay(b.order("demo", nil).ID, "card", payment.Sending)
	}
	none, err := b.DueTransactions(t.Context(), b.now(), b.now(), 100)
	require.NoError(t, err)
	require.Empty(t, none, "nothing is due yet")

	now := b.tick(time.Minute)
	var mu sync.Mutex
	taken := map[payment.TransactionID]int{}
	together(8, func(int) {
		for {
			due, err := b.DueTransactions(t.Context(), now, now.Add(time.Minute), 3)
			if err != nil {
				t.Error(err)
			}
			if len(due) == 0 {
				return
			}
			mu.Lock()
			for _, d := range due {
				taken[d.ID]++
				if d.Store != "demo" {
					t.Errorf("store %q", d.Store)
				}
			}
			mu.Unlock()
		}
	})
	for id, times := range taken {
		require.Equal(t, 1, times, id)
	}
	// Those that a rival was just looking at are left to the next round.
	rest, err := b.DueTransactions(t.Context(), now, now.Add(time.Minute), 100)
	require.NoError(t, err)
	require.Equal(t, n, len(taken)+len(rest))

	again, err := b.DueTransactions(t.Context(), b.tick(time.Minute), b.now().Add(time.Minute), 100)
	require.NoError(t, err)
	require.Len(t, again, n, "a lease ends")
}

func TestDueTransactionsTakeTheOldestAndNoMoreThanAsked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var first []payment.OrderID
	for range 4 {
		o := b.order("demo", nil)
		first = append(first, o.ID)
		b.pay(o.ID, "card", payment.Sending)
		b.tick(time.Second)
	}
	now := b.tick(time.Hour)
	due, err := b.DueTransactions(t.Context(), now, now.Add(time.Minute), 2)
	require.NoError(t, err)
	var got []payment.OrderID
	for _, d := range due {
		got = append(got, d.ID.Order)
	}
	require.ElementsMatch(t, first[:2], got)
}

func TestPostponeTransaction(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.pay(o.ID, "card", payment.Unknown)
	read := func() *payment.Transaction {
		o, err := b.ReadOrder(t.Context(), "demo", o.ID)
		require.NoError(t, err)
		return o.Payments[0].Transactions[0]
	}
	id := payment.TransactionID{Order: o.ID, N: read().N}
	later := b.now().Add(time.Hour)
	require.NoError(t, b.PostponeTransaction(t.Context(), id, later, 0))
	require.Equal(t, 1, read().Inquiries)
	require.Equal(t, later, read().DueAt)

	require.NoError(t, b.PostponeTransaction(t.Context(), id, later.Add(time.Hour), 0))
	require.Equal(t, 1, read().Inquiries, "somebody else asked meanwhile")
	require.Equal(t, later, read().DueAt)

	require.NoError(t, b.PostponeTransaction(t.Context(), id, time.Time{}, 1))
	require.Equal(t, 2, read().Inquiries)
	require.Zero(t, read().DueAt)

	b.work(o.ID, func(o *payment.Order) payment.Closing {
		_, err := o.Record(payment.Fact{
			Source: payment.SourceInquiry, Reference: o.Payments[0].Transactions[0].Reference, State: payment.Approved,
		}, b.now())
		require.NoError(t, err)
		return payment.Closing{}
	})
	require.NoError(t, b.PostponeTransaction(t.Context(), id, later, 2))
	require.Equal(t, 2, read().Inquiries, "it was settled")
	require.Zero(t, read().DueAt)
}
