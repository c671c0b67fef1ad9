package store

import (
	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// queueReservations takes values for an order. That another order holds one is a
// violation of the primary key, which ends the transaction: nothing of it lasts.
// What is held by a cancelled order, or by the order itself, is given free first.
func queueReservations(batch *pgx.Batch, o *payment.Order) {
	for _, r := range o.Staged.Reservations {
		batch.Queue(`delete from reservations where store = $1 and scope = $2 and subject = $3 and value = $4
			and (order_id = $5 or exists (select from orders o where o.id = order_id and o.status = 'cancelled'))`,
			o.Store, r.Scope, r.Subject, r.Value, [16]byte(o.ID))
		batch.Queue(`insert into reservations (store, scope, subject, value, order_id, at) values ($1, $2, $3, $4, $5, $6)`,
			o.Store, r.Scope, r.Subject, r.Value, [16]byte(o.ID), o.UpdatedAt)
	}
}
