package gateways

import (
	"context"
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
	// GiftCards returns where the gift cards are. It is asked at each call: gateways
	// are opened with the settings, and the database after them. Nil, as function or
	// result, means that there are none.
	GiftCards func() GiftCards
}

// GiftCards is where the gift cards of all stores are, with a ledger of each. Every
// method is a transaction of its own, and one reference moves money once: a repeat
// returns the entry of the first time. An error of kind conflict says why nothing
// was moved, in Why, for the shopper; of kind unavailable that nothing was; any
// other that it is not known.
type GiftCards interface {
	TakeFromGiftCard(ctx context.Context, t payment.GiftCardTaking) (payment.GiftCardEntry, error)
	ReturnToGiftCard(ctx context.Context, r payment.GiftCardReturning) (payment.GiftCardEntry, error)
	// GiftCardEntry finds what was moved under a reference. An error of kind not found
	// means that nothing was.
	GiftCardEntry(ctx context.Context, kind payment.GiftCardKind, reference string) (payment.GiftCardEntry, error)
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
