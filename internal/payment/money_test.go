package payment_test

import (
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

// minorMax is the largest amount that ParseMoney takes, in minor units.
const minorMax = 999_999_999_999_999

func drawMoney(t *rapid.T, c payment.Currency, label string) payment.Money {
	return payment.FromMinor(rapid.Int64Range(-minorMax, minorMax).Draw(t, label), c)
}

func drawCurrency(t *rapid.T) payment.Currency {
	return currency(t, rapid.SampledFrom(isoCodes()).Draw(t, "currency"))
}

func TestWhatWasWrittenIsReadBackExactlyInEveryCurrency(t *testing.T) {
	t.Parallel()
	for _, code := range isoCodes() {
		c := currency(t, code)
		for _, minor := range []int64{0, 1, 9, 10, 99, 100, 12345, 1_000_000, minorMax} {
			m := payment.FromMinor(minor, c)
			read, err := payment.ParseMoney(m.String(), c)
			require.NoError(t, err, "%s %s", m, code)
			require.True(t, m.Equal(read), "%s %s", m, code)
			require.Equal(t, minor, read.Minor(), code)
			require.Equal(t, m.String(), read.String())
			_, fraction, _ := strings.Cut(m.String(), ".")
			require.Len(t, fraction, c.Digits(), code)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		c := drawCurrency(t)
		m := payment.FromMinor(rapid.Int64Range(0, minorMax).Draw(t, "minor"), c)
		read, err := payment.ParseMoney(m.String(), c)
		require.NoError(t, err)
		require.True(t, m.Equal(read))
	})
}

// F99: what is no plain decimal number is refused, and never read as another.
func TestHostileAmountsAreRefused(t *testing.T) {
	t.Parallel()
	hostile := []string{
		"", " ", "1e400", "1E-400", "1e2", "NaN", "nan", "Inf", "-Inf", "+Inf", "Infinity", "-0.00", "-1", "-", "+5", "+",
		"0x10", "0b1", "0o7", "1_000", "１", "１２.５０", "٣", "1２", " 1", "1 ", "1 000", "\t1", "1\n", "1\x00", "1,00",
		"1.000,00", "1,000.00", ".5", "5.", ".", "..", "1.0.0", "1..0", "1.-5", "1.+5", "1.5e1", "1.5 ", "€5", "5€", "1'000",
		"1.005", "0.001", "0.000", "1.0000000000000000000000001", strings.Repeat("9", 14), strings.Repeat("9", 400),
		"1" + strings.Repeat("0", 400) + ".00", "99999999999999.99", "9223372036854775807", "9223372036854775808",
		"92233720368547758.08", "\xff", "true", "null", "½", "1/2", "1\u200b0", "\u202e1",
	}
	eur := currency(t, "EUR")
	for _, amount := range hostile {
		m, err := payment.ParseMoney(amount, eur)
		require.Error(t, err, "%q was read as %s", amount, m)
		require.Equal(t, payment.KindInvalid, payment.KindOf(err))
		require.Equal(t, "amount_invalid", payment.CodeOf(err))
		require.Equal(t, payment.Money{}, m, "%q", amount)
		if len(strings.TrimSpace(amount)) > 2 {
			require.NotContains(t, err.Error(), amount, "an error repeats no value of a request")
		}
	}
}

func TestPlainAmountsAreReadExactly(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		amount, currency, written string
		minor                     int64
	}{
		{"0", "EUR", "0.00", 0},
		{"00", "EUR", "0.00", 0},
		{"0.0", "EUR", "0.00", 0},
		{"5", "EUR", "5.00", 500},
		{"007.5", "EUR", "7.50", 750},
		{"0.01", "EUR", "0.01", 1},
		{"0.10", "EUR", "0.10", 10},
		{"1.00", "EUR", "1.00", 100},
		{"9999999999999.99", "EUR", "9999999999999.99", minorMax},
		{strings.Repeat("0", 100) + "1.25", "EUR", "1.25", 125},
		{"1500", "JPY", "1500", 1500},
		{"999999999999999", "JPY", "999999999999999", minorMax},
		{"0.125", "KWD", "0.125", 125},
		{"0.1", "KWD", "0.100", 100},
		{"1.2345", "CLF", "1.2345", 12345},
	} {
		m, err := payment.ParseMoney(c.amount, currency(t, c.currency))
		require.NoError(t, err, c.amount)
		require.Equal(t, c.written, m.String())
		require.Equal(t, c.minor, m.Minor())
	}
}

// F100: each currency takes its own decimals and not one more.
func TestMoreDecimalsThanTheCurrencyHasAreRefused(t *testing.T) {
	t.Parallel()
	for _, code := range isoCodes() {
		c := currency(t, code)
		_, err := payment.ParseMoney("1."+strings.Repeat("0", c.Digits()+1), c)
		require.Error(t, err, code)
		if c.Digits() > 0 {
			_, err = payment.ParseMoney("1."+strings.Repeat("0", c.Digits()), c)
			require.NoError(t, err, code)
		}
		_, err = payment.ParseMoney(strings.Repeat("9", 16-c.Digits()), c)
		require.Error(t, err, "%s: sums of such amounts would not fit", code)
		_, err = payment.ParseMoney(strings.Repeat("9", 15-c.Digits()), c)
		require.NoError(t, err, code)
	}
}

// F101: the laws of sums, on integers that nobody can argue with.
func TestAmountsAddUpLikeIntegers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cur := drawCurrency(t)
		a, b, c := drawMoney(t, cur, "a"), drawMoney(t, cur, "b"), drawMoney(t, cur, "c")
		require.True(t, a.Add(b).Equal(b.Add(a)))
		require.True(t, a.Add(b).Add(c).Equal(a.Add(b.Add(c))))
		require.True(t, a.Add(b).Sub(b).Equal(a))
		require.True(t, a.Sub(a).IsZero())
		require.True(t, a.Add(payment.Zero(cur)).Equal(a))
		require.Equal(t, a.Minor()+b.Minor(), a.Add(b).Minor())
		require.Equal(t, a.Minor()-b.Minor(), a.Sub(b).Minor())
		require.Equal(t, a.Add(b).String(), payment.FromMinor(a.Minor()+b.Minor(), cur).String())
		n := rapid.Int64Range(-1000, 1000).Draw(t, "n")
		require.Equal(t, a.Minor()*n, a.Mul(n).Minor())
	})
}

func TestAmountsCompareLikeIntegers(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cur := drawCurrency(t)
		a, b := drawMoney(t, cur, "a"), drawMoney(t, cur, "b")
		want := 0
		switch {
		case a.Minor() < b.Minor():
			want = -1
		case a.Minor() > b.Minor():
			want = 1
		}
		require.Equal(t, want, a.Cmp(b))
		require.Equal(t, -want, b.Cmp(a))
		require.Equal(t, want == 0, a.Equal(b))
		require.Equal(t, min(a.Minor(), b.Minor()), a.Min(b).Minor())
		require.Equal(t, a.Minor() == 0, a.IsZero())
		require.Equal(t, a.Minor() > 0, a.IsPositive())
	})
}

// The trap of decimal: 1.0 and 1.00 are two values to ==. However an amount came
// about, ours are one, and have one text.
func TestEqualAmountsAreEqualHoweverTheyCameAbout(t *testing.T) {
	t.Parallel()
	one := euros(t, "1")
	for _, m := range []payment.Money{
		euros(t, "1.0"), euros(t, "1.00"), payment.FromMinor(100, one.Currency()), euros(t, "0.40").Add(euros(t, "0.60")),
		euros(t, "0.25").Mul(4), euros(t, "3").Sub(euros(t, "2.00")),
	} {
		require.True(t, one.Equal(m))
		require.Equal(t, "1.00", m.String())
	}
	require.False(t, money(t, "1", "EUR").Equal(money(t, "1", "USD")))
	require.False(t, payment.Money{}.Equal(payment.Zero(one.Currency())), "no money of no currency is not no euros")
}

func TestMixingCurrenciesIsABug(t *testing.T) {
	t.Parallel()
	a, b := money(t, "1", "EUR"), money(t, "1", "USD")
	require.Panics(t, func() { a.Add(b) })
	require.Panics(t, func() { a.Sub(b) })
	require.Panics(t, func() { a.Cmp(b) })
	require.Panics(t, func() { a.Min(b) })
	require.Panics(t, func() { a.Add(payment.Money{}) })
}

// int64 has room for thousands of the largest amounts.
func TestSumsOfTheLargestAmountsFitTheDatabase(t *testing.T) {
	t.Parallel()
	largest := payment.FromMinor(minorMax, currency(t, "EUR"))
	require.Equal(t, int64(9000*minorMax), largest.Mul(9000).Minor())
	require.Less(t, int64(9000), int64(math.MaxInt64/minorMax))
}

func TestAnOrdersTotalIsTheSumOfItsParts(t *testing.T) {
	t.Parallel()
	details := func() *payment.Details {
		return &payment.Details{
			Total: euros(t, "23.80"), Shipping: euros(t, "4.00"), Discount: euros(t, "3.00"), Tax: euros(t, "3.80"),
			Lines: []payment.Line{{Total: euros(t, "12.00")}, {Total: euros(t, "7.00")}},
		}
	}
	require.True(t, details().AddsUp())

	included := details()
	included.TaxIncluded = true
	require.False(t, included.AddsUp(), "tax would be paid twice")
	included.Total = euros(t, "20.00")
	require.True(t, included.AddsUp())

	for name, change := range map[string]func(*payment.Details){
		"total":    func(d *payment.Details) { d.Total = euros(t, "23.79") },
		"shipping": func(d *payment.Details) { d.Shipping = euros(t, "4.01") },
		"discount": func(d *payment.Details) { d.Discount = euros(t, "3.01") },
		"tax":      func(d *payment.Details) { d.Tax = euros(t, "3.81") },
		"line":     func(d *payment.Details) { d.Lines[1].Total = euros(t, "7.01") },
		"no lines": func(d *payment.Details) { d.Lines = nil },
	} {
		d := details()
		change(d)
		require.False(t, d.AddsUp(), "%s is a cent off", name)
	}
}
