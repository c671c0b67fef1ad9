package stripe_test

import (
	"testing"

	"github.com/shopspring/decimal"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestAmounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount, currency string
		minor            int64
	}{
		{"12.34", "EUR", 1234}, {"0.01", "USD", 1}, {"1234.00", "HUF", 123400}, {"99.50", "TWD", 9950},
		{"500", "JPY", 500}, {"1", "KRW", 1}, {"7", "BIF", 7}, {"8", "XPF", 8},
		{"5", "ISK", 500}, {"5", "UGX", 500}, {"300.00", "MGA", 300},
		{"1.230", "KWD", 1230}, {"0.010", "BHD", 10}, {"9999999999999.99", "EUR", 999999999999999},
	} {
		got, err := stripe.ToStripe(money(t, c.amount, c.currency))
		require.NoError(t, err, c)
		require.Equal(t, c.minor, got, c)
		back, err := stripe.FromStripe(got, c.currency)
		require.NoError(t, err, c)
		require.True(t, back.Equal(money(t, c.amount, c.currency)), c)
	}
	for _, c := range [][2]string{
		{"1.234", "KWD"}, {"0.001", "OMR"}, {"300.50", "MGA"}, {"1.000", "IQD"}, {"1.000", "LYD"}, {"1.0000", "CLF"},
		{"1.0000", "UYW"}, {"1", "UYI"}, {"0.00", "EUR"}, {"0", "JPY"},
	} {
		_, err := stripe.ToStripe(money(t, c[0], c[1]))
		require.Error(t, err, c)
	}
	for currency, minor := range map[string]int64{
		"isk": 550, "ugx": 1, "eur": -1, "usd": 1 << 60, "iqd": 1000, "": 1, "eu": 1, "EURO": 1, "\x00ur": 1, "jpy": 1e15,
	} {
		_, err := stripe.FromStripe(minor, currency)
		require.Error(t, err, currency)
	}
}

// stripesDecimals is Stripe's documentation once more, written another way.
func stripesDecimals(code string) int32 {
	switch code {
	case "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "JOD", "KWD", "OMR", "TND":
		return 3
	}
	return 2
}

func TestEveryAmountIsExactOrRefused(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		code := rapid.SampledFrom([]string{
			"EUR", "USD", "HUF", "TWD", "JPY", "KRW", "CLP", "ISK", "UGX", "MGA", "BHD", "JOD", "KWD", "OMR", "TND",
			"IQD", "LYD", "CLF", "UYI", "VND", "XAF",
		}).Draw(t, "currency")
		c, err := payment.ParseCurrency(code)
		if err != nil {
			t.Fatal(err)
		}
		m := payment.FromMinor(rapid.Int64Range(0, 999_999_999_999_999).Draw(t, "minor"), c)
		got, err := stripe.ToStripe(m)
		want := decimal.RequireFromString(m.String()).Shift(stripesDecimals(code))
		fits := want.IsInteger() && want.IsPositive() && (stripesDecimals(code) != 3 || want.IntPart()%10 == 0) &&
			(c.Digits() == 2 || stripesDecimals(code) != 2 || code == "ISK" || code == "UGX")
		if !fits {
			if err == nil {
				t.Fatalf("%s %s was sent as %d", m, code, got)
			}
			return
		}
		if err != nil || !want.Equal(decimal.NewFromInt(got)) {
			t.Fatalf("%s %s: got %d, %v, want %s", m, code, got, err, want)
		}
		if back, err := stripe.FromStripe(got, code); got <= 999_999_999_999_999 && (err != nil || !back.Equal(m)) {
			t.Fatalf("%s %s came back as %v, %v", m, code, back, err)
		}
	})
}

func TestWhatStripeCannotExpressIsNeverSent(t *testing.T) {
	t.Parallel()
	s := newShop(t, "checkout")
	for _, m := range []payment.Money{money(t, "1.234", "KWD"), money(t, "1.000", "IQD"), money(t, "0.00", "EUR")} {
		s.request.Amount = m
		f := s.gateway.Pay(t.Context(), s.request)
		require.Equal(t, payment.NotSent, f.State)
		require.Equal(t, "amount_not_supported", f.Reason.Code)
		require.NotEmpty(t, s.gateway.Exclude("card", orderOf(m)))
	}
	require.Empty(t, s.stripe.requests)
	require.Empty(t, s.gateway.Exclude("card", orderOf(money(t, "1.00", "EUR"))))
}
