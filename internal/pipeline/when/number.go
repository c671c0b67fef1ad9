package when

import (
	"strings"

	"github.com/shopspring/decimal"
)

// The bounds of a number, written in a condition or held by an attribute. They
// keep arithmetic cheap: decimals of far-apart exponents take memory by the
// difference.
const (
	numberMaxBytes  = 40
	exponentMax     = 18
	scaleOfLiterals = 2
)

// parseNumber reads a decimal number; ok is false for what is none, or out of
// bounds.
func parseNumber(source string) (n decimal.Decimal, ok bool) {
	if len(source) > numberMaxBytes {
		return n, false
	}
	n, err := decimal.NewFromString(source)
	if err != nil || n.Exponent() > exponentMax || n.Exponent() < -exponentMax {
		return decimal.Decimal{}, false
	}
	return n, true
}

// literal returns the number that is written in a condition: of its own text,
// since the parser's float has lost what it could not hold. It is scaled as most
// currencies are, because numbers of one scale compare fastest.
func literal(source string) (n decimal.Decimal, ok bool) {
	n, ok = parseNumber(strings.ReplaceAll(source, "_", ""))
	if !ok || n.Exponent() <= -scaleOfLiterals {
		return n, ok
	}
	return n.Add(decimal.New(0, -scaleOfLiterals)), true
}
