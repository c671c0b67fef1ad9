package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// scannedOfOne is how many events are looked at for one delivery to an endpoint that does
// not want them all.
const scannedOfOne = 8

// LeaseDeliveries leases the deliveries to a target, and returns up to limit of them:
// none, and false, when it is not active, rests, or somebody else delivers to it. A
// target that fails gets one, to see whether it is well again. What is returned has to
// be finished, also when nothing is due.
func (s *Store) LeaseDeliveries(
	ctx context.Context, t payment.Target, now, until time.Time, limit int,
) (b payment.Batch, leased bool, err error) {
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		b = payment.Batch{}
		var bound int64
		rows, _ := tx.Query(ctx, `update webhook_endpoints set leased_until = $4
			where store = $1 and id = $2 and active and (resting_until is null or resting_until <= $3)
				and (leased_until is null or leased_until <= $3)
			returning `+endpointColumns+`, since, coalesce(until, `+forever+`)`, t.Store, [16]byte(t.Endpoint), now, until)
		found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (payment.Endpoint, error) {
			return scanEndpoint(ahead{row, []any{&b.Cursor, &bound}})
		})
		if leased = len(found) > 0; err != nil || !leased {
			return err
		}
		b.Endpoint = found[0]
		if b.Endpoint.Failures > 0 {
			limit = 1
		}
		if b.Due, err = tried(ctx, tx, t, now, limit); err != nil || len(b.Due) == limit || t.Endpoint == payment.Storefront {
			b.More = len(b.Due) == limit
			return err
		}
		return fresh(ctx, tx, &b, bound, limit)
	})
	if err != nil {
		return b, false, fmt.Errorf("lease deliveries to %s of %s: %w", t.Endpoint, t.Store, err)
	}
	return b, leased, nil
}

// tried reads what is due once more. Commands about the same effect come one after
// the other: a later one waits until the one before is delivered or given up.
func tried(ctx context.Context, tx pgx.Tx, t payment.Target, now time.Time, limit int) ([]payment.Delivery, error) {
	rows, _ := tx.Query(ctx, `with due as materialized (
			select order_id, n, endpoint, sequence, state, tries, status, error, next_at, created_at, ended_at
			from webhook_deliveries d where store = $1 and endpoint = $2 and next_at <= $3
				and (effect = '' or not exists (select from webhook_deliveries p where p.order_id = d.order_id and p.n < d.n
					and p.endpoint = d.endpoint and p.effect = d.effect and p.state = 'pending'))
			order by next_at, sequence limit $4)
		select `+deliveryColumns+` from due d join events e on e.order_id = d.order_id and e.n = d.n
		order by d.next_at, d.sequence`, planned, t.Store, [16]byte(t.Endpoint), now, limit)
	return pgx.CollectRows(rows, scanDelivery)
}

// fresh adds the next events that an endpoint wants, and moves the cursor of the batch.
// The last event that was looked at comes along, wanted or not: the cursor goes there.
func fresh(ctx context.Context, tx pgx.Tx, b *payment.Batch, until int64, limit int) error {
	room := limit - len(b.Due)
	scan := room
	if len(b.Endpoint.Types) > 0 {
		scan *= scannedOfOne
	}
	rows, _ := tx.Query(ctx, `with b as materialized (
			select sequence, order_id, n, body, type from events
			where store = $1 and sequence > $2 and sequence <= $6 and `+settledEvents+` order by sequence limit $5)
		select sequence, order_id, n, body, `+wanted("$3::text[]")+`, (select count(*) = $5 from b) from b
		where `+wanted("$3::text[]")+` or sequence = (select max(sequence) from b) order by sequence limit $4`,
		planned, b.Endpoint.Store, b.Cursor, b.Endpoint.Types, room, scan, until)
	again := make(map[payment.EventID]bool, len(b.Due)) // posted by somebody's wish before their turn came
	for _, d := range b.Due {
		again[d.Event.ID()] = true
	}
	for rows.Next() {
		var isWanted, scannedAll bool
		e, err := scanEvent(ahead{rows, []any{&isWanted, &scannedAll}})
		if err != nil {
			rows.Close()
			return err
		}
		room--
		b.Cursor, b.More = e.Sequence, room == 0 || scannedAll
		if isWanted && !again[e.ID()] {
			b.Due = append(b.Due, payment.Delivery{Event: e, Endpoint: b.Endpoint.ID, State: payment.DeliveryPending})
		}
	}
	return rows.Err()
}

// FinishDeliveries notes what came of a batch, moves the cursor of the endpoint, and
// ends the lease, all together. An outcome that somebody else noted meanwhile stays.
func (s *Store) FinishDeliveries(ctx context.Context, t payment.Target, r payment.Result, at time.Time) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		if err := finish(ctx, tx, t, r.Outcomes, at); err != nil {
			return err
		}
		h := r.Health
		_, err := tx.Exec(ctx, `update webhook_endpoints set since = greatest(since, $3), leased_until = null,
				failures = case when $4 then 0 when $5 then failures + 1 else failures end,
				failing_since = case when $4 then null when $5 then coalesce(failing_since, $6) else failing_since end,
				resting_until = case when $4 then null when $5 then $7 else resting_until end
			where store = $1 and id = $2`,
			t.Store, [16]byte(t.Endpoint), r.Cursor, h.Succeeded, h.Failed, at, nullTime(h.RestUntil))
		if err != nil || h.Disable == "" {
			return err
		}
		return s.disable(ctx, tx, t, h.Disable, at)
	})
	if err != nil {
		return fmt.Errorf("finish deliveries to %s of %s: %w", t.Endpoint, t.Store, err)
	}
	return nil
}

// finish writes what came of tries. An event that was not tried before gets its row now.
func finish(ctx context.Context, tx pgx.Tx, t payment.Target, outcomes []payment.Outcome, at time.Time) error {
	if len(outcomes) == 0 {
		return nil
	}
	n := len(outcomes)
	orders, numbers, sequences := make([][16]byte, n), make([]int, n), make([]int64, n)
	states, statuses, errs := make([]string, n), make([]int, n), make([]string, n)
	next, tries := make([]*time.Time, n), make([]int, n)
	for i, o := range outcomes {
		orders[i], numbers[i], sequences[i] = o.Event.Order, o.Event.N, o.Sequence
		states[i], statuses[i], errs[i], next[i] = string(o.State), o.Status, o.Error, nullTime(o.NextAt)
		if !o.Untried {
			tries[i] = 1
		}
	}
	_, err := tx.Exec(ctx, `insert into webhook_deliveries as d
			(order_id, n, store, endpoint, sequence, state, tries, status, error, next_at, created_at, ended_at)
		select u.order_id, u.n, $1, $2, u.sequence, u.state, u.tries, u.status, u.error, u.next_at, $11,
			case when u.state <> 'pending' then $11::timestamptz end
		from unnest($3::uuid[], $4::int[], $5::bigint[], $6::text[], $7::int[], $8::text[], $9::timestamptz[], $10::int[])
			as u (order_id, n, sequence, state, status, error, next_at, tries)
		on conflict (order_id, n, endpoint) do update set state = excluded.state, tries = d.tries + excluded.tries,
			next_at = excluded.next_at, ended_at = excluded.ended_at,
			status = case when excluded.tries = 0 then d.status else excluded.status end,
			error = case when excluded.tries = 0 then d.error else excluded.error end
		where d.state = 'pending'`,
		t.Store, [16]byte(t.Endpoint), orders, numbers, sequences, states, statuses, errs, next, tries, at)
	return err
}

// disable ends deliveries to an endpoint. One that failed for days is something
// that a person has to look at; one that said that it is gone meant it. What is told
// of that is for the others only.
func (s *Store) disable(ctx context.Context, tx pgx.Tx, t payment.Target, why payment.DisabledReason, at time.Time) error {
	tag, err := tx.Exec(ctx, `update webhook_endpoints set active = false, until = `+begun+`, disabled_reason = $3, updated_at = $4
		where store = $1 and id = $2 and active and id <> $5`,
		t.Store, [16]byte(t.Endpoint), string(why), at, [16]byte(payment.Storefront))
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	batch := &pgx.Batch{}
	if why == payment.DisabledFailing {
		err := queueCase(batch, &payment.Case{
			ID: payment.CaseID(s.newID()), Store: t.Store, Kind: payment.CaseEndpointDisabled, Subject: t.Endpoint.String(),
			Detail: "A webhook endpoint did not answer for days and gets no events any more.", OpenedAt: at,
		})
		if err != nil {
			return err
		}
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
