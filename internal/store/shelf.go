package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// value reads a value of a store's order from a shelf.
func (s *Store) value(ctx context.Context, on shelf, store string, id payment.OrderID, key string) (payment.Attribute, error) {
	found, err := collect(ctx, s, scanAttribute, `select `+attributeColumns+` from `+on.table+`
		where order_id = $1 and key = $2 and exists (select from orders o where o.id = $1 and o.store = $3 and `+on.open+`)`,
		[16]byte(id), key, store)
	if err == nil && len(found) == 0 {
		err = errNoAttribute
	}
	if err != nil {
		return payment.Attribute{}, fmt.Errorf("%s of order %s: %w", on.table, id, err)
	}
	return found[0], nil
}

func (s *Store) putValue(
	ctx context.Context, on shelf, store string, id payment.OrderID, key string, value []byte, expect *int64, at time.Time,
) (payment.Attribute, error) {
	a := payment.Attribute{Key: key, Value: value, UpdatedAt: at.UTC()}
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		before, err := on.lock(ctx, tx, store, id, key)
		if err != nil {
			return err
		}
		if expect != nil && *expect != before {
			return errVersion
		}
		if err := on.checkRoom(ctx, tx, id, key, len(value)); err != nil {
			return err
		}
		a.Version = payment.NextAttributeVersion(before, at)
		_, err = tx.Exec(ctx, `insert into `+on.table+` (order_id, key, value, version, updated_at)
			values ($1, $2, $3, $4, $5)
			on conflict (order_id, key) do update set value = excluded.value, version = excluded.version,
				updated_at = excluded.updated_at`, [16]byte(id), key, value, a.Version, at)
		return err
	})
	if err != nil {
		return payment.Attribute{}, fmt.Errorf("%s of order %s: %w", on.table, id, err)
	}
	return a, nil
}

func (s *Store) deleteValue(ctx context.Context, on shelf, store string, id payment.OrderID, key string, expect *int64) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		before, err := on.lock(ctx, tx, store, id, key)
		switch {
		case err != nil:
			return err
		case before == 0:
			return errNoAttribute
		case expect != nil && *expect != before:
			return errVersion
		}
		_, err = tx.Exec(ctx, "delete from "+on.table+" where order_id = $1 and key = $2", [16]byte(id), key)
		return err
	})
	if err != nil {
		return fmt.Errorf("%s of order %s: %w", on.table, id, err)
	}
	return nil
}

// checkRoom refuses a value that the locked order has no more room for on the shelf.
func (on shelf) checkRoom(ctx context.Context, tx pgx.Tx, id payment.OrderID, key string, size int) error {
	var others, held, before int
	err := tx.QueryRow(ctx, `select count(*) filter (where key <> $2), coalesce(sum(octet_length(value::text)), 0),
			coalesce(sum(octet_length(value::text)) filter (where key = $2), 0)
		from `+on.table+` where order_id = $1`, [16]byte(id), key).Scan(&others, &held, &before)
	switch {
	case err != nil:
		return err
	case others >= payment.AttributesMax:
		return payment.Errorf(payment.KindConflict, "too_many_attributes", "an order has at most %d attributes", payment.AttributesMax)
	case !payment.AttributeFits(held, before, size):
		return errTooLarge
	}
	return nil
}

// errTooLarge names what does not fit. It is the state of the order that refuses it.
var errTooLarge = &payment.Error{
	Kind: payment.KindConflict, Code: "attributes_too_large", Message: "the values of an order are at most 1 MiB together",
	Fields: []payment.FieldError{{
		Field: "body", Code: "attributes_too_large", Message: "with it the values of the order would be more than 1 MiB together",
	}},
}

var errVersion = payment.Errorf(payment.KindConflict, "version_conflict", "the value has another version")

// lock locks the order, which makes writers of its shelf wait for each other, and
// returns the version of the value, 0 for none.
func (on shelf) lock(ctx context.Context, tx pgx.Tx, store string, id payment.OrderID, key string) (int64, error) {
	if err := lockOrder(ctx, tx, store, id); err != nil {
		return 0, err
	}
	var open bool
	if err := tx.QueryRow(ctx, "select "+on.open+" from orders o where o.id = $1", [16]byte(id)).Scan(&open); err != nil {
		return 0, err
	}
	if !open {
		return 0, on.closed
	}
	var version int64
	err := tx.QueryRow(ctx, "select version from "+on.table+" where order_id = $1 and key = $2", [16]byte(id), key).
		Scan(&version)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil
	}
	return version, err
}
