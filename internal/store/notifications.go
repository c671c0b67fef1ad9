package store

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// notificationColumns are what is known about a notification, apart from its
// raw message and its facts.
const notificationColumns = `id, store, gateway, account, event_id, type, reference, order_id, state, error, received_at,
	due_at, tries, sender`

// ListNotifications returns a page of a store's notifications in a state, or in
// any for "", newest first, and the cursor of the next page, "" for none. They
// come without raw message and facts, which may be large.
func (s *Store) ListNotifications(
	ctx context.Context, store string, state payment.NotificationState, page payment.Page,
) ([]*payment.Notification, string, error) {
	w := &where{}
	w.add("store = ?", store)
	switch state {
	case "":
	case payment.NotificationApplied:
		w.equal("state = ?", string(state))
	case payment.NotificationParked, payment.NotificationFailed, payment.NotificationRejected:
		w.equal("state = ? and state <> 'applied'", string(state)) // those few have an index
	default:
		return nil, "", payment.Invalid("state", "state_unknown", "is not a state of a notification")
	}
	if page.After != "" {
		id, err := payment.ParseNotificationID(page.After)
		if err != nil {
			return nil, "", errCursor
		}
		w.add("id < ?", [16]byte(id))
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanNotification, fmt.Sprintf(`select `+notificationColumns+` from notifications
		where %s order by id desc limit %d`, w, limit+1), append([]any{planned}, w.args...)...)
	if err != nil {
		return nil, "", fmt.Errorf("list notifications: %w", err)
	}
	list, next := paged(found, limit, func(n *payment.Notification) string { return n.ID.String() })
	return list, next, nil
}

// Notification reads a notification of a store with all that came with it.
func (s *Store) Notification(ctx context.Context, store string, id payment.NotificationID) (*payment.Notification, error) {
	found, err := collect(ctx, s, func(row pgx.CollectableRow) (*payment.Notification, error) {
		var headers, body, facts []byte
		n, err := scanNotification(ahead{row, []any{&headers, &body, &facts}})
		if err != nil {
			return nil, err
		}
		n.Raw.Body = body
		if err := json.Unmarshal(headers, &n.Raw.Headers); err != nil {
			return nil, fmt.Errorf("stored headers: %w", err)
		}
		n.Facts, err = decodeFacts(facts)
		return n, err
	}, `select `+notificationColumns+`, headers, body, facts from notifications where store = $1 and id = $2`,
		store, [16]byte(id))
	if err == nil && len(found) == 0 {
		err = payment.NotFound("a notification of this id")
	}
	if err != nil {
		return nil, fmt.Errorf("read notification %s: %w", id, err)
	}
	return found[0], nil
}

// DueNotifications leases parked and failed notifications that are to be tried
// again: nobody else gets them until leaseUntil. They come with their facts and
// without the raw message. Those whose facts cannot be read are in the error,
// beside which the others are returned: one must not stand in the way of all.
func (s *Store) DueNotifications(
	ctx context.Context, now, leaseUntil time.Time, limit int,
) ([]*payment.Notification, error) {
	var unreadable []error
	due, err := lease(ctx, s, `with due as materialized (
			select store as of_store, id as due_id from notifications where due_at <= $1 order by due_at limit $3
			for update skip locked)
		update notifications set due_at = $2 from due where store = of_store and id = due_id
		returning `+notificationColumns+`, facts`,
		func(row pgx.CollectableRow) (*payment.Notification, error) {
			var facts []byte
			n, err := scanNotification(ahead{row, []any{&facts}})
			if err != nil {
				return nil, err
			}
			if n.Facts, err = decodeFacts(facts); err != nil {
				unreadable = append(unreadable, fmt.Errorf("notification %s: %w", n.ID, err))
				return nil, nil
			}
			return n, nil
		}, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease notifications: %w", err)
	}
	due = slices.DeleteFunc(due, func(n *payment.Notification) bool { return n == nil })
	return due, errors.Join(unreadable...)
}

func scanNotification(row pgx.CollectableRow) (*payment.Notification, error) {
	n := &payment.Notification{}
	var id [16]byte
	var order *[16]byte
	var due *time.Time
	var sender string
	err := row.Scan(&id, &n.Store, &n.Gateway, &n.Account, &n.EventID, &n.Type, &n.Reference, &order, &n.State, &n.Error,
		&n.ReceivedAt, &due, &n.Tries, &sender)
	if err != nil {
		return nil, err
	}
	if sender != "" {
		if n.From, err = netip.ParseAddr(sender); err != nil {
			return nil, fmt.Errorf("notification %x: %w", id, err)
		}
	}
	n.ID, n.ReceivedAt, n.DueAt = id, n.ReceivedAt.UTC(), timeOf(due)
	if order != nil {
		n.Order = *order
	}
	return n, nil
}

// addressText is "" for an address that nobody knows.
func addressText(a netip.Addr) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}
