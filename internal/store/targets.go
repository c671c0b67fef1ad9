package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// wanted is whether an endpoint that gets these types, none for all, gets an event of
// the column type.
func wanted(types string) string {
	return `(cardinality(` + types + `) = 0 or type = any(` + types + `) or split_part(type, '.', 1) || '.*' = any(` + types + `))`
}

// settledEvents are the events that no transaction under way can get in front of.
const settledEvents = `sequence < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 12)`

// DueTargets names where something is to be delivered now, apart from endpoints that
// are left to rest or that somebody delivers to. The cursor of one that wants nothing
// of what happened is moved past it.
func (s *Store) DueTargets(ctx context.Context, now time.Time, limit int) ([]payment.Target, error) {
	targets, err := collect(ctx, s, func(row pgx.CollectableRow) (payment.Target, error) {
		var t payment.Target
		var id [16]byte
		err := row.Scan(&t.Store, &id)
		t.Endpoint = id
		return t, err
	}, `with looked as materialized (
			select w.store, w.id, w.cursor, news.last, coalesce(news.wanted, false) as wanted, exists (
				select from webhook_deliveries d where d.store = w.store and d.endpoint = w.id and d.next_at <= $1) as again
			from webhook_endpoints w left join lateral (
				select max(sequence) as last, bool_or(`+wanted("w.types")+`) as wanted from (
					select sequence, type from events e where e.store = w.store and e.sequence > w.cursor and `+settledEvents+`
					order by sequence limit $3) e) news on w.id <> $4
			where w.active and (w.resting_until is null or w.resting_until <= $1) and (w.leased_until is null or w.leased_until <= $1)),
		passed as (
			update webhook_endpoints w set cursor = l.last from looked l
			where w.store = l.store and w.id = l.id and w.cursor = l.cursor and l.last is not null and not l.wanted)
		select store, id from looked where wanted or again limit $2`, now, bounded(limit), eventsScanned, [16]byte(payment.Storefront))
	if err != nil {
		return nil, fmt.Errorf("look for deliveries: %w", err)
	}
	return targets, nil
}
