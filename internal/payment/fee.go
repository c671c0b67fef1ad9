package payment

import (
	"strings"

	"github.com/shopspring/decimal"
)

// FeeRule says what a method costs on top of what is paid with it: a fixed
// amount, a percentage, or both. What is negative is a discount.
type FeeRule struct {
	Fixed   map[string]Money // by currency code; a currency without an entry has none
	Percent Percent
}

// Of returns the fee on an amount. The percentage is rounded half up (away from
// zero) to the digits of the currency. A discount is never more than the amount,
// and what costs nothing has no fee.
func (r FeeRule) Of(amount Money) Money {
	c := amount.Currency()
	if !amount.IsPositive() {
		return Zero(c)
	}
	fee := r.Percent.of(amount)
	if fixed, ok := r.Fixed[c.String()]; ok {
		fee = fee.Add(fixed)
	}
	if most := Zero(c).Sub(amount); fee.Cmp(most) < 0 {
		return most
	}
	return fee
}

// Percent is an exact percentage; the zero value is none.
type Percent struct{ value decimal.Decimal }

// The bounds of a percentage.
const (
	percentMax       = 100
	percentDigitsMax = 4
)

// ParsePercent reads a percentage from -100 to 100 as plain decimal text, with
// at most four decimals.
func ParsePercent(text string) (Percent, error) {
	invalid := Errorf(KindInvalid, "percent_invalid",
		"must be a percentage such as 1.5, from -%d to %d with at most %d decimals", percentMax, percentMax, percentDigitsMax)
	whole, fraction, dotted := strings.Cut(strings.TrimPrefix(text, "-"), ".")
	if !isDigits(whole) || dotted && !isDigits(fraction) || len(whole) > 3 || len(fraction) > percentDigitsMax {
		return Percent{}, invalid
	}
	value, err := decimal.NewFromString(text)
	if err != nil || value.Abs().Cmp(decimal.NewFromInt(percentMax)) > 0 {
		return Percent{}, invalid
	}
	return Percent{value: value}, nil
}

// of returns so many percent of an amount.
func (p Percent) of(amount Money) Money {
	minor := decimal.NewFromInt(amount.Minor()).Mul(p.value).Shift(-2).Round(0)
	return FromMinor(minor.IntPart(), amount.Currency())
}

// Alive tells of a payment that it has brought money that is kept, or still may.
func (p *Payment) Alive() bool {
	return p.Status != StatusFailed && p.Status != StatusVoided && !p.Dropped()
}

// Fees adds up what the order's living payments cost beside its total; a discount
// counts against.
func (o *Order) Fees() Money {
	fees := Zero(o.Currency)
	for _, p := range o.Payments {
		if p.Alive() {
			fees = fees.Add(p.Fee)
		}
	}
	return fees
}
