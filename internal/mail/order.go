package mail

import (
	"cmp"
	netmail "net/mail"
	"slices"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// Confirmation is what the templates of an order's confirmation can show. Every
// text is one line. An amount is written out, with its currency, and "" where
// there is none.
type Confirmation struct {
	Words    Words
	Locale   string // as the store sent it
	Store    string // the store's title, or ""
	Number   string
	Customer string // the name, or ""
	Lines    []ConfirmationLine

	Subtotal    string // of the lines, where more makes up the total
	Shipping    string
	Discount    string // with its minus
	Tax         string // where it comes on top
	Fee         string
	Total       string // with the fee
	TaxIncluded string // where it is in the total

	// Instructions are what the shopper has to do to pay: blocks of lines.
	Instructions [][]string
	// Addresses are blocks of lines too. SameAddress tells that both are the same.
	BillingAddress  []string
	ShippingAddress []string
	SameAddress     bool
}

// ConfirmationLine is a line of the order.
type ConfirmationLine struct {
	SKU       string
	Name      string // the SKU, where it has no name
	Quantity  int64
	UnitPrice string
	Total     string
}

// Order writes the confirmation of an order, in the order's language. from is
// the sender, who is called as the store where it is a bare address; key is the
// key of the effect. The mail of one order and key is the same every time,
// except for its date and for what became of the order in between.
func (t *Templates) Order(o *payment.Order, storeTitle, from, key string, at time.Time) (Message, error) {
	set := t.pick(o.Locale)
	subject, text, html, err := set.render(confirmation(o, storeTitle, set.words))
	if err != nil {
		return Message{}, err
	}
	return Message{
		ID: o.ID.String() + "-" + key, From: sender(from, storeTitle),
		To: o.Customer.Email, ToName: line(o.Customer.Name),
		Subject: subject, Text: text, HTML: html, At: at,
	}, nil
}

// sender gives a bare address the store's name.
func sender(from, storeTitle string) string {
	a, err := netmail.ParseAddress(from)
	if err != nil || a.Name != "" || storeTitle == "" {
		return from
	}
	a.Name = name(storeTitle)
	return a.String()
}

// confirmation writes out what the templates show.
func confirmation(o *payment.Order, storeTitle string, words Words) Confirmation {
	show := func(m payment.Money) string {
		if m.IsZero() {
			return ""
		}
		return amount(m, words.Language)
	}
	c := Confirmation{
		Words: words, Locale: line(o.Locale), Store: line(storeTitle), Number: line(o.Number), Customer: line(o.Customer.Name),
		Shipping: show(o.Shipping), Discount: show(o.Discount),
		BillingAddress: address(o.BillingAddress), ShippingAddress: address(o.ShippingAddress),
	}
	if c.Discount != "" {
		c.Discount = minus + c.Discount
	}
	subtotal, fee := payment.Zero(o.Currency), o.Fees()
	for _, l := range o.Lines {
		subtotal = subtotal.Add(l.Total)
		c.Lines = append(c.Lines, ConfirmationLine{
			SKU: line(l.SKU), Name: line(cmp.Or(l.Name, l.SKU)), Quantity: l.Quantity,
			UnitPrice: amount(l.UnitPrice, words.Language), Total: amount(l.Total, words.Language),
		})
	}
	for _, p := range o.Payments {
		if !p.Alive() {
			continue
		}
		if p.NextAction != nil && p.NextAction.Kind == "instructions" {
			c.Instructions = append(c.Instructions, block(p.NextAction.Content))
		}
	}
	total := o.Total.Add(fee)
	if !fee.IsZero() && !fee.IsPositive() {
		c.Words.Fee = words.FeeDiscount
	}
	c.Fee, c.Total = show(fee), amount(total, words.Language)
	if o.TaxIncluded {
		c.TaxIncluded = show(o.Tax)
	} else {
		c.Tax = show(o.Tax)
	}
	if !subtotal.Equal(total) {
		c.Subtotal = amount(subtotal, words.Language)
	}
	c.SameAddress = len(c.BillingAddress) > 0 && slices.Equal(c.BillingAddress, c.ShippingAddress)
	return c
}

// address writes an address as on an envelope, without its empty lines.
func address(a payment.Address) []string {
	town := strings.TrimSpace(a.PostalCode + " " + a.City)
	lines := []string{a.Name, a.Company, a.Line1, a.Line2, town, a.Region, a.Country}
	for i := range lines {
		lines[i] = line(lines[i])
	}
	return slices.DeleteFunc(lines, func(s string) bool { return s == "" })
}

// block splits a text into lines.
func block(text string) []string {
	lines := strings.Split(strings.TrimSpace(strings.ReplaceAll(text, "\r\n", "\n")), "\n")
	for i := range lines {
		lines[i] = line(lines[i])
	}
	return lines
}
