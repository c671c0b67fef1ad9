package payment

import (
	"net/url"
	"slices"
	"time"
)

// Order is the frozen snapshot of what is to be paid, and all that is known
// about paying it. The engine works on an Order that is locked in the database;
// what is changed here is written when the stretch ends.
type Order struct {
	ID    OrderID
	Store string
	// ContentHash is the fingerprint of what the store sent, so that the same
	// content under the same number is the same order.
	ContentHash []byte
	// ClientToken lets a browser pay this one order with a publishable key.
	ClientToken string
	// ReturnToken stands in the URLs that the PSP sends the shopper back to.
	ReturnToken string
	Details

	// Progress is what steps change; only save-order makes it last.
	Progress Progress
	// Saved is the Progress that is written.
	Saved Progress

	// NewNotification is set when a PSP told something new and nobody looked yet.
	NewNotification bool
	// Review is the kind of an open case that holds the order, or "".
	Review CaseKind

	Payments []*Payment
	Effects  map[string]*Effect
	// Attributes are the generic attributes by key; nil where the stretch was
	// opened without them.
	Attributes map[string]Attribute

	// Actor is who causes what is changed now, and Source how we know of it: for the
	// audit. "" is the service itself.
	Actor  string
	Source string

	// Numbers counts the children that the order gave a number to; Sequence its events.
	Numbers   int
	Sequence  int
	CreatedAt time.Time
	UpdatedAt time.Time

	// Staged is what this stretch adds: written with it, empty when loaded.
	Staged Staged
}

// Progress is the part of an order that steps decide about.
type Progress struct {
	Status OrderStatus
	// PlacedAt is when the order was first paid, authorized or accepted unpaid.
	PlacedAt time.Time
	// PaidAt is when the order was first fully paid.
	PaidAt       time.Time
	CancelledAt  time.Time
	CancelReason string
	// CoveredN is the number that the order had given out last when its payments came
	// to cover it; 0 before, and of an order that was cancelled instead. What was given
	// back under a number up to it was never the order's.
	CoveredN int
}

// Details is what the store said about the order. It is frozen once money is in
// play.
type Details struct {
	Number          string
	Currency        Currency
	Total           Money
	Lines           []Line
	Shipping        Money
	Discount        Money
	Tax             Money
	TaxIncluded     bool
	Customer        Customer
	BillingAddress  Address
	ShippingAddress Address
	BasketID        string
	PromotionCodes  []string
	Locale          string
	ReturnURLs      ReturnURLs
	ExpiresAt       time.Time // zero: never
	Metadata        map[string]string
}

// Line is one line of an order.
type Line struct {
	SKU       string
	Name      string
	Quantity  int64
	UnitPrice Money
	Total     Money
}

// Customer is who pays. It is personal data: never logged, never in an error.
type Customer struct {
	ID    string
	Email string
	Name  string
	IP    string
	Phone string
}

// Address is a postal address; Country is an ISO 3166 alpha-2 code.
type Address struct {
	Name       string
	Company    string
	Line1      string
	Line2      string
	City       string
	Region     string
	PostalCode string
	Country    string
	Phone      string
}

// ReturnURLs are where the shopper is sent after paying.
type ReturnURLs struct {
	Success string
	Failure string
}

// Save makes the present Progress the one that is written. It is the whole of
// the save-order step.
func (o *Order) Save() { o.Saved = o.Progress }

// MoveTo moves the order's status forward; a status that the order has passed,
// or has, is left alone, so steps may run any number of times.
func (o *Order) MoveTo(next OrderStatus) (moved bool) {
	if !o.Progress.Status.CanBecome(next) {
		return false
	}
	if o.Progress.Status == OrderPending && next != OrderCancelled {
		o.Progress.CoveredN = o.Numbers
	}
	o.Progress.Status = next
	return true
}

// NextNumber gives out the number of a new child of the order.
func (o *Order) NextNumber() int {
	o.Numbers++
	return o.Numbers
}

// Payment returns the payment of this number, or nil.
func (o *Order) Payment(n int) *Payment {
	for _, p := range o.Payments {
		if p.N == n {
			return p
		}
	}
	return nil
}

// LatestPayment returns the payment that was opened last, or nil. One of which
// nothing was ever sent counts only where there is no other.
func (o *Order) LatestPayment() *Payment {
	if len(o.Payments) == 0 {
		return nil
	}
	for _, p := range slices.Backward(o.Payments) {
		if !p.Abandoned() {
			return p
		}
	}
	return o.Payments[len(o.Payments)-1]
}

// TransactionByReference returns the transaction of our reference and its
// payment, or nils.
func (o *Order) TransactionByReference(reference string) (*Payment, *Transaction) {
	for _, p := range o.Payments {
		for _, t := range p.Transactions {
			if reference != "" && t.Reference == reference {
				return p, t
			}
		}
	}
	return nil, nil
}

// OpenTransactions returns the transactions that may still move money.
func (o *Order) OpenTransactions() []*Transaction {
	var open []*Transaction
	for _, p := range o.Payments {
		for _, t := range p.Transactions {
			if t.State.Open() {
				open = append(open, t)
			}
		}
	}
	return open
}

// IncomingTransactions returns the open transactions that may still bring money:
// refunds and voids under way bring none.
func (o *Order) IncomingTransactions() []*Transaction {
	return slices.DeleteFunc(o.OpenTransactions(), func(t *Transaction) bool {
		return !t.Type.Initial() && t.Type != Capture
	})
}

// Expired tells whether the time to pay the order has passed.
func (o *Order) Expired(at time.Time) bool {
	return !o.ExpiresAt.IsZero() && !at.Before(o.ExpiresAt)
}

// Payable tells whether a new attempt to pay may begin, money and attempts
// under way aside.
func (o *Order) Payable(at time.Time) bool {
	return o.Progress.Status == OrderPending && !o.Expired(at)
}

// SuccessURL is where the shopper goes after paying, with the order named in the
// query; "" when the store gave none.
func (o *Order) SuccessURL() string { return o.named(o.ReturnURLs.Success) }

// FailureURL is where the shopper goes after not paying.
func (o *Order) FailureURL() string { return o.named(o.ReturnURLs.Failure) }

func (o *Order) named(raw string) string {
	u, err := url.Parse(raw)
	if err != nil || raw == "" {
		return ""
	}
	query := u.Query()
	query.Set("order", o.Number)
	query.Set("order_id", o.ID.String())
	u.RawQuery = query.Encode()
	return u.String()
}

// ReturnSlug names the order in the URLs that the shopper comes back to. Nobody
// who was not given it can guess it.
func (o *Order) ReturnSlug() string { return encoding.EncodeToString(o.ID[:]) + o.ReturnToken }

// ParseReturnSlug splits a ReturnSlug into the order and the token that must be
// the order's.
func ParseReturnSlug(slug string) (OrderID, string, error) {
	if len(slug) <= idChars {
		return OrderID{}, "", errMalformedID
	}
	id, err := parseID("ord_"+slug[:idChars], "ord_")
	return OrderID(id), slug[idChars:], err
}
