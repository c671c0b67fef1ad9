package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// SetStock sets how many pieces a store has of up to 1000 articles. Articles
// that are new are tracked from now on.
func (s *Store) SetStock(ctx context.Context, store string, items []payment.StockItem, at time.Time) error {
	if err := checkItems(items, func(i payment.StockItem) string { return i.SKU }); err != nil {
		return err
	}
	// All who write several articles take them in this order, so that they never
	// wait for each other in a circle.
	items = slices.SortedFunc(slices.Values(items), func(a, b payment.StockItem) int { return cmp.Compare(a.SKU, b.SKU) })
	skus, quantities := make([]string, len(items)), make([]int64, len(items))
	for i, item := range items {
		if item.Quantity < 0 {
			return payment.Invalid("quantity", "quantity_invalid", "must not be negative")
		}
		skus[i], quantities[i] = item.SKU, item.Quantity
	}
	_, err := s.put(ctx, `insert into stock (store, sku, quantity, updated_at)
		select $1, sku, quantity, $4 from unnest($2::text[], $3::bigint[]) as new (sku, quantity)
		on conflict (store, sku) do update set quantity = excluded.quantity, updated_at = excluded.updated_at`,
		store, skus, quantities, at)
	if err != nil {
		return fmt.Errorf("set stock: %w", err)
	}
	return nil
}

// StockItem reads the stock of one article of a store.
func (s *Store) StockItem(ctx context.Context, store, sku string) (payment.StockItem, error) {
	found, err := collect(ctx, s, scanStock, "select sku, quantity, updated_at from stock where store = $1 and sku = $2",
		store, sku)
	if err == nil && len(found) == 0 {
		err = errNoArticle
	}
	if err != nil {
		return payment.StockItem{}, fmt.Errorf("read stock: %w", err)
	}
	return found[0], nil
}

var errNoArticle = payment.NotFound("the article")

// ListStock returns a page of a store's stock by article, and the cursor of the
// next page, "" for none.
func (s *Store) ListStock(ctx context.Context, store string, page payment.Page) ([]payment.StockItem, string, error) {
	after, err := parseTextCursor(page.After)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanStock, `select sku, quantity, updated_at from stock
		where store = $1 and sku > $2 order by sku limit $3`, store, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list stock: %w", err)
	}
	list, next := paged(found, limit, func(i payment.StockItem) string { return textCursor(i.SKU) })
	return list, next, nil
}

// DeleteStock ends the tracking of an article of a store: orders of it no longer
// look at the stock.
func (s *Store) DeleteStock(ctx context.Context, store, sku string) error {
	n, err := s.put(ctx, "delete from stock where store = $1 and sku = $2", store, sku)
	if err == nil && n == 0 {
		err = errNoArticle
	}
	if err != nil {
		return fmt.Errorf("delete stock: %w", err)
	}
	return nil
}

func scanStock(row pgx.CollectableRow) (payment.StockItem, error) {
	var i payment.StockItem
	err := row.Scan(&i.SKU, &i.Quantity, &i.UpdatedAt)
	i.UpdatedAt = i.UpdatedAt.UTC()
	return i, err
}

// checkItems refuses too many items for one call, and a key that comes twice or
// is empty.
func checkItems[T any](items []T, key func(T) string) error {
	if len(items) > batchMax {
		return payment.Invalid("data", "too_many_items", "at most 1000 items go in one call")
	}
	seen := make(map[string]bool, len(items))
	for _, item := range items {
		if k := key(item); k == "" || seen[k] {
			return payment.Invalid("data", "items_not_unique", "every item must be named, and only once")
		}
		seen[key(item)] = true
	}
	return nil
}
