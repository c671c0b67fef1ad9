package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// PutBasket keeps a basket of a store in place of the one of this id, also of a
// deleted one. The body must be JSON.
func (s *Store) PutBasket(ctx context.Context, store, id string, body []byte, at time.Time) error {
	_, err := s.put(ctx, `insert into baskets (store, id, body, updated_at) values ($1, $2, $3, $4)
		on conflict (store, id) do update set body = excluded.body, updated_at = excluded.updated_at, deleted_at = null`,
		store, id, body, at)
	if err != nil {
		return fmt.Errorf("put basket: %w", err)
	}
	return nil
}

// Basket reads a basket of a store that is not deleted.
func (s *Store) Basket(ctx context.Context, store, id string) (payment.Basket, error) {
	found, err := collect(ctx, s, func(row pgx.CollectableRow) (payment.Basket, error) {
		var b payment.Basket
		err := row.Scan(&b.ID, &b.Body, &b.UpdatedAt)
		b.UpdatedAt = b.UpdatedAt.UTC()
		return b, err
	}, "select id, body, updated_at from baskets where store = $1 and id = $2 and deleted_at is null", store, id)
	if err == nil && len(found) == 0 {
		err = errNoBasket
	}
	if err != nil {
		return payment.Basket{}, fmt.Errorf("read basket: %w", err)
	}
	return found[0], nil
}

var errNoBasket = payment.NotFound("a basket of this id")

const deleteBasket = `update baskets set deleted_at = $3, updated_at = $3
	where store = $1 and id = $2 and deleted_at is null`

// DeleteBasket deletes a basket of a store.
func (s *Store) DeleteBasket(ctx context.Context, store, id string, at time.Time) error {
	n, err := s.put(ctx, deleteBasket, store, id, at)
	if err == nil && n == 0 {
		err = errNoBasket
	}
	if err != nil {
		return fmt.Errorf("delete basket: %w", err)
	}
	return nil
}
