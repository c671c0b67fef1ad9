package store

import (
	"bytes"
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// violated returns the name of the unique constraint that refused a row, or "".
func violated(err error) string {
	if pg, ok := errors.AsType[*pgconn.PgError](err); ok && pg.Code == "23505" {
		return pg.ConstraintName
	}
	return ""
}

// opened says in the words of the domain why a stretch could not begin.
func (s *Store) opened(ctx context.Context, open payment.Opening, err error) error {
	switch violated(err) {
	case "":
		return err
	case "idempotency_keys_pkey":
		return s.claimed(ctx, open.Claim)
	case "notifications_event_key":
		return s.duplicate(ctx, open.Notification)
	case "orders_number_key":
		return payment.ErrNumberTaken
	case "reservations_pkey":
		return payment.ErrReserved
	}
	return err
}

// claimed reads what became of an idempotency key that was taken before.
func (s *Store) claimed(ctx context.Context, claim *payment.Claim) error {
	found, err := s.Claimed(ctx, claim)
	if err != nil {
		return err
	}
	if found == nil { // it was given back meanwhile
		return payment.Errorf(payment.KindConflict, "idempotency_in_progress", "a request with this key is being carried out")
	}
	return found
}

// duplicate tells a repeated notification from another one under the same id.
func (s *Store) duplicate(ctx context.Context, n *payment.Notification) error {
	var body []byte
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, "select body from notifications where store = $1 and account = $2 and event_id = $3",
			n.Store, n.Account, n.EventID).Scan(&body)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return payment.ErrDuplicate
	case err != nil:
		return err
	case !bytes.Equal(body, n.Raw.Body):
		return payment.ErrConflicting
	}
	return payment.ErrDuplicate
}
