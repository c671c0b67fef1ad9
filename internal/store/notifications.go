package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

const notificationColumns = `id, store, gateway, account, event_id, type, reference, order_id, state, error, headers, body,
	facts, received_at, due_at, tries`

// ListNotifications lists what a store's PSPs sent, newest first; of every state
// when state is "".
func (s *Store) ListNotifications(
	ctx context.Context, store, state string, p payment.Page,
) ([]*payment.Notification, string, error) {
	before, err := beforeNotification(p.After)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(p)
	rows, err := collect(ctx, s, scanNotification, `select `+notificationColumns+` from notifications
		where store = $1 and ($2 = '' or state = $2) and ($3::uuid is null or id < $3) order by id desc limit $4`,
		store, state, before, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list notifications: %w", err)
	}
	page, next := paged(rows, limit, func(n *payment.Notification) string { return n.ID.String() })
	return page, next, nil
}

func beforeNotification(cursor string) (*[16]byte, error) {
	if cursor == "" {
		return nil, nil
	}
	id, err := payment.ParseNotificationID(cursor)
	if err != nil {
		return nil, errCursor
	}
	return (*[16]byte)(&id), nil
}

// Notification reads one notification of a store.
func (s *Store) Notification(ctx context.Context, store string, id payment.NotificationID) (*payment.Notification, error) {
	var n *payment.Notification
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, _ := conn.Query(ctx, `select `+notificationColumns+` from notifications where id = $1 and store = $2`,
			[16]byte(id), store)
		var err error
		n, err = pgx.CollectExactlyOneRow(rows, scanNotification)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, payment.NotFound("a notification of this id")
	}
	return n, err
}

// DueNotifications leases kept notifications that are to be applied again.
func (s *Store) DueNotifications(
	ctx context.Context, now, leaseUntil time.Time, limit int,
) ([]*payment.Notification, error) {
	due, err := lease(ctx, s, `with due as materialized (
			select id as due_id from notifications where due_at <= $1 order by due_at limit $3 for update skip locked)
		update notifications set due_at = $2 from due where id = due_id returning `+notificationColumns,
		scanNotification, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease notifications: %w", err)
	}
	return due, nil
}

func scanNotification(row pgx.CollectableRow) (*payment.Notification, error) {
	n := &payment.Notification{}
	var id [16]byte
	var order *[16]byte
	var due *time.Time
	var headers, facts []byte
	err := row.Scan(&id, &n.Store, &n.Gateway, &n.Account, &n.EventID, &n.Type, &n.Reference, &order, &n.State, &n.Error,
		&headers, &n.Raw.Body, &facts, &n.ReceivedAt, &due, &n.Tries)
	if err != nil {
		return nil, err
	}
	n.ID, n.ReceivedAt, n.DueAt = id, n.ReceivedAt.UTC(), timeOf(due)
	if order != nil {
		n.Order = *order
	}
	if err := json.Unmarshal(headers, &n.Raw.Headers); err != nil {
		return nil, fmt.Errorf("stored headers: %w", err)
	}
	n.Facts, err = decodeFacts(facts)
	return n, err
}
