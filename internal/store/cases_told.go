package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// begun is the sequence in front of all that the transaction tells.
const begun = `(pg_current_xact_id()::text::bigint << 12)`

// telling has a case without an order tell of what a statement does to it, in that
// same statement: one that changes no row tells nothing. Its sequence comes behind
// what the transaction told before, so it goes behind the events of an order.
func telling(change string, args []any, c *payment.Case, by payment.AuditEntry) (string, []any, error) {
	e := c.Told(by)
	body, err := encodeCaseEvent(e)
	if err != nil {
		return "", nil, err
	}
	n := len(args)
	statement := fmt.Sprintf(`with changed as (%s returning id, store)
		insert into events (order_id, n, store, sequence, type, body, at, actor, source)
		select id, $%d, store, 1 + greatest(`+begun+`, (
				select max(sequence) from events e
				where e.store = changed.store and e.sequence > `+begun+` and e.sequence <= `+present+`)),
			$%d, $%d::json, $%d, $%d, $%d from changed`,
		change, n+1, n+2, n+3, n+4, n+5, n+6)
	return statement, append(args, e.N, e.Type, string(body), e.At, e.Actor, e.Source), nil
}

// queueTold queues a change of a case: one without an order tells of it itself.
func queueTold(batch *pgx.Batch, change string, args []any, c *payment.Case) error {
	if c.Order == (payment.OrderID{}) {
		var err error
		if change, args, err = telling(change, args, c, payment.AuditEntry{}); err != nil {
			return err
		}
	}
	batch.Queue(change, args...)
	return nil
}

// settleOrphan has the case of a notification resolved that fitted no order and is
// applied to one after all. The notification is locked first, so that a case which is
// being opened about it is found.
func settleOrphan(ctx context.Context, conn *pgxpool.Conn, o *payment.Order, n *payment.Notification) error {
	if n == nil || n.State != payment.NotificationApplied || n.Tries == 0 {
		return nil
	}
	batch := &pgx.Batch{}
	batch.Queue(`select from notifications where store = $1 and id = $2 for update`, n.Store, [16]byte(n.ID))
	batch.Queue(`select `+caseColumns+caseTables+` where c.order_id is null and c.kind = $3 and c.transaction = 0
		and c.subject = $2 and c.store = $1 and c.state = 'open'`, n.Store, n.ID.String(), string(payment.CaseOrphan)).
		Query(func(rows pgx.Rows) error {
			orphans, err := pgx.CollectRows(rows, scanCase)
			for _, c := range orphans {
				c.State, c.Resolution = payment.CaseResolved, payment.AppliedAfterAll(o.UpdatedAt)
				o.Staged.Resolved = append(o.Staged.Resolved, c)
			}
			return err
		})
	if err := conn.SendBatch(ctx, batch).Close(); err != nil {
		return fmt.Errorf("case of notification %s: %w", n.ID, err)
	}
	return nil
}
