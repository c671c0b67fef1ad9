package store

import (
	"fmt"
	"time"

	"github.com/go-json-experiment/json"

	"github.com/paysvc/paysvc/internal/payment"
)

// detailsJSON is the frozen part of an order as order_details keeps it. Amounts
// are decimal strings in the order's currency.
type detailsJSON struct {
	Lines           []lineJSON         `json:"lines,omitempty"`
	Shipping        string             `json:"shipping"`
	Discount        string             `json:"discount"`
	Tax             string             `json:"tax"`
	TaxIncluded     bool               `json:"tax_included,omitzero"`
	Customer        payment.Customer   `json:"customer"`
	BillingAddress  payment.Address    `json:"billing_address,omitzero"`
	ShippingAddress payment.Address    `json:"shipping_address,omitzero"`
	BasketID        string             `json:"basket_id,omitempty"`
	PromotionCodes  []string           `json:"promotion_codes,omitempty"`
	Locale          string             `json:"locale,omitempty"`
	ReturnURLs      payment.ReturnURLs `json:"return_urls,omitzero"`
	Metadata        map[string]string  `json:"metadata,omitempty"`
}

type lineJSON struct {
	SKU       string `json:"sku,omitempty"`
	Name      string `json:"name,omitempty"`
	Quantity  int64  `json:"quantity"`
	UnitPrice string `json:"unit_price"`
	Total     string `json:"total"`
}

func encodeDetails(d *payment.Details) ([]byte, error) {
	body := detailsJSON{
		Shipping: d.Shipping.String(), Discount: d.Discount.String(), Tax: d.Tax.String(), TaxIncluded: d.TaxIncluded,
		Customer: d.Customer, BillingAddress: d.BillingAddress, ShippingAddress: d.ShippingAddress,
		BasketID: d.BasketID, PromotionCodes: d.PromotionCodes, Locale: d.Locale, ReturnURLs: d.ReturnURLs,
		Metadata: d.Metadata, Lines: make([]lineJSON, len(d.Lines)),
	}
	for i, l := range d.Lines {
		body.Lines[i] = lineJSON{
			SKU: l.SKU, Name: l.Name, Quantity: l.Quantity, UnitPrice: l.UnitPrice.String(), Total: l.Total.String(),
		}
	}
	return json.Marshal(body, json.Deterministic(true))
}

// decodeDetails fills in what order_details holds; Number, Currency, Total and
// ExpiresAt are columns of the order.
func decodeDetails(body []byte, d *payment.Details) error {
	var in detailsJSON
	if err := json.Unmarshal(body, &in); err != nil {
		return fmt.Errorf("order details: %w", err)
	}
	amounts := amountReader{currency: d.Currency}
	d.Shipping, d.Discount, d.Tax = amounts.read(in.Shipping), amounts.read(in.Discount), amounts.read(in.Tax)
	d.TaxIncluded, d.Customer = in.TaxIncluded, in.Customer
	d.BillingAddress, d.ShippingAddress = in.BillingAddress, in.ShippingAddress
	d.BasketID, d.PromotionCodes, d.Locale = in.BasketID, in.PromotionCodes, in.Locale
	d.ReturnURLs, d.Metadata = in.ReturnURLs, in.Metadata
	d.Lines = make([]payment.Line, len(in.Lines))
	for i, l := range in.Lines {
		d.Lines[i] = payment.Line{
			SKU: l.SKU, Name: l.Name, Quantity: l.Quantity,
			UnitPrice: amounts.read(l.UnitPrice), Total: amounts.read(l.Total),
		}
	}
	return amounts.err
}

// amountReader reads amounts of one currency and keeps the first error.
type amountReader struct {
	currency payment.Currency
	err      error
}

func (r *amountReader) read(amount string) payment.Money {
	m, err := payment.ParseMoney(amount, r.currency)
	if err != nil && r.err == nil {
		r.err = fmt.Errorf("stored amount: %w", err)
	}
	return m
}

// nullTime is a time as a column that may be null.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}

// timeOf is a column that may be null as a time.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}
