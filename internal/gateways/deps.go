package gateways

import (
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/payment"
)

// Deps is what a gateway gets from outside when it is opened for an account.
type Deps struct {
	// Account is our name of the account, as in settings and in payments.
	Account string
	// Mode tells whether the account moves real money.
	Mode payment.Mode
	Now  func() time.Time
	Log  zerolog.Logger
	// Transport returns what carries the requests of a gateway's account. Nil, as
	// function or result, means NewTransport; tests, dev and bench hand in one
	// that stays in the process.
	Transport func(gateway, account string) http.RoundTripper
}

// roundTripper returns what carries the requests of the gateway.
func (d Deps) roundTripper(gateway string) http.RoundTripper {
	if d.Transport != nil {
		if rt := d.Transport(gateway, d.Account); rt != nil {
			return rt
		}
	}
	return NewTransport()
}
