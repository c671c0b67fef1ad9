package api

import (
	"fmt"
	"time"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// OrderBody is an order as a store sends it.
type OrderBody struct {
	Number          string             `json:"number" minLength:"1" maxLength:"64" doc:"The store's own number of the order, unique in the store."`
	Currency        string             `json:"currency" minLength:"3" maxLength:"3" example:"EUR"`
	Total           httpkit.Amount     `json:"total" example:"129.95"`
	Lines           []lineBody         `json:"lines,omitempty" maxItems:"500"`
	Shipping        httpkit.Amount     `json:"shipping,omitempty"`
	Discount        httpkit.Amount     `json:"discount,omitempty"`
	Tax             httpkit.Amount     `json:"tax,omitempty"`
	TaxIncluded     bool               `json:"tax_included,omitempty" doc:"Whether lines and shipping contain the tax."`
	Customer        customerBody       `json:"customer,omitempty"`
	BillingAddress  addressBody        `json:"billing_address,omitempty"`
	ShippingAddress addressBody        `json:"shipping_address,omitempty"`
	BasketID        string             `json:"basket_id,omitempty" maxLength:"64"`
	PromotionCodes  []string           `json:"promotion_codes,omitempty" maxItems:"20" doc:"Each at most 64 characters."`
	Locale          string             `json:"locale,omitempty" maxLength:"35" example:"nl"`
	ReturnURLs      returnURLsBody     `json:"return_urls,omitempty"`
	ExpiresAt       *httpkit.Timestamp `json:"expires_at,omitempty" nullable:"true" doc:"Until when the order can be paid; null for ever."`
	Metadata        map[string]string  `json:"metadata,omitempty" doc:"At most 50 entries."`
}

type lineBody struct {
	SKU       string         `json:"sku,omitempty" maxLength:"100"`
	Name      string         `json:"name,omitempty" maxLength:"250"`
	Quantity  int64          `json:"quantity" minimum:"1" maximum:"1000000"`
	UnitPrice httpkit.Amount `json:"unit_price"`
	Total     httpkit.Amount `json:"total"`
}

type lineView struct {
	SKU       string `json:"sku,omitempty"`
	Name      string `json:"name,omitempty"`
	Quantity  int64  `json:"quantity"`
	UnitPrice string `json:"unit_price"`
	Total     string `json:"total"`
}

type customerBody struct {
	ID    string `json:"id,omitempty" maxLength:"100"`
	Email string `json:"email,omitempty" maxLength:"254" format:"email"`
	Name  string `json:"name,omitempty" maxLength:"200"`
	IP    string `json:"ip,omitempty" maxLength:"45"`
	Phone string `json:"phone,omitempty" maxLength:"40"`
}

type addressBody struct {
	Name       string `json:"name,omitempty" maxLength:"200"`
	Company    string `json:"company,omitempty" maxLength:"200"`
	Line1      string `json:"line1,omitempty" maxLength:"200"`
	Line2      string `json:"line2,omitempty" maxLength:"200"`
	City       string `json:"city,omitempty" maxLength:"100"`
	Region     string `json:"region,omitempty" maxLength:"100"`
	PostalCode string `json:"postal_code,omitempty" maxLength:"20"`
	Country    string `json:"country,omitempty" maxLength:"2" pattern:"^([A-Z]{2})?$" doc:"ISO 3166-1 alpha-2."`
	Phone      string `json:"phone,omitempty" maxLength:"40"`
}

type returnURLsBody struct {
	Success string `json:"success,omitempty" maxLength:"2000"`
	Failure string `json:"failure,omitempty" maxLength:"2000"`
}

// details reads the body into the words of the domain. All that is wrong is
// reported at once.
func (b *OrderBody) details(mayReturnTo func(url string) bool, now time.Time) (payment.Details, error) {
	currency, err := payment.ParseCurrency(b.Currency)
	if err != nil {
		return payment.Details{}, payment.Invalid("currency", "currency_unknown", "must be an ISO 4217 currency code in capital letters")
	}
	in := reader{currency: currency}
	d := payment.Details{
		Number: b.Number, Currency: currency, Total: in.amount("total", b.Total),
		Shipping: in.optional("shipping", b.Shipping), Discount: in.optional("discount", b.Discount),
		Tax: in.optional("tax", b.Tax), TaxIncluded: b.TaxIncluded, Customer: payment.Customer(b.Customer),
		BillingAddress: payment.Address(b.BillingAddress), ShippingAddress: payment.Address(b.ShippingAddress),
		BasketID: b.BasketID, PromotionCodes: b.PromotionCodes, Locale: b.Locale,
		ReturnURLs: payment.ReturnURLs(b.ReturnURLs), Metadata: b.Metadata, Lines: make([]payment.Line, len(b.Lines)),
	}
	for i, l := range b.Lines {
		d.Lines[i] = payment.Line{
			SKU: l.SKU, Name: l.Name, Quantity: l.Quantity,
			UnitPrice: in.amount(fmt.Sprintf("lines[%d].unit_price", i), l.UnitPrice),
			Total:     in.amount(fmt.Sprintf("lines[%d].total", i), l.Total),
		}
	}
	if b.ExpiresAt != nil {
		d.ExpiresAt = b.ExpiresAt.Time()
		in.check(d.ExpiresAt.After(now), "expires_at", "expires_at_past", "must be in the future")
	}
	in.limits(b)
	in.check(b.ReturnURLs.Success == "" || mayReturnTo(b.ReturnURLs.Success), "return_urls.success",
		"return_url_not_allowed", "must have an origin that the store registered")
	in.check(b.ReturnURLs.Failure == "" || mayReturnTo(b.ReturnURLs.Failure), "return_urls.failure",
		"return_url_not_allowed", "must have an origin that the store registered")
	if len(in.fields) == 0 {
		in.check(d.AddsUp(), "total", "total_mismatch", "must equal lines + shipping - discount (+ tax unless included)")
	}
	return d, in.err()
}

// reader reads fields and collects what is wrong with them.
type reader struct {
	currency payment.Currency
	fields   []payment.FieldError
}

func (r *reader) amount(field string, a httpkit.Amount) payment.Money {
	m, err := payment.ParseMoney(string(a), r.currency)
	if err != nil {
		message := "must be a decimal amount"
		if e, ok := err.(*payment.Error); ok { //nolint:errorlint // ParseMoney returns nothing else, unwrapped
			message = e.Message
		}
		r.fields = append(r.fields, payment.FieldError{Field: field, Code: "amount_invalid", Message: message})
		return payment.Zero(r.currency)
	}
	return m
}

func (r *reader) optional(field string, a httpkit.Amount) payment.Money {
	if a == "" {
		return payment.Zero(r.currency)
	}
	return r.amount(field, a)
}

func (r *reader) check(ok bool, field, code, message string) {
	if !ok {
		r.fields = append(r.fields, payment.FieldError{Field: field, Code: code, Message: message})
	}
}

func (r *reader) limits(b *OrderBody) {
	for i, code := range b.PromotionCodes {
		r.check(code != "" && len(code) <= 64, fmt.Sprintf("promotion_codes[%d]", i), "length", "must have 1 to 64 characters")
	}
	r.check(len(b.Metadata) <= 50, "metadata", "length", "must have at most 50 entries")
	for key, value := range b.Metadata {
		r.check(len(key) <= 64 && len(value) <= 500, "metadata", "length", "must have keys of at most 64 and values of at most 500 characters")
	}
}

func (r *reader) err() error {
	if len(r.fields) == 0 {
		return nil
	}
	return &payment.Error{
		Kind: payment.KindInvalid, Code: r.fields[0].Code, Message: "the order has a field that is wrong: see errors",
		Fields: r.fields,
	}
}

func stamp(t time.Time) *httpkit.Timestamp {
	if t.IsZero() {
		return nil
	}
	at := httpkit.NewTimestamp(t)
	return &at
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}
