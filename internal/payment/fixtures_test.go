package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// noon is when everything happens, unless a test says otherwise.
func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

const (
	gateway = "sandbox"
	account = "shop-eu"
)

// reference makes a reference of the right length that a reader recognises.
func reference(name string) string { return (name + "00000000000000000000")[:20] }

func currency(t require.TestingT, code string) payment.Currency {
	c, err := payment.ParseCurrency(code)
	require.NoError(t, err)
	return c
}

func euros(t require.TestingT, amount string) payment.Money { return money(t, amount, "EUR") }

func money(t require.TestingT, amount, code string) payment.Money {
	m, err := payment.ParseMoney(amount, currency(t, code))
	require.NoError(t, err)
	return m
}

func amountOf(t require.TestingT, amount string) *payment.Money {
	m := euros(t, amount)
	return &m
}

// unpaid returns an order over so many euros that nobody has begun to pay.
func unpaid(t require.TestingT, total string) *payment.Order {
	o := &payment.Order{ID: payment.OrderID{15: 1}, Store: "demo"}
	o.Number, o.Currency, o.Total = "1001", currency(t, "EUR"), euros(t, total)
	o.Progress.Status = payment.OrderPending
	o.Save()
	return o
}

// begun adds a payment whose first transaction was announced under a reference.
func begun(o *payment.Order, typ payment.Type, ref string, amount payment.Money) *payment.Payment {
	p := o.OpenPayment("card", gateway, account, payment.ModeTest, amount, noon())
	o.Announce(p, typ, reference(ref), amount, noon(), noon().Add(15*time.Second))
	return p
}

// process lets an order that is covered go on, as pay-order and save-order do.
func process(o *payment.Order) {
	if o.Covered() && o.MoveTo(payment.OrderProcessing) {
		o.Save()
	}
}

// record hands facts over, one after the other.
func record(t *testing.T, o *payment.Order, facts ...payment.Fact) {
	t.Helper()
	for _, f := range facts {
		_, err := o.Record(f, noon())
		require.NoError(t, err)
	}
}

// approved is the fact that the announced transaction went through.
func approved(ref string) payment.Fact {
	return payment.Fact{Source: payment.SourceNotification, Reference: reference(ref), State: payment.Approved}
}

func declined(ref string) payment.Fact {
	return payment.Fact{Source: payment.SourceNotification, Reference: reference(ref), State: payment.Declined}
}

// byPSP is an approved fact about something that the PSP began by itself.
func byPSP(t require.TestingT, ref string, typ payment.Type, name, amount string) payment.Fact {
	return payment.Fact{
		Source: payment.SourceNotification, Reference: reference(ref), Type: typ, GatewayReference: name,
		State: payment.Approved, Amount: amountOf(t, amount),
	}
}

// kinds lists the cases that were opened, in the order of opening.
func kinds(o *payment.Order) []payment.CaseKind {
	var all []payment.CaseKind
	for _, c := range o.Staged.Cases {
		all = append(all, c.Kind)
	}
	return all
}
