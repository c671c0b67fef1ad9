package mail

import "github.com/paysvc/paysvc/internal/payment"

// samples are orders to try templates on: one with everything, and one with no
// more than an order must have.
func samples() []*payment.Order {
	euro, err := payment.ParseCurrency("EUR")
	if err != nil {
		return nil // it is a currency; a test holds that there are samples
	}
	cents := func(n int64) payment.Money { return payment.FromMinor(n, euro) }
	home := payment.Address{
		Name: "Anna Beispiel", Company: "Beispiel & Co", Line1: "Hauptstraße 1", Line2: "2. Stock",
		City: "Wien", Region: "Wien", PostalCode: "1010", Country: "AT",
	}
	full := &payment.Order{ID: payment.OrderID{15: 1}, Store: "Sample shop"}
	full.Details = payment.Details{
		Number: "10001", Currency: euro, Total: cents(12495),
		Lines: []payment.Line{
			{SKU: "LAMP-1", Name: "Lamp \"Nordlicht\" <oak>", Quantity: 2, UnitPrice: cents(6000), Total: cents(12000)},
			{SKU: "BULB-9", Quantity: 1, UnitPrice: cents(0), Total: cents(0)},
		},
		Shipping: cents(995), Discount: cents(500), Tax: cents(2075), TaxIncluded: true,
		Customer:       payment.Customer{Email: "anna@example.org", Name: "Anna Beispiel"},
		BillingAddress: home, ShippingAddress: home, Locale: "de-AT",
	}
	full.ShippingAddress.Name = "Max Muster"
	full.Payments = []*payment.Payment{{
		Amount: full.Total, Fee: cents(150), Status: payment.StatusPending,
		NextAction: &payment.NextAction{
			Type: "display", Kind: "instructions",
			Content: "Please transfer 126.45 EUR within 14 days.\n\nIBAN: NL00 BANK 0123 4567 89\nReference: 10001",
		},
	}}
	bare := &payment.Order{ID: payment.OrderID{15: 2}}
	bare.Details = payment.Details{
		Number: "10002", Currency: euro, Total: cents(500), Shipping: cents(0), Discount: cents(0), Tax: cents(0),
		Lines:    []payment.Line{{SKU: "A", Quantity: 1, UnitPrice: cents(500), Total: cents(500)}},
		Customer: payment.Customer{Email: "b@example.org"},
	}
	return []*payment.Order{full, bare}
}
