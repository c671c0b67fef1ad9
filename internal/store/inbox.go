package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// KeepRejected puts a notification that must not be applied on record and opens
// a case. The same content again changes nothing.
func (s *Store) KeepRejected(ctx context.Context, n *payment.Notification, c payment.Case) error {
	err := s.send(ctx, func(batch *pgx.Batch) error {
		if err := queueNotification(batch, n); err != nil {
			return err
		}
		batch.Queue(`update notifications set state = $2, error = $3, due_at = null where store = $4 and id = $1`,
			[16]byte(n.ID), string(n.State), n.Error, n.Store)
		return queueCase(batch, &c)
	})
	if violated(err) == "notifications_event_key" {
		return nil // this content is on record too
	}
	return err
}

// PostponeNotification writes when a kept notification is tried again, and opens
// a case where one is given.
func (s *Store) PostponeNotification(ctx context.Context, n *payment.Notification, open *payment.Case) error {
	return s.send(ctx, func(batch *pgx.Batch) error {
		batch.Queue(`update notifications set due_at = $2, tries = $3
			where store = $4 and id = $1 and state in ('parked', 'failed')`,
			[16]byte(n.ID), nullTime(n.DueAt), n.Tries, n.Store)
		if open == nil {
			return nil
		}
		return queueCase(batch, open)
	})
}
