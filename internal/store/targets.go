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
const (
	settledEvents = `sequence < ` + settledBelow
	settledBelow  = `(pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 12)`
)

// eventsPassed is how many events that an endpoint does not want are passed over at once.
const eventsPassed = 10_000

// unsentTo are the events n that the endpoint of a row w has not had: of one that was
// turned off and on again first those of the time before.
func unsentTo(w string) string {
	return `n.store = ` + w + `.store and n.sequence > ` + w + `.since and n.sequence <= coalesce(` + w + `.until, ` + forever + `) and n.` + settledEvents
}

const forever = `9223372036854775807`

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
			select w.store, w.id, w.since, w.until, w.resume, w.id <> $4 and exists (select from (
					select type from events n where `+unsentTo("w")+` order by n.sequence limit $3) n where `+wanted("w.types")+`) as wanted,
				exists (select from webhook_deliveries d where d.store = w.store and d.endpoint = w.id and d.next_at <= $1) as again
			from webhook_endpoints w
			where w.active and (w.resting_until is null or w.resting_until <= $1) and (w.leased_until is null or w.leased_until <= $1)),
		passed as (
			update webhook_endpoints w set since = coalesce(news.last, greatest(w.since, w.resume)),
				until = case when news.last is not null then w.until end, resume = case when news.last is not null then w.resume end
			from looked l cross join lateral (select max(sequence) as last from (
				select sequence from events n where `+unsentTo("l")+` order by n.sequence limit $3) n) news
			where w.store = l.store and w.id = l.id and w.since = l.since and w.until is not distinct from l.until
				and w.resume is not distinct from l.resume and w.id <> $4 and not l.wanted
				and (news.last is not null or w.until < `+settledBelow+`))
		select store, id from looked where wanted or again limit $2`, now, bounded(limit), eventsPassed, [16]byte(payment.Storefront))
	if err != nil {
		return nil, fmt.Errorf("look for deliveries: %w", err)
	}
	return targets, nil
}
