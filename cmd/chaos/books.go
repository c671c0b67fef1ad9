package main

import (
	"context"
	"crypto/sha256"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// books are what the service has written down, read by SQL of our own. Amounts
// are minor units; everybody here pays in euros.
type books struct {
	orders        map[uuid.UUID]orderRow
	payments      []paymentRow
	transactions  []transactionRow
	cases         []caseRow
	notifications map[string]notificationRow // by the PSP's id of the event
	claims        map[string]claimRow        // by idempotency key
	unfinished    []string                   // what is due and not done, in words
	stock         int64                      // of the article, that is left
	deducted      int64                      // orders whose effect says that they took one
	cards         []cardEntry                // what was taken from gift cards and given back
	paidEvents    map[uuid.UUID]int          // how often the store was told that an order is paid
}

type orderRow struct {
	Number, Status, PaymentStatus string
	Total                         int64
}

type paymentRow struct {
	Order                                  uuid.UUID
	N, Tender                              int // Tender is the first of those that pay together, 0 for one alone
	Status                                 string
	Amount                                 int64  // with the fee
	Release                                string // why its money is given back, "" if it is not
	Authorized, Captured, Refunded, Voided int64
}

type transactionRow struct {
	Order            uuid.UUID
	N, Payment       int
	Type, State      string
	Amount           int64
	Reference        string // ours, "" for what the PSP began
	GatewayReference string
	Held             bool
	Run              int // that announced it
}

func (t transactionRow) initial() bool { return payment.Type(t.Type).Initial() }

func (t transactionRow) open() bool { return payment.State(t.State).Open() }

type caseRow struct {
	Order       uuid.UUID // zero for none
	Kind        string
	Transaction int
}

// cardEntry is a line of a gift card's own ledger.
type cardEntry struct {
	Kind, Reference, Taken string // Taken is what a return gives back
	Amount                 int64
	At                     time.Time
}

type notificationRow struct {
	State string
	Body  [sha256.Size]byte
}

type claimRow struct {
	Order        uuid.UUID // zero for none
	Payment, Run int
}

// readBooks reads everything, from one moment.
func readBooks(ctx context.Context, conn *pgx.Conn) (b *books, err error) {
	b = &books{
		orders: map[uuid.UUID]orderRow{}, notifications: map[string]notificationRow{}, claims: map[string]claimRow{},
		paidEvents: map[uuid.UUID]int{},
	}
	options := pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}
	err = pgx.BeginTxFunc(ctx, conn, options, func(tx pgx.Tx) error {
		for _, read := range []func(context.Context, pgx.Tx) error{b.readOrders, b.readMoney, b.readMessages, b.readRest} {
			if err := read(ctx, tx); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("read the books: %w", err)
	}
	return b, nil
}

func (b *books) readOrders(ctx context.Context, tx pgx.Tx) error {
	var id uuid.UUID
	var o orderRow
	rows, _ := tx.Query(ctx, "select id, number, status, payment_status, total from orders") // its error is that of the rows
	_, err := pgx.ForEachRow(rows, []any{&id, &o.Number, &o.Status, &o.PaymentStatus, &o.Total}, func() error {
		b.orders[id] = o
		return nil
	})
	if err != nil {
		return err
	}
	var n int
	rows, _ = tx.Query(ctx, "select order_id, count(*) from events where type = 'order.paid' group by order_id")
	_, err = pgx.ForEachRow(rows, []any{&id, &n}, func() error {
		b.paidEvents[id] = n
		return nil
	})
	return err
}

func (b *books) readMoney(ctx context.Context, tx pgx.Tx) (err error) {
	rows, _ := tx.Query(ctx, `select order_id as "order", n, tender, status, amount + fee as amount, authorized, captured, refunded, voided,
		release_reason as release from payments order by order_id, n`)
	if b.payments, err = pgx.CollectRows(rows, pgx.RowToStructByName[paymentRow]); err != nil {
		return err
	}
	rows, _ = tx.Query(ctx, `select order_id as "order", n, payment, type, state, amount, coalesce(reference, '') as reference,
		gateway_reference as "gatewayreference", held, run from transactions order by order_id, n`)
	if b.transactions, err = pgx.CollectRows(rows, pgx.RowToStructByName[transactionRow]); err != nil {
		return err
	}
	rows, _ = tx.Query(ctx, `select coalesce(order_id, '00000000-0000-0000-0000-000000000000') as "order", kind, transaction from cases`)
	if b.cases, err = pgx.CollectRows(rows, pgx.RowToStructByName[caseRow]); err != nil {
		return err
	}
	rows, _ = tx.Query(ctx, `select kind, reference, coalesce(taken_reference, '') as taken, abs(amount) as amount, at
		from gift_card_entries where kind <> 'issue' order by card, n`)
	b.cards, err = pgx.CollectRows(rows, pgx.RowToStructByName[cardEntry])
	return err
}

func (b *books) readMessages(ctx context.Context, tx pgx.Tx) error {
	var event, state string
	var body []byte
	rows, _ := tx.Query(ctx, "select event_id, state, body from notifications")
	_, err := pgx.ForEachRow(rows, []any{&event, &state, &body}, func() error {
		b.notifications[event] = notificationRow{State: state, Body: sha256.Sum256(body)}
		return nil
	})
	if err != nil {
		return err
	}
	var key string
	var order *uuid.UUID
	var n, run int
	rows, _ = tx.Query(ctx, "select key, order_id, payment, run from idempotency_keys")
	_, err = pgx.ForEachRow(rows, []any{&key, &order, &n, &run}, func() error {
		c := claimRow{Payment: n, Run: run}
		if order != nil {
			c.Order = *order
		}
		b.claims[key] = c
		return nil
	})
	return err
}

func (b *books) readRest(ctx context.Context, tx pgx.Tx) (err error) {
	rows, _ := tx.Query(ctx, unfinishedSQL)
	if b.unfinished, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
		return err
	}
	err = tx.QueryRow(ctx, "select quantity from stock where sku = $1", article).Scan(&b.stock)
	if err != nil {
		return err
	}
	return tx.QueryRow(ctx, "select count(*) from effects where kind = 'deduct_stock' and state = 'done'").Scan(&b.deducted)
}

// openRelease is money to be given back. A payment without a reason is one that
// was to pay together with others and was never begun: on an order that is placed
// it only waits to be closed.
const openRelease = "p.release_due_at is not null and (p.release_reason <> '' or o.status = 'pending')"

// unfinishedSQL lists what nobody has ended: money that is not known, runs
// between their commits or to be tried again, effects and notifications that are
// due, and orders whose time is over. What is before a person counts as ended.
const unfinishedSQL = `
	select format('%s of order %s is %s, after %s inquiries', t.type, o.number, t.state, t.inquiries)
	from transactions t join orders o on o.id = t.order_id
	where t.state in ('sending', 'unknown', 'action_required', 'pending')
		and not exists (select from cases c where c.order_id = t.order_id and c.state = 'open')
	union all
	select format('run %s of order %s is %s: %s', r.pipeline, o.number, r.state, r.error)
	from runs r join orders o on o.id = r.order_id where r.state = 'calling' or r.due_at is not null
	union all
	select format('effect %s of order %s is %s', e.key, o.number, e.state)
	from effects e join orders o on o.id = e.order_id where e.due_at is not null
	union all
	select format('money of payment %s of order %s is to be given back: %s', p.n, o.number, p.release_reason)
	from payments p join orders o on o.id = p.order_id where ` + openRelease + `
	union all
	select format('notification %s about %s is %s', event_id, reference, state) from notifications
	where state in ('parked', 'failed')
	union all
	select format('order %s is past its time and %s', number, status) from orders
	where expiry_due_at is not null and status = 'pending'`

// countUnfinished is for the calm: how much is still to do, and when the last of
// it is due.
const countUnfinished = `
	select (select count(*) from (` + unfinishedSQL + `) as all_of_it),
		(select max(due_at) from (
			select due_at from transactions t where not exists (
				select from cases c where c.order_id = t.order_id and c.state = 'open') union all
			select release_due_at from payments p join orders o on o.id = p.order_id where ` + openRelease + ` union all
			select due_at from runs union all select due_at from effects
			union all select due_at from notifications union all select expiry_due_at from orders) as due)`
