package stripe

import (
	"errors"
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/payment"
)

// Stripe's minor units are not those of ISO 4217. Every other currency has two
// decimals for Stripe; those to which ISO 4217 gives another number are refused,
// since nobody can say what Stripe would make of them.
var (
	zeroDecimal  = strings.Fields("BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF")
	threeDecimal = strings.Fields("BHD JOD KWD OMR TND")
	// wholeOnly have no decimals any more, and Stripe still counts them in hundredths.
	wholeOnly = strings.Fields("ISK UGX")
)

// amountMax keeps what Stripe says within the digits that amounts have here.
const amountMax = 999_999_999_999_999

var (
	errCurrency = errors.New("the currency is not one that can be paid with Stripe")
	errFraction = errors.New("the amount is finer than Stripe can express in its currency")
	errNothing  = errors.New("there is nothing to pay")
)

// digits returns the number of decimals that Stripe gives a currency.
func digits(c payment.Currency) (int, error) {
	code := c.String()
	switch {
	case slices.Contains(zeroDecimal, code):
		return 0, nil
	case slices.Contains(threeDecimal, code):
		return 3, nil
	case slices.Contains(wholeOnly, code), c.Digits() == 2:
		return 2, nil
	}
	return 0, errCurrency
}

// toStripe returns an amount in Stripe's minor units, exactly or not at all.
func toStripe(m payment.Money) (int64, error) {
	theirs, err := digits(m.Currency())
	if err != nil {
		return 0, err
	}
	minor := m.Minor()
	if minor <= 0 {
		return 0, errNothing
	}
	if theirs == 3 && minor%10 != 0 {
		return 0, errFraction // card networks know two decimals only
	}
	for ours := m.Currency().Digits(); ours != theirs; {
		if ours < theirs {
			minor, ours = minor*10, ours+1
			continue
		}
		if minor%10 != 0 {
			return 0, errFraction
		}
		minor, ours = minor/10, ours-1
	}
	return minor, nil
}

// fromStripe returns the amount that Stripe's minor units are.
func fromStripe(minor *int64, currency string) (payment.Money, error) {
	c, err := payment.ParseCurrency(strings.ToUpper(currency))
	if err != nil || minor == nil || *minor < 0 || *minor > amountMax {
		return payment.Money{}, errUnreadable
	}
	theirs, err := digits(c)
	if err != nil {
		return payment.Money{}, errUnreadable
	}
	amount := *minor
	for ours := c.Digits(); ours != theirs; {
		if ours > theirs {
			amount, theirs = amount*10, theirs+1
			continue
		}
		if amount%10 != 0 {
			return payment.Money{}, errUnreadable
		}
		amount, theirs = amount/10, theirs-1
	}
	if amount > amountMax {
		return payment.Money{}, errUnreadable
	}
	return payment.FromMinor(amount, c), nil
}
