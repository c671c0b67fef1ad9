package stripe

import (
	"maps"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
)

// Events lists the events that mean something.
func Events() []string { return slices.Sorted(maps.Keys(meanings)) }

// ToStripe and FromStripe are the conversions of amounts.
func ToStripe(m payment.Money) (int64, error) { return toStripe(m) }

// FromStripe is the way back.
func FromStripe(minor int64, currency string) (payment.Money, error) {
	return fromStripe(&minor, currency)
}
