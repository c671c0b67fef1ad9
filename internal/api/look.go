package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// Looks has PSPs asked about an order of which it is not known how it stands,
// because somebody reads it. What it returns asks them, and is nil where nobody is to
// be asked now.
type Looks interface {
	LookedAt(store string, id payment.OrderID) (look func(ctx context.Context))
}

// readOrder reads an order that the caller may use. Where nobody knows what became of
// its money, the PSP is asked, for whoever reads it next: nobody waits for that, and
// nobody causes it who may not read the order.
func (a *API) readOrder(ctx context.Context, id payment.OrderID) (*payment.Order, error) {
	o, err := a.Orders.ReadOrder(ctx, storeOf(ctx), id)
	if err != nil {
		return nil, err
	}
	if err := callerOf(ctx).mayUse(o.ClientToken); err != nil {
		return nil, err
	}
	if o.Lost(a.Now()) {
		a.look(ctx, id)
	}
	return o, nil
}

// readStatus is readOrder for where an order stands.
func (a *API) readStatus(ctx context.Context, id payment.OrderID) (payment.Standing, error) {
	standing, err := a.Orders.ReadStatus(ctx, storeOf(ctx), id)
	if err != nil {
		return payment.Standing{}, err
	}
	if err := callerOf(ctx).mayUse(standing.ClientToken); err != nil {
		return payment.Standing{}, err
	}
	if standing.Undecided() {
		a.look(ctx, id)
	}
	return standing, nil
}

func (a *API) look(ctx context.Context, id payment.OrderID) {
	if a.Looks == nil {
		return
	}
	if look := a.Looks.LookedAt(storeOf(ctx), id); look != nil {
		go look(context.WithoutCancel(ctx))
	}
}
