package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

const attributeColumns = `key, value, version, updated_at`

// shelf is a table of JSON by order and key, and on what terms it is there.
type shelf struct {
	table string
	// open is what must hold of the order o.
	open string
	// closed refuses a write on a shelf that is not open.
	closed error
}

var (
	attributeShelf = shelf{table: "attributes", open: "true"}
	checkoutShelf  = shelf{
		table: "checkout_state", open: "o.placed_at is null",
		closed: payment.Errorf(payment.KindConflict, "order_placed", "the order is placed: its checkout is over"),
	}
)

var errNoAttribute = payment.NotFound("a value of this key")

// Attribute reads an attribute of a store's order.
func (s *Store) Attribute(ctx context.Context, store string, id payment.OrderID, key string) (payment.Attribute, error) {
	return s.value(ctx, attributeShelf, store, id, key)
}

// PutAttribute sets an attribute of a store's order and returns it with its new
// version. expect, unless nil, is the version that is replaced, 0 for none: any
// other is a version_conflict. The value must be JSON.
func (s *Store) PutAttribute(
	ctx context.Context, store string, id payment.OrderID, key string, value []byte, expect *int64, at time.Time,
) (payment.Attribute, error) {
	return s.putValue(ctx, attributeShelf, store, id, key, value, expect, at)
}

// DeleteAttribute deletes an attribute of a store's order; expect is as for
// PutAttribute.
func (s *Store) DeleteAttribute(ctx context.Context, store string, id payment.OrderID, key string, expect *int64) error {
	return s.deleteValue(ctx, attributeShelf, store, id, key, expect)
}

// readAttributes reads what the statement of attributes found into the order.
func readAttributes(results pgx.BatchResults, o *payment.Order) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	found, err := pgx.CollectRows(rows, scanAttribute)
	if err != nil {
		return err
	}
	o.Attributes = make(map[string]payment.Attribute, len(found))
	for _, a := range found {
		o.Attributes[a.Key] = a
	}
	return nil
}

// queueAttributes writes the attributes that steps set, all in one statement.
func queueAttributes(batch *pgx.Batch, o *payment.Order) {
	staged := o.Staged.Attributes
	if len(staged) == 0 {
		return
	}
	keys, values := make([]string, len(staged)), make([]string, len(staged))
	versions, times := make([]int64, len(staged)), make([]time.Time, len(staged))
	for i, a := range staged {
		keys[i], values[i], versions[i], times[i] = a.Key, string(a.Value), a.Version, a.UpdatedAt
	}
	batch.Queue(`insert into attributes (order_id, key, value, version, updated_at)
		select $1, a.key, a.value::json, a.version, a.updated_at
		from unnest($2::text[], $3::text[], $4::bigint[], $5::timestamptz[]) as a (key, value, version, updated_at)
		on conflict (order_id, key) do update set value = excluded.value, version = excluded.version,
			updated_at = excluded.updated_at`, [16]byte(o.ID), keys, values, versions, times)
}

func scanAttribute(row pgx.CollectableRow) (payment.Attribute, error) {
	var a payment.Attribute
	err := row.Scan(&a.Key, &a.Value, &a.Version, &a.UpdatedAt)
	a.UpdatedAt = a.UpdatedAt.UTC()
	return a, err
}
