package store

import (
	"context"
	"fmt"
	"time"
)

// ReapClaims deletes up to limit idempotency keys that were taken before a time,
// and returns how many. Keys that are in use at the moment are left alone.
func (s *Store) ReapClaims(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.put(ctx, `with old as materialized (
			select store, operation, key from idempotency_keys where created_at < $1 order by created_at limit $2
			for update skip locked)
		delete from idempotency_keys k using old
		where k.store = old.store and k.operation = old.operation and k.key = old.key`, before, bounded(limit))
	if err != nil {
		return 0, fmt.Errorf("reap idempotency keys: %w", err)
	}
	return n, nil
}
