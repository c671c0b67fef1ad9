package payment

import (
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
)

// amountDigitsMax bounds the digits of an amount in minor units, so that sums
// of thousands of amounts still fit an int64 column.
const amountDigitsMax = 15

// amountMax is the largest amount, in minor units.
const amountMax = 999_999_999_999_999

// Money is an exact amount of one currency. It is built only by the
// constructors below, which keep it to the currency's ISO 4217 digits: the
// exponent of value is always exactly that. The zero Money belongs to no
// currency and is only a placeholder.
type Money struct {
	value    decimal.Decimal
	currency Currency
}

// ParseMoney reads an amount as the API writes it: ASCII digits with at most the
// currency's decimals, no sign, no exponent, no spaces.
func ParseMoney(amount string, c Currency) (Money, error) {
	whole, fraction, dotted := strings.Cut(amount, ".")
	if !isDigits(whole) || dotted && !isDigits(fraction) {
		return Money{}, Errorf(KindInvalid, "amount_invalid", "must be a decimal number such as %s", Zero(c))
	}
	if len(fraction) > c.Digits() {
		return Money{}, Errorf(KindInvalid, "amount_invalid", "has more decimals than %s allows (%d)", c, c.Digits())
	}
	if len(strings.TrimLeft(whole, "0"))+c.Digits() > amountDigitsMax {
		return Money{}, Errorf(KindInvalid, "amount_invalid", "is too large")
	}
	minor, err := strconv.ParseInt(whole+fraction+strings.Repeat("0", c.Digits()-len(fraction)), 10, 64)
	if err != nil {
		return Money{}, Errorf(KindInvalid, "amount_invalid", "is too large")
	}
	return FromMinor(minor, c), nil
}

// FromMinor returns minor units (cents, or the currency's own) as Money.
func FromMinor(minor int64, c Currency) Money {
	return Money{value: decimal.New(minor, -int32(c.Digits())), currency: c} //nolint:gosec // an ISO 4217 exponent is 0 to 4
}

// Zero returns no money of the currency.
func Zero(c Currency) Money { return FromMinor(0, c) }

// Currency returns the currency.
func (m Money) Currency() Currency { return m.currency }

// Minor returns the amount in minor units; it fits because of amountDigitsMax.
func (m Money) Minor() int64 {
	return m.value.Shift(int32(m.currency.Digits())).IntPart() //nolint:gosec // an ISO 4217 exponent is 0 to 4
}

// String returns the amount with exactly the currency's digits, e.g. "12.50".
func (m Money) String() string {
	return m.value.StringFixed(int32(m.currency.Digits())) //nolint:gosec // an ISO 4217 exponent is 0 to 4
}

// Decimal returns the bare number, for comparing it with numbers that have no
// currency, as conditions do.
func (m Money) Decimal() decimal.Decimal { return m.value }

// Add returns m + n. Mixing currencies is a bug, not an input, and panics; the
// engine turns a panic of a step into a failed run.
func (m Money) Add(n Money) Money {
	m.mustMatch(n)
	switch { // most sums begin with nothing, and need no arithmetic
	case n.IsZero():
		return m
	case m.IsZero():
		return n
	}
	return Money{value: m.value.Add(n.value), currency: m.currency}
}

// Sub returns m - n, which may be negative.
func (m Money) Sub(n Money) Money {
	m.mustMatch(n)
	if n.IsZero() {
		return m
	}
	return Money{value: m.value.Sub(n.value), currency: m.currency}
}

// Mul returns m × n for a whole quantity.
func (m Money) Mul(n int64) Money {
	return Money{value: m.value.Mul(decimal.NewFromInt(n)), currency: m.currency}
}

// Cmp compares amounts of one currency: -1, 0 or 1.
func (m Money) Cmp(n Money) int {
	m.mustMatch(n)
	return m.value.Cmp(n.value)
}

// Equal tells whether amount and currency are the same.
func (m Money) Equal(n Money) bool {
	return m.currency == n.currency && m.value.Equal(n.value)
}

// IsZero tells whether there is no money.
func (m Money) IsZero() bool { return m.value.IsZero() }

// IsPositive tells whether there is more than nothing.
func (m Money) IsPositive() bool { return m.value.IsPositive() }

// Min returns the smaller of two amounts of one currency.
func (m Money) Min(n Money) Money {
	if m.Cmp(n) <= 0 {
		return m
	}
	return n
}

func (m Money) mustMatch(n Money) {
	if m.currency != n.currency {
		panic(Errorf(KindInternal, "currencies_mixed", "amounts of different currencies"))
	}
}

func isDigits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}
