package gateways

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// Operation is Capture, Refund, Void or Increase of a gateway.
type Operation func(ctx context.Context, r payment.OperationRequest) []payment.Fact

// OperationOf returns what a gateway has for operations of a type, nil for nothing.
func OperationOf(g Gateway, typ payment.Type) Operation {
	switch typ {
	case payment.Capture:
		if c, ok := g.(Capturer); ok {
			return c.Capture
		}
	case payment.Refund:
		if r, ok := g.(Refunder); ok {
			return r.Refund
		}
	case payment.Void:
		if v, ok := g.(Voider); ok {
			return v.Void
		}
	case payment.Authorize:
		if i, ok := g.(Increaser); ok {
			return i.Increase
		}
	case payment.AuthorizeAndCapture, payment.Credit, payment.Chargeback:
	}
	return nil
}
