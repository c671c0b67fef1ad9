package main

import (
	"context"
	"time"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// watched reads orders for the API. Where nobody knows what became of the money of
// one, whoever reads it has the PSP asked, for the next time, and waits for nothing.
type watched struct {
	*store.Store
	moments *moments.Service
	now     func() time.Time
}

func (w watched) ReadOrder(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error) {
	o, err := w.Store.ReadOrder(ctx, store, id)
	if err == nil && o.Lost(w.now()) {
		w.look(ctx, store, id)
	}
	return o, err
}

func (w watched) ReadStatus(ctx context.Context, store string, id payment.OrderID) (payment.Standing, error) {
	standing, err := w.Store.ReadStatus(ctx, store, id)
	if err == nil && standing.Undecided() {
		w.look(ctx, store, id)
	}
	return standing, err
}

func (w watched) look(ctx context.Context, store string, id payment.OrderID) {
	if look := w.moments.LookedAt(store, id); look != nil {
		go look(context.WithoutCancel(ctx))
	}
}
