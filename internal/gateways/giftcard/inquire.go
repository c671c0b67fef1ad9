package giftcard

import (
	"context"
	"errors"
	"fmt"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

var errNeverSent = errors.New("gift cards are taken from and given back to, nothing else")

// Inquire implements gateways.Inquirer. The ledger knows every reference under
// which money was moved, of payments and of refunds. One that was declined is not
// in it: nothing was moved, and nothing will be.
func (g *Gateway) Inquire(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error) {
	kind := payment.GiftCardReturn
	switch {
	case q.Type.Initial():
		kind = payment.GiftCardTaken
	case q.Type != payment.Refund:
		return nil, fmt.Errorf("inquire %s: %w", q.Reference, errNeverSent)
	}
	cards, err := g.cards()
	if err != nil {
		return nil, fmt.Errorf("inquire %s: %w", q.Reference, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	entry, err := cards.GiftCardEntry(ctx, kind, q.Reference)
	if payment.KindOf(err) == payment.KindNotFound {
		err = gateways.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("inquire %s: %w", q.Reference, err)
	}
	return []payment.Fact{g.moved(entry, payment.SourceInquiry)}, nil
}
