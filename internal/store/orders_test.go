package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestListOrdersPagesNewestFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var want []string
	for range 5 {
		b.tick(time.Second)
		want = append([]string{b.order("demo", nil).Number}, want...)
	}
	b.order("other", nil)
	var got []string
	eachPage(t, 2, func(page payment.Page) (string, error) {
		orders, next, err := b.ListOrders(t.Context(), payment.OrderFilter{Store: "demo"}, page)
		require.LessOrEqual(t, len(orders), 2)
		got = append(got, numbers(orders)...)
		return next, err
	})
	require.Equal(t, want, got)
}

func TestListOrdersIsWhatReadOrderReads(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", func(o *payment.Order) { o.Metadata = map[string]string{"k": "v"} })
	b.pay(o.ID, "card", payment.Declined)
	b.pay(o.ID, "wallet", payment.Approved)
	p := b.order("demo", nil)
	b.pay(p.ID, "card", payment.Unknown)

	orders, _, err := b.ListOrders(t.Context(), payment.OrderFilter{Store: "demo"}, payment.Page{})
	require.NoError(t, err)
	require.Len(t, orders, 2)
	for i, id := range []payment.OrderID{p.ID, o.ID} {
		want, err := b.ReadOrder(t.Context(), "demo", id)
		require.NoError(t, err)
		require.Equal(t, want, orders[i])
	}
	require.Len(t, orders[1].Payments, 2)
	require.Equal(t, "30.00", orders[1].Payments[1].Sums.Captured.String())
}

func TestListOrdersTakesThreeStatements(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 10 {
		b.pay(b.order("demo", nil).ID, "card", payment.Approved)
	}
	sent := b.tracer.during(func() {
		_, _, err := b.ListOrders(t.Context(), payment.OrderFilter{Store: "demo"}, payment.Page{})
		require.NoError(t, err)
	})
	require.Len(t, sent, 5, "begin, orders, payments, transactions, commit")
}

func TestListOrdersFilters(t *testing.T) {
	t.Parallel()
	b := setup(t)
	yes, no := true, false
	start := b.now()
	pending := b.order("demo", func(o *payment.Order) { o.Number, o.Customer.ID = "A-1", "c-9" })
	later := b.tick(time.Hour)
	paid := b.order("demo", func(o *payment.Order) { o.Number, o.Customer.Email = "A-22", "bob@example.org" })
	reference := b.pay(paid.ID, "card", payment.Approved)
	b.tick(time.Hour)
	cancelled := b.order("demo", func(o *payment.Order) { o.Number, o.Progress.Status = "B_%1", payment.OrderCancelled })
	b.pay(cancelled.ID, "wallet", payment.Declined)
	b.stage(cancelled.ID, func(o *payment.Order) {
		o.NewNotification = true
		o.OpenCase(payment.Case{ID: payment.CaseID(b.ids.New()), Kind: payment.CaseSurplus, OpenedAt: b.now()})
	})
	b.order("other", func(o *payment.Order) { o.Number, o.Customer.ID = "A-1", "c-9" })

	for name, c := range map[string]struct {
		filter payment.OrderFilter
		want   []*payment.Order
	}{
		"number":                      {payment.OrderFilter{Number: "A-1"}, []*payment.Order{pending}},
		"status":                      {payment.OrderFilter{Status: "cancelled"}, []*payment.Order{cancelled}},
		"payment status":              {payment.OrderFilter{PaymentStatus: "paid"}, []*payment.Order{paid}},
		"customer":                    {payment.OrderFilter{Customer: "c-9"}, []*payment.Order{pending}},
		"method":                      {payment.OrderFilter{Method: "card"}, []*payment.Order{paid}},
		"gateway":                     {payment.OrderFilter{Gateway: "wallet-gateway"}, []*payment.Order{cancelled}},
		"from is inclusive":           {payment.OrderFilter{From: later}, []*payment.Order{cancelled, paid}},
		"to is exclusive":             {payment.OrderFilter{To: later}, []*payment.Order{pending}},
		"from and to":                 {payment.OrderFilter{From: start, To: later.Add(1000)}, []*payment.Order{paid, pending}},
		"news":                        {payment.OrderFilter{NewNotification: &yes}, []*payment.Order{cancelled}},
		"no news":                     {payment.OrderFilter{NewNotification: &no}, []*payment.Order{paid, pending}},
		"needs review":                {payment.OrderFilter{NeedsReview: &yes}, []*payment.Order{cancelled}},
		"needs no review":             {payment.OrderFilter{NeedsReview: &no}, []*payment.Order{paid, pending}},
		"q: number begins with":       {payment.OrderFilter{Q: "A-"}, []*payment.Order{paid, pending}},
		"q: no wildcard":              {payment.OrderFilter{Q: "%"}, nil},
		"q: number with a wildcard":   {payment.OrderFilter{Q: "B_%"}, []*payment.Order{cancelled}},
		"q: e-mail in any case":       {payment.OrderFilter{Q: "BOB@example.org"}, []*payment.Order{paid}},
		"q: customer":                 {payment.OrderFilter{Q: "c-9"}, []*payment.Order{pending}},
		"q: reference":                {payment.OrderFilter{Q: reference}, []*payment.Order{paid}},
		"q with another filter":       {payment.OrderFilter{Q: "A-", PaymentStatus: "pending"}, []*payment.Order{pending}},
		"filters that exclude it all": {payment.OrderFilter{Number: "A-1", Status: "complete"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			c.filter.Store = "demo"
			got, next, err := b.ListOrders(t.Context(), c.filter, payment.Page{})
			require.NoError(t, err)
			require.Empty(t, next)
			require.ElementsMatch(t, numbers(c.want), numbers(got))
			require.Equal(t, numbers(c.want), numbers(got))
		})
	}
}

func TestListOrdersPagesASearch(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 7 {
		b.tick(time.Second)
		b.order("demo", nil)
	}
	first, next, err := b.ListOrders(t.Context(), payment.OrderFilter{Store: "demo", Q: "1000"}, payment.Page{Limit: 4})
	require.NoError(t, err)
	second, end, err := b.ListOrders(t.Context(), payment.OrderFilter{Store: "demo", Q: "1000"},
		payment.Page{Limit: 4, After: next})
	require.NoError(t, err)
	require.Empty(t, end)
	require.Equal(t, []string{"10007", "10006", "10005", "10004", "10003", "10002", "10001"},
		append(numbers(first), numbers(second)...))
}

func TestListsRefuseACursorThatIsNone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	page := payment.Page{After: "9'--"}
	for name, list := range map[string]func() error{
		"orders": func() error {
			_, _, err := b.ListOrders(t.Context(), payment.OrderFilter{Store: "demo"}, page)
			return err
		},
		"transactions": func() error {
			_, _, err := b.ListTransactions(t.Context(), payment.TransactionFilter{Store: "demo"}, page)
			return err
		},
		"notes":         func() error { _, _, err := b.ListNotes(t.Context(), "demo", o.ID, page); return err },
		"notifications": func() error { _, _, err := b.ListNotifications(t.Context(), "demo", "", page); return err },
		"cases":         func() error { _, _, err := b.ListCases(t.Context(), "demo", "", "", page); return err },
		"stock":         func() error { _, _, err := b.ListStock(t.Context(), "demo", page); return err },
		"promotions":    func() error { _, _, err := b.ListPromotionCodes(t.Context(), "demo", page); return err },
	} {
		err := list()
		require.Equal(t, "cursor_invalid", payment.CodeOf(err), name)
		require.Equal(t, payment.KindInvalid, payment.KindOf(err), name)
	}
}
