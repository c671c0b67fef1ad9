package payment

import (
	"encoding/json"
	"net/netip"
	"time"
)

// PayRequest asks a gateway to begin a payment.
type PayRequest struct {
	// Reference is our reference of the transaction, and the idempotency key.
	Reference string
	// Capture tells whether the money is taken at once or only authorized.
	Capture bool
	Amount  Money
	// Method is the gateway's own word for the method, e.g. "card".
	Method string
	// Order is what is paid for. It must not be changed.
	Order *Order
	// Data is what the shopper entered: a token, a scenario. Never stored.
	Data json.RawMessage
	// Shopper is the address of the shopper's browser; the zero value where a server
	// of the shop asks.
	Shopper netip.Addr
	// SuccessURL and FailureURL bring the shopper back to us; NotifyURL is where
	// the PSP's notifications go.
	SuccessURL string
	FailureURL string
	NotifyURL  string
}

// Type is the type of the transaction that the request begins.
func (r PayRequest) Type() Type {
	if r.Capture {
		return AuthorizeAndCapture
	}
	return Authorize
}

// Inquiry asks a gateway what became of a transaction.
type Inquiry struct {
	Reference        string
	GatewayReference string
	Type             Type
	Amount           Money
	// Initial is the transaction that began the payment: what is asked about itself,
	// or what it acted upon. CreatedAt is when the asked one was announced.
	Initial   Transaction
	CreatedAt time.Time
}

// DataSummary is what may be shown of what the shopper entered.
type DataSummary struct {
	Brand  string
	Masked string
}
