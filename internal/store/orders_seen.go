package store

import (
	"context"
	"fmt"

	"github.com/paysvc/paysvc/internal/payment"
)

// MarkSeen clears the flag of an order of a store that a PSP told something new.
// News that arrives meanwhile sets it again.
func (s *Store) MarkSeen(ctx context.Context, store string, order payment.OrderID) error {
	n, err := s.put(ctx, `update orders set new_notification = false where id = $1 and store = $2`, [16]byte(order), store)
	if err != nil {
		return fmt.Errorf("mark %s as seen: %w", order, err)
	}
	if n == 0 {
		return payment.ErrOrderNotFound
	}
	return nil
}
