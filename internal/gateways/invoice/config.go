package invoice

import (
	"errors"
	"regexp"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
)

// ModeOnOrder is what an order on invoice is worth before the money came.
type ModeOnOrder string

// The modes.
const (
	// Pending waits for an operator to mark the payment paid.
	Pending ModeOnOrder = "pending"
	// Authorized trusts the customer: the goods go out, the money is captured when it came.
	Authorized ModeOnOrder = "authorized"
	// Paid books the money at once.
	Paid ModeOnOrder = "paid"
)

// Config is the gateway's part of the settings.
type Config struct {
	// ModeOnOrder is pending, authorized or paid; empty is pending.
	ModeOnOrder ModeOnOrder `yaml:"mode_on_order"`
	Title       string      `yaml:"title"` // empty: Invoice
	// Instructions tell the shopper how to pay; {number}, {total} and {currency}
	// stand for the order's number and what this payment is about. May be empty.
	Instructions string `yaml:"instructions"`
}

const instructionsMaxBytes = 4096

// placeholder is anything that looks like one, so that a typo is found at start.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

func (c Config) withDefaults() Config {
	if c.ModeOnOrder == "" {
		c.ModeOnOrder = Pending
	}
	if c.Title == "" {
		c.Title = "Invoice"
	}
	return c
}

func (c Config) check() error {
	var wrong []error
	switch c.ModeOnOrder {
	case Pending, Authorized, Paid:
	default:
		wrong = append(wrong, payment.Invalid("mode_on_order", "invalid", "must be pending, authorized or paid"))
	}
	if len(c.Instructions) > instructionsMaxBytes {
		wrong = append(wrong, payment.Invalid("instructions", "invalid", "are too long"))
	}
	for _, p := range placeholder.FindAllString(c.Instructions, -1) {
		if !slices.Contains([]string{"{number}", "{total}", "{currency}"}, p) {
			wrong = append(wrong, payment.Invalid("instructions", "invalid",
				"know only the placeholders {number}, {total} and {currency}"))
			break
		}
	}
	return errors.Join(wrong...)
}
