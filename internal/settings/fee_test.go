package settings_test

import (
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestFees(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ lines, total, code, want string }{
		{"", "100.00", "EUR", "0.00"},
		{"fee: {EUR: 2.50}", "100.00", "EUR", "2.50"},
		{"fee: {EUR: \"2.50\", JPY: 300}", "1000", "JPY", "300"},
		{"fee: {EUR: 2.50}", "100.00", "USD", "0.00"},
		{"fee_percent: \"1.5\"", "100.00", "EUR", "1.50"},
		{"fee_percent: 1.5", "99.99", "KWD", "1.500"},
		{"fee: {EUR: 2.50}\nfee_percent: 3", "100.00", "EUR", "5.50"},
		{"fee: {EUR: -2.50}", "100.00", "EUR", "-2.50"},
		{"fee: {EUR: -2.50}\nfee_percent: \"-2\"", "100.00", "EUR", "-4.50"},
		{"fee: {EUR: -20.00}", "10.00", "EUR", "-10.00"},
		{"fee_percent: \"0.1234\"", "10000.00", "EUR", "12.34"},
	} {
		currency, err := payment.ParseCurrency(c.code)
		require.NoError(t, err)
		total, err := payment.ParseMoney(c.total, currency)
		require.NoError(t, err)
		s := load(t, free(c.lines))
		m := s.Store("demo").Methods[0]
		require.Equal(t, c.want, m.Fee.Of(total).String(), c.lines)
	}
}

func TestFeesThatCannotBe(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		"fee: 2.50":                        "fee: must be amounts by currency code, such as EUR: 10.00",
		"fee: {EUR: 2.505}":                "fee.EUR: must be an amount such as 0.00, with at most 2 decimals",
		"fee: {JPY: 2.5}":                  "fee.JPY: must be an amount such as 0, with at most 0 decimals",
		"fee: {EUR: --2.50}":               "fee.EUR: must be an amount",
		"fee: {EUR: 1e3}":                  "fee.EUR: must be an amount",
		"fee: {eur: 2.50}":                 "must be an ISO 4217 currency code in capital letters",
		"fee: {XYZ: 2.50}":                 "fee.XYZ: must be an ISO 4217 currency code in capital letters",
		"currencies: [EUR]\nfee: {USD: 1}": "fee.USD: the method is not offered in this currency",
		"fee_percent: 100.5":               "fee_percent: must be a percentage",
		"fee_percent: \"-101\"":            "fee_percent: must be a percentage",
		"fee_percent: \"1.23456\"":         "fee_percent: must be a percentage",
		"fee_percent: 1.5%":                "fee_percent: must be a percentage",
		"fee_percent: 1e1":                 "fee_percent: must be a percentage",
		"fee_percent: \"+1\"":              "fee_percent: must be a percentage",
		"fee_percent: \"\"":                "fee_percent: must be a percentage",
		"fee_percent: true":                "fee_percent: must be a percentage",
		"fee_percent: [1]":                 "fee_percent: must be a percentage",
		"fee_percent: .inf":                "is a kind of value that settings do not use",
		"fee_precent: 1":                   "unknown key",
	} {
		got := problems(t, free(lines))
		require.Len(t, got, 1, lines)
		require.Contains(t, got[0], want, lines)
	}
}

func TestTheExampleHasAFee(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../deploy/paysvc.example.yaml")
	require.NoError(t, err)
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	m := load(t, string(source)).Method("lamps", "invoice")
	require.Equal(t, "3.00", m.Fee.Of(payment.FromMinor(10000, eur)).String())
}
