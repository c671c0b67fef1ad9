package simulation

import (
	"context"
	"net/http"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// purse is an instance's way to the gift cards, which it asks as it asks a PSP: what
// goes wrong there goes wrong beside what does in the database.
type purse struct{ i *instance }

// pathTake is where money is taken from a gift card, as though it were a PSP.
const pathTake = "/gift-cards"

// TakeFromGiftCard implements gateways.GiftCards.
func (p purse) TakeFromGiftCard(ctx context.Context, t payment.GiftCardTaking) (payment.GiftCardEntry, error) {
	return p.move(ctx, request{method: http.MethodPost, path: pathTake, reference: t.Reference},
		func(ctx context.Context) (payment.GiftCardEntry, error) { return p.i.store.TakeFromGiftCard(ctx, t) })
}

// ReturnToGiftCard implements gateways.GiftCards.
func (p purse) ReturnToGiftCard(ctx context.Context, r payment.GiftCardReturning) (payment.GiftCardEntry, error) {
	return p.move(ctx, request{method: http.MethodPost, path: pathTake + "/" + r.TakenReference + "/returns", reference: r.Reference},
		func(ctx context.Context) (payment.GiftCardEntry, error) { return p.i.store.ReturnToGiftCard(ctx, r) })
}

// GiftCardEntry implements gateways.GiftCards.
func (p purse) GiftCardEntry(ctx context.Context, kind payment.GiftCardKind, reference string) (payment.GiftCardEntry, error) {
	return p.i.store.GiftCardEntry(ctx, kind, reference)
}

// move is the gate in front of a card's ledger.
func (p purse) move(
	ctx context.Context, r request, do func(ctx context.Context) (payment.GiftCardEntry, error),
) (payment.GiftCardEntry, error) {
	h := p.i.h
	f := h.sched.pass(&gate{
		who: whoIn(ctx), what: "card > " + r.String(), at: p.i, faults: []fault{refused, zombie, lostAnswer, stalled},
	}, ctx.Done())
	switch f {
	case refused:
		return payment.GiftCardEntry{}, payment.Errorf(payment.KindUnavailable, "busy", "no connection is free")
	case died:
		return payment.GiftCardEntry{}, errDead
	case stalled:
		time.Sleep(h.stall())
	default:
	}
	h.left(ctx, r)
	if f == zombie {
		h.moveLater(ctx, p.i, r, do)
		return payment.GiftCardEntry{}, gone(ctx)
	}
	entry, err := do(ctx)
	if f == lostAnswer {
		return payment.GiftCardEntry{}, gone(ctx)
	}
	return entry, err
}

// moveLater carries out what was asked of a card once we have given it up, but
// while it may still happen: a statement that hangs on its way to the server.
func (h *history) moveLater(
	ctx context.Context, at *instance, r request, do func(ctx context.Context) (payment.GiftCardEntry, error),
) {
	after := pspTimeout + time.Duration(h.sched.rng.Int64N(int64(10*time.Second)))
	h.spawn("zombie "+r.reference, func(late context.Context) {
		time.Sleep(after)
		if h.sched.pass(&gate{who: whoIn(late), what: "card > " + r.String() + " lands", at: at}, nil) == died {
			return
		}
		late, cancel := context.WithTimeout(as(context.WithoutCancel(ctx), whoIn(late)), 5*time.Second)
		defer cancel()
		_, _ = do(late) // nobody waits for what comes back
	})
}
