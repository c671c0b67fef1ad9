package when_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/when"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func money(t testing.TB, amount, code string) payment.Money {
	c, err := payment.ParseCurrency(code)
	require.NoError(t, err)
	m, err := payment.ParseMoney(amount, c)
	require.NoError(t, err)
	return m
}

// paying is a run in which a shopper pays 99.95 of 119.90 euros by card, and of
// which the PSP has just said that the money is there.
func paying(t testing.TB) *pipeline.Run {
	run := begun(t, "119.90", "EUR")
	o := run.Order
	o.Store, o.Locale, o.BasketID = "demo", "de-DE", "b-1"
	o.Customer = payment.Customer{ID: "c-7", Email: "Ada@Example.org", Name: "Ada Müller", IP: "192.0.2.7"}
	o.BillingAddress.Country, o.ShippingAddress.Country = "DE", "CH"
	o.Lines = []payment.Line{{SKU: "A-1", Quantity: 2}, {SKU: "B-2", Quantity: 3}}
	o.PromotionCodes = []string{"SPRING"}
	o.Metadata = map[string]string{"channel": "app", "source.page": "home"}
	o.Attributes = map[string]payment.Attribute{}
	for key, value := range map[string]string{
		"risk.score": ` 80.50 `, "gift": `true`, "tier": `"gold"`, "none": `null`, "basket": `{"n": 1}`, "big": `1e999999999`,
		"plain": `false`,
	} {
		o.Attributes[key] = payment.Attribute{Key: key, Value: []byte(value)}
	}
	o.OpenPayment("invoice", "invoice", "main", payment.ModeLive, o.Total, noon())
	p := o.OpenPayment("card", "sandbox", "eu", payment.ModeTest, money(t, "99.95", "EUR"), noon())
	p.Fee = money(t, "0.50", "EUR")
	o.Announce(p, payment.AuthorizeAndCapture, "0123456789abcdefghij", p.Amount.Add(p.Fee), noon(), noon())
	finding, err := o.Record(payment.Fact{
		Source: payment.SourceNotification, Reference: "0123456789abcdefghij", State: payment.Approved,
	}, noon())
	require.NoError(t, err)
	run.Payment, run.Findings = p, []payment.Finding{finding, {Payment: p, Transaction: p.Transactions[0]}}
	return run
}

// begun is a run about an order that nobody has begun to pay.
func begun(t testing.TB, total, code string) *pipeline.Run {
	o := &payment.Order{ID: payment.OrderID{15: 1}}
	o.Total = money(t, total, code)
	o.Number, o.Currency = "1001", o.Total.Currency()
	o.Progress.Status = payment.OrderPending
	return &pipeline.Run{Order: o, At: noon()}
}

func holds(t testing.TB, run *pipeline.Run, source string) bool {
	t.Helper()
	c, err := when.Compile(source)
	require.NoError(t, err, source)
	got, err := c.Holds(run)
	require.NoError(t, err, source)
	return got
}
