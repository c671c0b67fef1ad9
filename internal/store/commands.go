package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// Storefronts names the stores whose own system carries out effects, as far as
// the books know.
func (s *Store) Storefronts(ctx context.Context) ([]string, error) {
	stores, err := collect(ctx, s, pgx.RowTo[string], `select store from webhook_endpoints where id = $1 and active`,
		[16]byte(payment.Storefront))
	if err != nil {
		return nil, fmt.Errorf("list storefronts: %w", err)
	}
	return stores, nil
}

// CommandsWaiting names stores that have events which may be commands to their own
// system.
func (s *Store) CommandsWaiting(ctx context.Context, limit int) ([]string, error) {
	stores, err := collect(ctx, s, pgx.RowTo[string], `select w.store from webhook_endpoints w
		where w.id = $2 and w.active
			and exists (select from events e where e.store = w.store and e.sequence > w.since and e.`+settledEvents+`)
		limit $1`, bounded(limit), [16]byte(payment.Storefront))
	if err != nil {
		return nil, fmt.Errorf("look for commands: %w", err)
	}
	return stores, nil
}

// StageCommands turns the next events of a store into commands to the store's own
// system, as far as they are, and moves its cursor, together; more tells that there may
// be more of them. While another instance does the same it does nothing.
func (s *Store) StageCommands(ctx context.Context, store string, at time.Time, limit int) (more bool, err error) {
	limit = bounded(limit)
	read, err := collect(ctx, s, pgx.RowTo[int], `with front as materialized (
			select since, types from webhook_endpoints where store = $1 and id = $4 and active for update skip locked),
		batch as materialized (
			select sequence, order_id, n, type, body from events
			where store = $1 and sequence > (select since from front) and `+settledEvents+` order by sequence limit $3),
		made as (
			insert into webhook_deliveries (order_id, n, store, endpoint, sequence, effect, state, next_at, created_at)
			select order_id, n, $1, $4, sequence, coalesce(body->'data'->>'effect', ''), 'pending', $2, $2
			from batch where type = any((select types from front)::text[])
			on conflict do nothing),
		moved as (
			update webhook_endpoints set since = (select max(sequence) from batch)
			where store = $1 and id = $4 and exists (select from batch))
		select count(*)::int from batch`, store, at, limit, [16]byte(payment.Storefront))
	if err != nil {
		return false, fmt.Errorf("stage the commands of %s: %w", store, err)
	}
	return read[0] == limit, nil
}

// StageCommand makes the latest event about an effect a command to the store's
// own system, unless it is one already. StageCommands does the same for every
// event; this is sooner, and finds what was ordered before the settings said so.
func (s *Store) StageCommand(ctx context.Context, id payment.OrderID, key string, at time.Time) error {
	_, err := s.put(ctx, `insert into webhook_deliveries (order_id, n, store, endpoint, sequence, effect, state, next_at, created_at)
		select e.order_id, e.n, e.store, $3, e.sequence, $2, 'pending', $4, $4 from events e
		where e.order_id = $1 and e.body->'data'->>'effect' = $2 order by e.n desc limit 1
		on conflict do nothing`, [16]byte(id), key, [16]byte(payment.Storefront), at)
	if err != nil {
		return fmt.Errorf("command for effect %s of order %s: %w", key, id, err)
	}
	return nil
}

// FinishCommand notes what came of a command. Acknowledged, its effect is done,
// or undone; given up, the effect has failed and a case is opened. An effect that
// something else was ordered about meanwhile waits for that.
func (s *Store) FinishCommand(ctx context.Context, store, key string, o payment.Outcome, at time.Time) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		e, err := lockEffect(ctx, tx, o.Event.Order, key) // the order comes first, as everywhere
		if err != nil && payment.KindOf(err) != payment.KindNotFound {
			return err
		}
		err = finish(ctx, tx, payment.Target{Store: store, Endpoint: payment.Storefront}, []payment.Outcome{o}, at)
		if err != nil || e == nil || o.State == payment.DeliveryPending {
			return err
		}
		return s.settleCommand(ctx, tx, e, o, at)
	})
	if err != nil {
		return fmt.Errorf("finish command %s: %w", o.Event, err)
	}
	return nil
}

// settleCommand marks the effect of a command, if that was the latest about it.
func (s *Store) settleCommand(ctx context.Context, tx pgx.Tx, e *lockedEffect, o payment.Outcome, at time.Time) error {
	var eventType string
	var overtaken bool
	err := tx.QueryRow(ctx, `select type, exists (
			select from events where order_id = $1 and n > $2 and body->'data'->>'effect' = $3)
		from events where order_id = $1 and n = $2`, [16]byte(e.order), o.Event.N, e.key).Scan(&eventType, &overtaken)
	acknowledged := o.State == payment.DeliveryDelivered
	if err != nil || overtaken || !e.waits() && (!acknowledged || e.state != payment.EffectFailed) {
		return err
	}
	if e.state == payment.EffectFailed && payment.Undoes(eventType) {
		e.state = payment.EffectUndoDue // a failed effect forgets what was asked of it
	}
	if acknowledged {
		return s.settleEffect(ctx, tx, e, finding{}, at)
	}
	return s.settleEffect(ctx, tx, e, finding{
		failed: true, note: "the storefront did not acknowledge it", openCase: payment.CaseFailedEffect,
	}, at)
}
