package offline

import (
	"errors"
	"regexp"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
)

// ModeOnOrder is what an order is worth before its money came.
type ModeOnOrder string

// The modes.
const (
	// Pending waits for an operator to mark the payment paid.
	Pending ModeOnOrder = "pending"
	// Authorized trusts the customer: the goods go out, the money is still to come.
	Authorized ModeOnOrder = "authorized"
	// Paid books the money at once.
	Paid ModeOnOrder = "paid"
)

// Unique is within what a purchase order number may be used once.
type Unique string

// The scopes of purchase order numbers.
const (
	// UniqueInStore lets one order of the store use a number.
	UniqueInStore Unique = "store"
	// UniquePerCustomer lets one order of each customer use it. What a shopper
	// without a customer id uses is unique among those.
	UniquePerCustomer Unique = "customer"
	// UniqueNowhere lets any order use it.
	UniqueNowhere Unique = "none"
)

// Config is the gateway's part of the settings. A method that is left out has
// its defaults.
type Config struct {
	Invoice             Method       `yaml:"invoice"`
	Prepayment          Method       `yaml:"prepayment"`
	CashOnDelivery      Method       `yaml:"cash-on-delivery"`
	PayInStore          Method       `yaml:"pay-in-store"`
	DirectDebit         Method       `yaml:"direct-debit"`
	PurchaseOrderNumber NumberMethod `yaml:"purchase-order-number"`
	Manual              Method       `yaml:"manual"`
}

// Method is what can be set of each method.
type Method struct {
	ModeOnOrder ModeOnOrder `yaml:"mode_on_order"` // empty: pending
	Title       string      `yaml:"title"`         // empty: the method's own
	// Instructions tell the shopper how to pay; {number}, {total} and {currency}
	// stand for the order's number and what this payment is about. May be empty.
	Instructions string `yaml:"instructions"`
}

// NumberMethod is what can be set of purchase-order-number.
type NumberMethod struct {
	ModeOnOrder  ModeOnOrder `yaml:"mode_on_order"`
	Title        string      `yaml:"title"`
	Instructions string      `yaml:"instructions"`
	Unique       Unique      `yaml:"unique"` // empty: store
}

const instructionsMaxBytes = 4096

// placeholder is anything that looks like one, so that a typo is found at start.
var placeholder = regexp.MustCompile(`\{[^{}]*\}`)

// methods returns the settings of each method by its name, defaults filled in.
func (c Config) methods() map[string]Method {
	number := c.PurchaseOrderNumber
	methods := map[string]Method{
		invoice: c.Invoice, prepayment: c.Prepayment, cashOnDelivery: c.CashOnDelivery, payInStore: c.PayInStore,
		directDebit: c.DirectDebit, manual: c.Manual,
		purchaseOrderNumber: {ModeOnOrder: number.ModeOnOrder, Title: number.Title, Instructions: number.Instructions},
	}
	for name, m := range methods {
		if m.ModeOnOrder == "" {
			m.ModeOnOrder = Pending
		}
		if m.Title == "" {
			m.Title = titles[name]
		}
		methods[name] = m
	}
	return methods
}

// unique is within what purchase order numbers are used once.
func (c Config) unique() Unique {
	if c.PurchaseOrderNumber.Unique == "" {
		return UniqueInStore
	}
	return c.PurchaseOrderNumber.Unique
}

func (c Config) check() error {
	var wrong []error
	for name, m := range c.methods() {
		wrong = append(wrong, m.check(name)...)
	}
	if !slices.Contains([]Unique{UniqueInStore, UniquePerCustomer, UniqueNowhere}, c.unique()) {
		wrong = append(wrong, payment.Invalid(purchaseOrderNumber+".unique", "invalid", "must be store, customer or none"))
	}
	return errors.Join(wrong...)
}

func (m Method) check(name string) (wrong []error) {
	report := func(setting, what string) {
		wrong = append(wrong, payment.Invalid(name+"."+setting, "invalid", what))
	}
	switch m.ModeOnOrder {
	case Pending, Authorized, Paid:
	default:
		report("mode_on_order", "must be pending, authorized or paid")
	}
	if len(m.Instructions) > instructionsMaxBytes {
		report("instructions", "are too long")
	}
	for _, p := range placeholder.FindAllString(m.Instructions, -1) {
		if !slices.Contains([]string{"{number}", "{total}", "{currency}"}, p) {
			report("instructions", "know only the placeholders {number}, {total} and {currency}")
			break
		}
	}
	return wrong
}
