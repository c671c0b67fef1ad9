package store

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// ListOrders returns a page of a store's orders, newest first, and the cursor of
// the next page, "" for none. The orders come with their payments and
// transactions, in one snapshot and three statements, without their effects.
func (s *Store) ListOrders(
	ctx context.Context, f payment.OrderFilter, page payment.Page,
) (orders []*payment.Order, next string, err error) {
	limit := pageLimit(page)
	query, args, err := orderQuery(f, page.After, limit+1)
	if err != nil {
		return nil, "", err
	}
	snapshot := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return pgx.BeginTxFunc(ctx, conn, snapshot, func(tx pgx.Tx) error {
			rows, _ := tx.Query(ctx, query, args...)
			found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (*payment.Order, error) { return scanOrder(row) })
			if err != nil {
				return err
			}
			orders, next = paged(found, limit, func(o *payment.Order) string { return o.ID.String() })
			return loadPayments(ctx, tx, orders)
		})
	})
	if err != nil {
		return nil, "", fmt.Errorf("list orders: %w", err)
	}
	return orders, next, nil
}

// planned has a statement planned for its arguments: which index is best
// depends on what is searched for.
const planned = pgx.QueryExecModeCacheDescribe

// orderQuery builds the statement of a page.
func orderQuery(f payment.OrderFilter, after string, limit int) (query string, args []any, err error) {
	w, err := orderConditions(f, after)
	if err != nil {
		return "", nil, err
	}
	meanings := []*where{w}
	if f.Q != "" {
		meanings = searched(w, f.Q)
	}
	ids := make([]string, len(meanings))
	for i, one := range meanings {
		ids[i] = fmt.Sprintf(`(select o.id from orders o where %s order by o.id desc limit %d)`, one, limit)
	}
	query = fmt.Sprintf(`select `+orderColumns+orderTables+`o.id in (%s) order by o.id desc limit %d`,
		strings.Join(ids, " union "), limit)
	return query, append([]any{planned}, w.args...), nil
}

// searched returns the conditions of each meaning that a search text can have.
// Each has an index; all of them joined by "or" would have none.
func searched(w *where, q string) []*where {
	text, end := w.bind(q), w.bind(q+"\U0010FFFF")
	var meanings []*where
	for _, meaning := range []string{
		"o.number between " + text + " and " + end, // begins with it
		"o.customer_id = " + text + " and o.customer_id <> ''",
		"lower(o.customer_email) = lower(" + text + ") and o.customer_email <> ''",
		"o.id = (select order_id from transactions where reference = upper(" + text + "))",
	} {
		meanings = append(meanings, w.with(meaning))
	}
	return meanings
}

func orderConditions(f payment.OrderFilter, after string) (*where, error) {
	w := &where{}
	w.add("o.store = ?", f.Store)
	w.equal("o.number = ?", f.Number)
	w.equal("o.status = ?", f.Status)
	w.equal("o.payment_status = ?", f.PaymentStatus)
	w.equal("o.customer_id = ? and o.customer_id <> ''", f.Customer)
	w.equal("exists (select from payments p where p.order_id = o.id and p.method = ?)", f.Method)
	w.equal("exists (select from payments p where p.order_id = o.id and p.gateway = ?)", f.Gateway)
	if !f.From.IsZero() {
		w.add("o.created_at >= ?", f.From)
		w.add("o.id >= ?", idAt(f.From.Add(-clockSlack)))
	}
	if !f.To.IsZero() {
		w.add("o.created_at < ?", f.To)
		w.add("o.id < ?", idAt(f.To.Add(clockSlack)))
	}
	if f.NewNotification != nil {
		w.add(map[bool]string{true: "o.new_notification", false: "not o.new_notification"}[*f.NewNotification])
	}
	if f.NeedsReview != nil {
		w.add(map[bool]string{true: "o.review <> ''", false: "o.review = ''"}[*f.NeedsReview])
	}
	if after != "" {
		id, err := payment.ParseOrderID(after)
		if err != nil {
			return nil, errCursor
		}
		w.add("o.id < ?", [16]byte(id))
	}
	return w, nil
}

// clockSlack is how far the time in an order's id may be from its created_at,
// which only says where in the index to begin.
const clockSlack = time.Minute

// idAt returns the smallest UUIDv7 of a time: ids sort by the time of their
// making, so a range of times is a range of the index.
func idAt(t time.Time) [16]byte {
	var id [16]byte
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(max(t.UnixMilli(), 0)))
	copy(id[:], ms[2:])
	return id
}

// loadPayments reads the payments and transactions of the orders.
func loadPayments(ctx context.Context, tx pgx.Tx, orders []*payment.Order) error {
	if len(orders) == 0 {
		return nil
	}
	byID := make(map[[16]byte]*payment.Order, len(orders))
	ids := make([][16]byte, len(orders))
	for i, o := range orders {
		byID[o.ID], ids[i] = o, o.ID
	}
	batch := &pgx.Batch{}
	batch.Queue(`select order_id, `+paymentColumns+` from payments where order_id = any($1) order by order_id, n`, ids).
		Query(func(rows pgx.Rows) error {
			return eachOf(rows, byID, func(row pgx.CollectableRow, o *payment.Order) error {
				p, err := paymentScanner(o.Currency)(row)
				o.Payments = append(o.Payments, p)
				return err
			})
		})
	batch.Queue(`select order_id, `+transactionColumns+` from transactions where order_id = any($1) order by order_id, n`, ids).
		Query(func(rows pgx.Rows) error {
			return eachOf(rows, byID, func(row pgx.CollectableRow, o *payment.Order) error {
				t, of, err := scanTransaction(row, o.Currency)
				if err != nil {
					return err
				}
				p := o.Payment(of)
				if p == nil {
					return fmt.Errorf("order %s: transaction %d belongs to no payment", o.ID, t.N)
				}
				p.Transactions = append(p.Transactions, t)
				return nil
			})
		})
	return tx.SendBatch(ctx, batch).Close()
}

// eachOf hands each row to scan with the order that its first column names.
func eachOf(
	rows pgx.Rows, orders map[[16]byte]*payment.Order, scan func(pgx.CollectableRow, *payment.Order) error,
) error {
	_, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (struct{}, error) {
		var id [16]byte
		first := make([]any, len(row.FieldDescriptions()))
		first[0] = &id
		if err := row.Scan(first...); err != nil {
			return struct{}{}, err
		}
		return struct{}{}, scan(behind{row, []any{nil}}, orders[id])
	})
	return err
}
