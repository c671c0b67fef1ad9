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

// ReadStatus reads where an order of a store stands, with one statement.
func (s *Store) ReadStatus(ctx context.Context, store string, id payment.OrderID) (payment.Standing, error) {
	var st payment.Standing
	var updated time.Time
	var next []byte
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, `select status, payment_status, client_token, updated_at,
				(select next_action from payments p where p.order_id = o.id order by n desc limit 1)
			from orders o where id = $1 and store = $2`, [16]byte(id), store,
		).Scan(&st.Status, &st.PaymentStatus, &st.ClientToken, &updated, &next)
	})
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return st, payment.ErrOrderNotFound
	case err != nil:
		return st, err
	}
	st.UpdatedAt = updated.UTC()
	if next != nil {
		st.NextAction = &payment.NextAction{}
		if err := json.Unmarshal(next, st.NextAction); err != nil {
			return st, fmt.Errorf("next action: %w", err)
		}
	}
	return st, nil
}
