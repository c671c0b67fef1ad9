package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

const attributeColumns = `key, value, version, updated_at`

var errNoAttribute = payment.NotFound("an attribute of this key")

// Attribute reads an attribute of a store's order.
func (s *Store) Attribute(ctx context.Context, store string, id payment.OrderID, key string) (payment.Attribute, error) {
	found, err := collect(ctx, s, scanAttribute, `select `+attributeColumns+` from attributes
		where order_id = $1 and key = $2 and exists (select from orders where id = $1 and store = $3)`,
		[16]byte(id), key, store)
	if err == nil && len(found) == 0 {
		err = errNoAttribute
	}
	if err != nil {
		return payment.Attribute{}, fmt.Errorf("attribute of order %s: %w", id, err)
	}
	return found[0], nil
}

// PutAttribute sets an attribute of a store's order and returns it with its new
// version. expect, unless nil, is the version that is replaced, 0 for none: any
// other is a version_conflict. The value must be JSON.
func (s *Store) PutAttribute(
	ctx context.Context, store string, id payment.OrderID, key string, value []byte, expect *int64, at time.Time,
) (payment.Attribute, error) {
	a := payment.Attribute{Key: key, Value: value, UpdatedAt: at.UTC()}
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		before, err := lockAttribute(ctx, tx, store, id, key)
		if err != nil {
			return err
		}
		if expect != nil && *expect != before {
			return errVersion
		}
		var count int
		err = tx.QueryRow(ctx, "select count(*) from attributes where order_id = $1", [16]byte(id)).Scan(&count)
		if err != nil {
			return err
		}
		if before == 0 && count >= payment.AttributesMax {
			return payment.Errorf(payment.KindConflict, "too_many_attributes", "an order has at most %d attributes", payment.AttributesMax)
		}
		a.Version = payment.NextAttributeVersion(before, at)
		_, err = tx.Exec(ctx, `insert into attributes (order_id, key, value, version, updated_at)
			values ($1, $2, $3, $4, $5)
			on conflict (order_id, key) do update set value = excluded.value, version = excluded.version,
				updated_at = excluded.updated_at`, [16]byte(id), key, value, a.Version, at)
		return err
	})
	if err != nil {
		return payment.Attribute{}, fmt.Errorf("attribute of order %s: %w", id, err)
	}
	return a, nil
}

// DeleteAttribute deletes an attribute of a store's order; expect is as for
// PutAttribute.
func (s *Store) DeleteAttribute(
	ctx context.Context, store string, id payment.OrderID, key string, expect *int64,
) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		before, err := lockAttribute(ctx, tx, store, id, key)
		switch {
		case err != nil:
			return err
		case before == 0:
			return errNoAttribute
		case expect != nil && *expect != before:
			return errVersion
		}
		_, err = tx.Exec(ctx, "delete from attributes where order_id = $1 and key = $2", [16]byte(id), key)
		return err
	})
	if err != nil {
		return fmt.Errorf("attribute of order %s: %w", id, err)
	}
	return nil
}

var errVersion = payment.Errorf(payment.KindConflict, "version_conflict", "the attribute has another version")

// lockAttribute locks the order, which makes writers of its attributes wait for
// each other, and returns the version of the attribute, 0 for none.
func lockAttribute(ctx context.Context, tx pgx.Tx, store string, id payment.OrderID, key string) (int64, error) {
	if err := lockOrder(ctx, tx, store, id); err != nil {
		return 0, err
	}
	var version int64
	err := tx.QueryRow(ctx, "select version from attributes where order_id = $1 and key = $2", [16]byte(id), key).
		Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return version, err
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
