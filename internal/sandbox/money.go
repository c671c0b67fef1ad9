package sandbox

import (
	"strings"

	"github.com/shopspring/decimal"
)

const amountMaxDigits = 13

// digitsOf is the ISO 4217 exponent of a currency; what is not listed has two.
func digitsOf(currency string) int32 {
	switch currency {
	case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF",
		"UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF":
		return 0
	case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND":
		return 3
	case "CLF", "UYW":
		return 4
	default:
		return 2
	}
}

func validCurrency(c string) bool {
	return len(c) == 3 && strings.Trim(c, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == ""
}

// parseAmount reads a merchant's amount: above zero, plain digits, no more
// places than the currency has.
func parseAmount(s, currency string) (decimal.Decimal, bool) {
	if !plainDecimal(s) {
		return decimal.Decimal{}, false
	}
	whole, places, _ := strings.Cut(s, ".")
	if len(whole) > 1 && whole[0] == '0' || len(places) > int(digitsOf(currency)) {
		return decimal.Decimal{}, false
	}
	d, err := decimal.NewFromString(s)
	return d, err == nil && d.IsPositive()
}

// plainDecimal reports whether s is digits with at most one point between
// them: no sign, no exponent, no full-width digits.
func plainDecimal(s string) bool {
	whole, places, point := strings.Cut(s, ".")
	return onlyDigits(whole) && (!point || onlyDigits(places))
}

func onlyDigits(s string) bool {
	return s != "" && len(s) <= amountMaxDigits && strings.Trim(s, "0123456789") == ""
}

// formatAmount writes exactly the currency's digits. A claimed amount with
// more places than the currency has is written as it came, never rounded.
func formatAmount(d decimal.Decimal, currency string) string {
	digits := digitsOf(currency)
	if -d.Exponent() > digits {
		return d.String()
	}
	return d.StringFixed(digits)
}

// minorUnit is the smallest amount of a currency.
func minorUnit(currency string) decimal.Decimal {
	return decimal.New(1, -digitsOf(currency))
}

// wrongAmount differs from d by one minor unit, so that only an exact
// comparison notices it.
func wrongAmount(d decimal.Decimal, currency string) decimal.Decimal {
	unit := minorUnit(currency)
	if less := d.Sub(unit); less.IsPositive() {
		return less
	}
	return d.Add(unit)
}

// wrongCurrency gives the same figure in another currency.
func wrongCurrency(d decimal.Decimal, currency string) (decimal.Decimal, string) {
	other := "USD"
	if currency == other {
		other = "EUR"
	}
	d = d.Truncate(digitsOf(other))
	if !d.IsPositive() {
		d = minorUnit(other)
	}
	return d, other
}
