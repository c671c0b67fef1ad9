package store

import (
	"context"
	"fmt"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// CheckoutState keeps what a storefront needs while the shopper chooses, in the
// way of attributes. It is gone once the order is placed.
type CheckoutState struct{ store *Store }

// CheckoutState returns what is kept for checkouts.
func (s *Store) CheckoutState() CheckoutState { return CheckoutState{store: s} }

// Attribute reads a value of a store's order.
func (c CheckoutState) Attribute(ctx context.Context, store string, id payment.OrderID, key string) (payment.Attribute, error) {
	return c.store.value(ctx, checkoutShelf, store, id, key)
}

// PutAttribute is Store.PutAttribute for checkouts; of a placed order it is refused
// with order_placed.
func (c CheckoutState) PutAttribute(
	ctx context.Context, store string, id payment.OrderID, key string, value []byte, expect *int64, at time.Time,
) (payment.Attribute, error) {
	return c.store.putValue(ctx, checkoutShelf, store, id, key, value, expect, at)
}

// DeleteAttribute is Store.DeleteAttribute for checkouts.
func (c CheckoutState) DeleteAttribute(ctx context.Context, store string, id payment.OrderID, key string, expect *int64) error {
	return c.store.deleteValue(ctx, checkoutShelf, store, id, key, expect)
}

// ReapCheckoutState deletes up to limit values of orders that are placed or
// cancelled, and returns how many.
func (s *Store) ReapCheckoutState(ctx context.Context, limit int) (int, error) {
	n, err := s.put(ctx, `with over as materialized (
			select c.order_id, c.key from checkout_state c join orders o on o.id = c.order_id
			where o.placed_at is not null or o.status = 'cancelled' limit $1 for update of c skip locked)
		delete from checkout_state c using over where c.order_id = over.order_id and c.key = over.key`, bounded(limit))
	if err != nil {
		return 0, fmt.Errorf("reap checkout state: %w", err)
	}
	return n, nil
}
