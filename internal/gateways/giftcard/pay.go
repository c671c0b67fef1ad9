package giftcard

import (
	"context"
	"errors"
	"net/netip"

	"github.com/paysvc/paysvc/internal/payment"
)

// wrongCodesMax is how many codes that are none an order may try: nobody mistypes
// so often what has a check character.
const wrongCodesMax = 10

// Pay implements gateways.Payer: it takes the amount at once.
func (g *Gateway) Pay(ctx context.Context, r payment.PayRequest) payment.Fact {
	code, err := codeOf(r.Data)
	if err != nil { // checked before; whoever did not is told now
		return refused(r.Reference, payment.NotSent, payment.Reason{Code: "data_invalid", Message: "The payment data is not valid."})
	}
	if wrongCodes(r.Order) >= wrongCodesMax {
		return refused(r.Reference, payment.Declined, payment.Reason{
			Code: "too_many_attempts", Message: "Too many gift cards were tried for this order.", Decline: "hard",
		})
	}
	cards, err := g.cards()
	if err != nil {
		return g.failed(r.Reference, err)
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	entry, err := cards.TakeFromGiftCard(ctx, payment.GiftCardTaking{
		Store: r.Order.Store, Code: code, Amount: r.Amount, Reference: r.Reference, Order: r.Order.ID,
		Shopper: shopperOf(r), At: g.deps.Now(),
	})
	if err != nil {
		return g.failed(r.Reference, err)
	}
	return g.moved(entry, payment.SourceAnswer)
}

// shopperOf is the address of who typed the code: as it is seen, or else as the shop
// has said.
func shopperOf(r payment.PayRequest) netip.Addr {
	if r.Shopper.IsValid() {
		return r.Shopper
	}
	said, err := netip.ParseAddr(r.Order.Customer.IP)
	if err != nil {
		return netip.Addr{} // many shops say none
	}
	return said
}

// wrongCodes counts the codes of no card that were tried for an order.
func wrongCodes(o *payment.Order) int {
	n := 0
	for _, p := range o.Payments {
		if t := p.Initial(); t != nil && p.Gateway == Name && t.Reason.Code == payment.ErrGiftCardInvalid.Code {
			n++
		}
	}
	return n
}

// moved is the fact of an entry of the ledger.
func (g *Gateway) moved(e payment.GiftCardEntry, source payment.Source) payment.Fact {
	f := payment.Fact{
		Source: source, Reference: e.Reference, Type: payment.Refund, State: payment.Approved, GatewayReference: e.Name(),
		Account: g.deps.Account, Mode: g.deps.Mode, At: e.At,
	}
	amount := e.Amount
	if e.Kind == payment.GiftCardTaken {
		amount = payment.Zero(amount.Currency()).Sub(amount)
		f.Type = payment.AuthorizeAndCapture
		f.Details = map[string]string{"gift_card": payment.MaskedGiftCard(e.Last4)}
	}
	f.Amount = &amount
	return f
}

// failed is the fact of a call of which an error is all that came back.
func (g *Gateway) failed(reference string, err error) payment.Fact {
	e, classified := errors.AsType[*payment.Error](err)
	switch {
	case classified && e.Kind == payment.KindConflict:
		return refused(reference, payment.Declined, e.Why)
	case classified && e.Kind == payment.KindUnavailable:
		g.deps.Log.Warn().Err(err).Str("reference", reference).Msg("gift cards are not available; nothing was moved")
		return refused(reference, payment.NotSent, payment.Reason{
			Code: "gift_cards_unavailable", Message: "Gift cards are not available at the moment.",
		})
	}
	g.deps.Log.Warn().Err(err).Str("reference", reference).Msg("whether a gift card was moved is not known")
	return refused(reference, payment.Unknown, payment.Reason{
		Code: "outcome_unknown", Message: "Whether the gift card was used is not known yet.",
	})
}

func refused(reference string, state payment.State, why payment.Reason) payment.Fact {
	return payment.Fact{Source: payment.SourceAnswer, Reference: reference, State: state, Reason: why}
}
