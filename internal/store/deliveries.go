package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// wanted is which events an endpoint w gets of those that happened: event type
// of b. An empty list of types means all; the store's own system gets what it is
// told to do, never all.
const wanted = `(cardinality(w.types) = 0 or b.type = any(w.types) or split_part(b.type, '.', 1) || '.*' = any(w.types))`

// settledEvents are the events that no transaction under way can get in front of.
const settledEvents = `sequence < (pg_snapshot_xmin(pg_current_snapshot())::text::bigint << 12)`

// EventsWaiting names stores that have events which are to be handed on.
func (s *Store) EventsWaiting(ctx context.Context, limit int) ([]string, error) {
	stores, err := collect(ctx, s, pgx.RowTo[string], `select c.store from event_cursors c
		where exists (select from webhook_endpoints w where w.store = c.store and w.active)
			and exists (select from events e where e.store = c.store and e.sequence > c.sequence and e.`+settledEvents+`)
		limit $1`, bounded(limit))
	if err != nil {
		return nil, fmt.Errorf("look for events: %w", err)
	}
	return stores, nil
}

// PumpEvents turns the next events of a store into deliveries and moves its
// cursor, together; more tells that there may be more of them. While another
// instance does the same it does nothing.
func (s *Store) PumpEvents(ctx context.Context, store string, at time.Time, limit int) (more bool, err error) {
	limit = bounded(limit)
	read, err := collect(ctx, s, pgx.RowTo[int], `with cursor as materialized (
			select sequence from event_cursors where store = $1 for update skip locked),
		batch as materialized (
			select sequence, order_id, n, type, body from events
			where store = $1 and sequence > (select sequence from cursor) and `+settledEvents+` order by sequence limit $3),
		made as (
			insert into webhook_deliveries (order_id, n, store, endpoint, sequence, effect, state, next_at, created_at)
			select b.order_id, b.n, $1, w.id, b.sequence,
				case when w.id = $4 then coalesce(b.body->'data'->>'effect', '') else '' end, 'pending', $2, $2
			from batch b join webhook_endpoints w on w.store = $1 and w.active and w.since < b.sequence and `+wanted+`
			on conflict do nothing),
		moved as (
			update event_cursors set sequence = (select max(sequence) from batch)
			where store = $1 and exists (select from batch))
		select count(*)::int from batch`, store, at, limit, [16]byte(payment.Storefront))
	if err != nil {
		return false, fmt.Errorf("hand on the events of %s: %w", store, err)
	}
	return read[0] == limit, nil
}

// DueTargets names where something is to be delivered now, apart from endpoints
// that are left to rest.
func (s *Store) DueTargets(ctx context.Context, now time.Time, limit int) ([]payment.Target, error) {
	targets, err := collect(ctx, s, func(row pgx.CollectableRow) (payment.Target, error) {
		var t payment.Target
		var id [16]byte
		err := row.Scan(&t.Store, &id)
		t.Endpoint = id
		return t, err
	}, `select w.store, w.id from webhook_endpoints w
		where w.active and (w.resting_until is null or w.resting_until <= $1) and exists (
			select from webhook_deliveries d where d.store = w.store and d.endpoint = w.id and d.next_at <= $1)
		limit $2`, now, bounded(limit))
	if err != nil {
		return nil, fmt.Errorf("look for deliveries: %w", err)
	}
	return targets, nil
}

// DueDeliveries leases what is to be delivered to one target: nobody else gets it
// until leaseUntil. It returns the endpoint with it; one that is not active or
// rests gets nothing. Commands about the same effect come one after the other: a
// later one waits until the one before is delivered or given up.
func (s *Store) DueDeliveries(
	ctx context.Context, t payment.Target, now, leaseUntil time.Time, limit int,
) (payment.Endpoint, []payment.Delivery, error) {
	var e payment.Endpoint
	found, err := collect(ctx, s, scanEndpoint, `select `+endpointColumns+` from webhook_endpoints
		where store = $1 and id = $2 and active and (resting_until is null or resting_until <= $3)`,
		t.Store, [16]byte(t.Endpoint), now)
	if err != nil || len(found) == 0 {
		return e, nil, wrapped("read endpoint", t, err)
	}
	e = found[0]
	if e.Failures > 0 {
		limit = 1 // is it well again?
	}
	due, err := collect(ctx, s, scanDelivery, `with due as materialized (
			select order_id, n, endpoint from webhook_deliveries d
			where store = $1 and endpoint = $2 and next_at <= $3
				and (effect = '' or not exists (select from webhook_deliveries p where p.order_id = d.order_id and p.n < d.n
					and p.endpoint = d.endpoint and p.effect = d.effect and p.state = 'pending'))
			order by next_at, sequence limit $5 for update skip locked),
		leased as (
			update webhook_deliveries d set next_at = $4 from due
			where d.order_id = due.order_id and d.n = due.n and d.endpoint = due.endpoint
			returning d.order_id, d.n, d.endpoint, d.state, d.tries, d.status, d.error, d.next_at, d.created_at, d.ended_at)
		select `+deliveryColumns+` from leased d join events e on e.order_id = d.order_id and e.n = d.n order by e.sequence`,
		planned, t.Store, [16]byte(t.Endpoint), now, leaseUntil, bounded(limit))
	return e, due, wrapped("lease deliveries", t, err)
}

// FinishDeliveries notes what came of deliveries to an endpoint, and what that
// says of the endpoint.
func (s *Store) FinishDeliveries(
	ctx context.Context, t payment.Target, outcomes []payment.Outcome, h payment.Health, at time.Time,
) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := finish(ctx, tx, t.Endpoint, outcomes, at); err != nil {
			return err
		}
		if err := note(ctx, tx, t, h, at); err != nil || h.Disable == "" {
			return err
		}
		return s.disable(ctx, tx, t, h.Disable, at)
	})
	return wrapped("finish deliveries", t, err)
}

// finish writes outcomes of deliveries to an endpoint. One that was noted by
// somebody else meanwhile stays.
func finish(ctx context.Context, tx pgx.Tx, to payment.EndpointID, outcomes []payment.Outcome, at time.Time) error {
	orders, numbers := make([][16]byte, len(outcomes)), make([]int, len(outcomes))
	states, statuses, errs := make([]string, len(outcomes)), make([]int, len(outcomes)), make([]string, len(outcomes))
	next, tries := make([]*time.Time, len(outcomes)), make([]int, len(outcomes))
	for i, o := range outcomes {
		orders[i], numbers[i], states[i], statuses[i], errs[i] = o.Event.Order, o.Event.N, string(o.State), o.Status, o.Error
		next[i], tries[i] = nullTime(o.NextAt), 1
		if o.Untried {
			tries[i] = 0
		}
	}
	_, err := tx.Exec(ctx, `update webhook_deliveries d set state = u.state, tries = d.tries + u.tries, next_at = u.next_at,
			status = case when u.tries = 0 then d.status else u.status end,
			error = case when u.tries = 0 then d.error else u.error end,
			ended_at = case when u.state = 'pending' then null else $9::timestamptz end
		from unnest($2::uuid[], $3::int[], $4::text[], $5::int[], $6::text[], $7::timestamptz[], $8::int[])
			as u (order_id, n, state, status, error, next_at, tries)
		where d.order_id = u.order_id and d.n = u.n and d.endpoint = $1 and d.state = 'pending'`,
		[16]byte(to), orders, numbers, states, statuses, errs, next, tries, at)
	return err
}

// note keeps how an endpoint does. It writes only where that changed.
func note(ctx context.Context, tx pgx.Tx, t payment.Target, h payment.Health, at time.Time) error {
	var err error
	if h.Succeeded {
		_, err = tx.Exec(ctx, `update webhook_endpoints set failures = 0, failing_since = null, resting_until = null
			where store = $1 and id = $2 and failures > 0`, t.Store, [16]byte(t.Endpoint))
	}
	if h.Failed && err == nil {
		_, err = tx.Exec(ctx, `update webhook_endpoints set failures = failures + 1, resting_until = $3,
			failing_since = coalesce(failing_since, $4) where store = $1 and id = $2`,
			t.Store, [16]byte(t.Endpoint), nullTime(h.RestUntil), at)
	}
	return err
}

// disable ends deliveries to an endpoint. One that failed for days is something
// that a person has to look at; one that said that it is gone meant it.
func (s *Store) disable(ctx context.Context, tx pgx.Tx, t payment.Target, why payment.DisabledReason, at time.Time) error {
	tag, err := tx.Exec(ctx, `update webhook_endpoints set active = false, disabled_reason = $3, updated_at = $4
		where store = $1 and id = $2 and active and id <> $5`,
		t.Store, [16]byte(t.Endpoint), string(why), at, [16]byte(payment.Storefront))
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	batch := &pgx.Batch{}
	if why == payment.DisabledFailing {
		queueCase(batch, &payment.Case{
			ID: payment.CaseID(s.newID()), Store: t.Store, Kind: payment.CaseEndpointDisabled, Subject: t.Endpoint.String(),
			Detail: "A webhook endpoint did not answer for days and gets no events any more.", OpenedAt: at,
		})
	}
	entry := endpointAudit(payment.ByActor("", at), "disabled", t.Store, t.Endpoint)
	entry.Detail = string(why)
	queueAudit(batch, entry)
	return tx.SendBatch(ctx, batch).Close()
}

// ReapDeliveries forgets up to limit deliveries that were made before a time,
// and returns how many.
func (s *Store) ReapDeliveries(ctx context.Context, before time.Time, limit int) (int, error) {
	n, err := s.put(ctx, `with old as materialized (
			select order_id, n, endpoint from webhook_deliveries where created_at < $1 order by created_at limit $2
			for update skip locked)
		delete from webhook_deliveries d using old
		where d.order_id = old.order_id and d.n = old.n and d.endpoint = old.endpoint`, before, bounded(limit))
	if err != nil {
		return 0, fmt.Errorf("reap deliveries: %w", err)
	}
	return n, nil
}

// deliveryColumns are those of a delivery d with its event e.
const deliveryColumns = eventColumns + `, d.endpoint, d.state, d.tries, d.status, d.error, d.next_at, d.created_at, d.ended_at`

func scanDelivery(row pgx.CollectableRow) (payment.Delivery, error) {
	var d payment.Delivery
	var id [16]byte
	var next, ended *time.Time
	event, err := scanEvent(ahead{row, []any{&id, &d.State, &d.Tries, &d.Status, &d.Error, &next, &d.CreatedAt, &ended}})
	d.Event, d.Endpoint, d.NextAt, d.EndedAt, d.CreatedAt = event, id, timeOf(next), timeOf(ended), d.CreatedAt.UTC()
	return d, err
}

func wrapped(what string, t payment.Target, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s of %s %s: %w", what, t.Store, t.Endpoint, err)
}

// ListDeliveries returns a page of the deliveries to an endpoint of a state, or
// of any for "", newest event first, and the cursor of the next page.
func (s *Store) ListDeliveries(
	ctx context.Context, t payment.Target, state payment.DeliveryState, page payment.Page,
) ([]payment.Delivery, string, error) {
	w := &where{}
	w.add("d.store = ?", t.Store)
	w.add("d.endpoint = ?", [16]byte(t.Endpoint))
	w.equal("d.state = ?", string(state))
	if page.After != "" {
		sequence, err := strconv.ParseInt(page.After, 10, 64)
		if err != nil {
			return nil, "", errCursor
		}
		w.add("d.sequence < ?", sequence)
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanDelivery, fmt.Sprintf(`select `+deliveryColumns+`
		from webhook_deliveries d join events e on e.order_id = d.order_id and e.n = d.n
		where %s order by d.sequence desc limit %d`, w, limit+1), append([]any{planned}, w.args...)...)
	if err != nil {
		return nil, "", wrapped("list deliveries", t, err)
	}
	list, next := paged(found, limit, func(d payment.Delivery) string { return strconv.FormatInt(d.Event.Sequence, 10) })
	return list, next, nil
}

// Redeliver begins the deliveries of an event anew: to one endpoint, or, for
// zero, to all that are active and want its type. An event that the store does
// not have is not found; one that nobody gets is a nothing_to_redeliver conflict.
func (s *Store) Redeliver(
	ctx context.Context, store string, id payment.EventID, to payment.EndpointID, by payment.AuditEntry,
) ([]payment.Delivery, error) {
	var again []payment.Delivery
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `with b as materialized (
				select sequence, order_id, n, type, body from events where store = $1 and order_id = $2 and n = $3),
			d as (
				insert into webhook_deliveries as k (order_id, n, store, endpoint, sequence, effect, state, next_at, created_at)
				select b.order_id, b.n, $1, w.id, b.sequence,
					case when w.id = $5 then coalesce(b.body->'data'->>'effect', '') else '' end, 'pending', $6, $6
				from b join webhook_endpoints w on w.store = $1 and w.active and (w.id = $4 and $4 <> $5 or $4 = $5 and `+wanted+`)
				on conflict (order_id, n, endpoint) do update set state = 'pending', tries = 0, status = 0, error = '',
					next_at = excluded.next_at, created_at = excluded.created_at, ended_at = null
				returning endpoint, order_id, n, state, tries, status, error, next_at, created_at, ended_at)
			select `+deliveryColumns+` from b e left join d on true order by d.endpoint`,
			store, [16]byte(id.Order), id.N, [16]byte(to), [16]byte(payment.Storefront), by.At)
		found, err := pgx.CollectRows(rows, scanAgain)
		switch {
		case err != nil:
			return err
		case len(found) == 0:
			return payment.NotFound("an event of this id")
		case len(found) == 1 && found[0] == nil:
			return payment.Errorf(payment.KindConflict, "nothing_to_redeliver", "no active endpoint gets this event")
		}
		again = nil
		for _, d := range found {
			again = append(again, *d)
		}
		by.Store, by.Action, by.Subject, by.Order = store, "event.redelivered", id.String(), id.Order
		return appendAudit(ctx, tx, by)
	})
	if err != nil {
		return nil, fmt.Errorf("redeliver %s: %w", id, err)
	}
	return again, nil
}

// deliveryEndpoint is the place of the first column of a delivery.
const deliveryEndpoint = 4

// scanAgain reads a delivery, nil for an event that goes nowhere.
func scanAgain(row pgx.CollectableRow) (*payment.Delivery, error) {
	if row.RawValues()[deliveryEndpoint] == nil {
		return nil, nil
	}
	d, err := scanDelivery(row)
	return &d, err
}
