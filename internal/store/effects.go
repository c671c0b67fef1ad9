package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// effectTriesMax is how often an effect is carried out that keeps failing,
// before a person has to look.
const effectTriesMax = 10

// DueEffects leases effects that wait to be carried out: nobody else gets them
// until leaseUntil. Those of the kinds that ApplyEffect knows are carried out by
// it, the others outside the database and then reported to FinishEffect.
func (s *Store) DueEffects(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueEffect, error) {
	due, err := lease(ctx, s, `with due as materialized (
			select order_id, key from effects where due_at <= $1 order by due_at limit $3 for update skip locked)
		update effects e set due_at = $2, tries = tries + 1 from due, orders o
		where e.order_id = due.order_id and e.key = due.key and o.id = e.order_id
		returning o.store, e.order_id, e.key, e.kind`,
		func(row pgx.CollectableRow) (payment.DueEffect, error) {
			var d payment.DueEffect
			var order [16]byte
			err := row.Scan(&d.Store, &order, &d.Key, &d.Kind)
			d.Order = order
			return d, err
		}, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease effects: %w", err)
	}
	return due, nil
}

// ApplyEffect carries out an effect inside the database and marks it, in one
// transaction; it does nothing when the effect is not due. Whatever it finds, the
// money stays as it is: what cannot be done becomes a note, and a case.
func (s *Store) ApplyEffect(ctx context.Context, id payment.OrderID, key string, at time.Time) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		e, err := lockEffect(ctx, tx, id, key)
		if err != nil || !e.waits() {
			return err
		}
		found, err := e.apply(ctx, tx, at)
		if err != nil {
			return err
		}
		return s.settleEffect(ctx, tx, e, found, at)
	})
	if err != nil {
		return fmt.Errorf("effect %s of order %s: %w", key, id, err)
	}
	return nil
}

// FinishEffect marks an effect that was carried out outside the database. failure
// says why it was not, without personal data, and "" that it was; one that failed
// is due again at retryAt, until it was tried often enough, or when retryAt is
// zero: then a case is opened. It does nothing when the effect was marked
// meanwhile, unless it was given up and succeeded now.
func (s *Store) FinishEffect(
	ctx context.Context, id payment.OrderID, key string, at time.Time, failure string, retryAt time.Time,
) error {
	err := s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		e, err := lockEffect(ctx, tx, id, key)
		if err != nil || !e.waits() && (failure != "" || e.state != payment.EffectFailed) {
			return err
		}
		if failure != "" && e.tries < effectTriesMax && !retryAt.IsZero() {
			_, err = tx.Exec(ctx, "update effects set due_at = $3, note = $4 where order_id = $1 and key = $2",
				[16]byte(id), key, retryAt, failure)
			return err
		}
		var found finding
		if failure != "" {
			found = finding{failed: true, note: failure, openCase: payment.CaseFailedEffect}
		}
		return s.settleEffect(ctx, tx, e, found, at)
	})
	if err != nil {
		return fmt.Errorf("effect %s of order %s: %w", key, id, err)
	}
	return nil
}

// PostponeEffect puts off an effect that waits, without counting a failure: its
// work was handed to somebody who will report to FinishEffect.
func (s *Store) PostponeEffect(ctx context.Context, id payment.OrderID, key string, due time.Time) error {
	_, err := s.put(ctx, `update effects set due_at = $3, tries = 0
		where order_id = $1 and key = $2 and state in ('due', 'undo_due')`, [16]byte(id), key, due)
	if err != nil {
		return fmt.Errorf("postpone effect %s of order %s: %w", key, id, err)
	}
	return nil
}

// lockedEffect is an effect and what has to be known of its order, both locked.
type lockedEffect struct {
	order   payment.OrderID
	store   string
	key     string
	kind    payment.EffectKind
	subject string
	state   payment.EffectState
	tries   int
}

func (e *lockedEffect) waits() bool {
	return e.state == payment.EffectDue || e.state == payment.EffectUndoDue
}

// finding is what came of an effect.
type finding struct {
	failed   bool
	note     string           // for the effect and the timeline; "" when all went well
	openCase payment.CaseKind // "" for none
}

// lockEffect locks the order before its effect, as stretches do.
func lockEffect(ctx context.Context, tx pgx.Tx, id payment.OrderID, key string) (*lockedEffect, error) {
	e := &lockedEffect{order: id, key: key}
	if err := lockOrder(ctx, tx, "", id); err != nil {
		return nil, err
	}
	err := tx.QueryRow(ctx, `select o.store, e.kind, e.subject, e.state, e.tries
		from effects e join orders o on o.id = e.order_id where e.order_id = $1 and e.key = $2 for update of e`,
		[16]byte(id), key).Scan(&e.store, &e.kind, &e.subject, &e.state, &e.tries)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, payment.NotFound("an effect of this key")
	}
	return e, err
}

// settleEffect marks the effect and tells people what they have to know.
func (s *Store) settleEffect(ctx context.Context, tx pgx.Tx, e *lockedEffect, found finding, at time.Time) error {
	state := payment.EffectDone
	switch {
	case found.failed:
		state = payment.EffectFailed
	case e.state == payment.EffectUndoDue:
		state = payment.EffectUndone
	}
	_, err := tx.Exec(ctx, "update effects set state = $3, due_at = null, note = $4 where order_id = $1 and key = $2",
		[16]byte(e.order), e.key, string(state), found.note)
	if err != nil || found.note == "" {
		return err
	}
	n, err := takeNumber(ctx, tx, e.store, e.order)
	if err != nil {
		return err
	}
	text := string(e.kind) + ": " + found.note
	if err := insertNote(ctx, tx, e.order, payment.Note{N: n, Author: "system", Text: text, At: at}); err != nil {
		return err
	}
	if found.openCase == "" {
		return nil
	}
	return s.openCase(ctx, tx, payment.Case{
		Store: e.store, Order: e.order, Kind: found.openCase, Subject: e.key, Detail: found.openCase.Detail(), OpenedAt: at,
	})
}
