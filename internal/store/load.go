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

const (
	orderColumns = `o.id, o.store, o.number, o.content_hash, o.currency, o.total, o.client_token, o.return_token,
		o.created_at, o.expires_at, o.updated_at, o.status, o.placed_at, o.paid_at, o.cancelled_at, o.cancel_reason,
		o.covered_n, o.new_notification, o.review, o.numbers, o.sequence, d.body`
	paymentColumns = `n, method, kind, gateway, account, mode, amount, fee, status, authorized, captured, refunded, voided,
		next_action, details, created_at, tender, release_reason, release_refund, release_due_at, release_tries,
		capture_before, clock_due_at`
	transactionColumns = `n, payment, type, state, amount, coalesce(reference, ''), gateway_reference, parent, held,
		reason_code, reason_message, reason_decline, created_at, settled_at, due_at, inquiries, run, store_reference, purpose,
		rest`
	effectColumns = `key, kind, subject, state, tries, note, due_at`

	orderTables = ` from orders o join order_details d on d.order_id = o.id where `
	// byReference finds the order of a transaction, which must be at the gateway
	// and account that speak of it.
	byReference = `(select t.order_id from transactions t join payments p on p.order_id = t.order_id and p.n = t.payment
		where t.reference = $1 and p.gateway = $2 and p.account = $3)`
	ofReference = `(select order_id from transactions where reference = $1)`
)

// The statements that load a locked order, by its id and by a reference.
const (
	lockByID        = `select ` + orderColumns + orderTables + `o.id = $1 and ($2 = '' or o.store = $2) for update of o`
	lockByReference = `select ` + orderColumns + orderTables + `o.id = ` + byReference + ` and o.store = $4 for update of o`
	readByID        = `select ` + orderColumns + orderTables + `o.id = $1 and ($2 = '' or o.store = $2)`

	paymentsByID        = `select ` + paymentColumns + ` from payments where order_id = $1 order by n`
	paymentsByReference = `select ` + paymentColumns + ` from payments where order_id = ` + ofReference + ` order by n`

	transactionsByID        = `select ` + transactionColumns + ` from transactions where order_id = $1 order by n`
	transactionsByReference = `select ` + transactionColumns + ` from transactions where order_id = ` + ofReference + ` order by n`

	effectsByID        = `select ` + effectColumns + ` from effects where order_id = $1`
	effectsByReference = `select ` + effectColumns + ` from effects where order_id = ` + ofReference

	attributesByID        = `select ` + attributeColumns + ` from attributes where order_id = $1`
	attributesByReference = `select ` + attributeColumns + ` from attributes where order_id = ` + ofReference
)

// queueLoad locks the order and reads what belongs to it. The lock comes first:
// the statements after it see what the last holder committed.
func queueLoad(batch *pgx.Batch, open payment.Opening) {
	if open.Reference != "" {
		batch.Queue(lockByReference, open.Reference, open.Gateway, open.Account, open.Store)
		batch.Queue(paymentsByReference, open.Reference)
		batch.Queue(transactionsByReference, open.Reference)
		batch.Queue(effectsByReference, open.Reference)
		if open.Attributes {
			batch.Queue(attributesByReference, open.Reference)
		}
		return
	}
	batch.Queue(lockByID, [16]byte(open.Order), open.Store)
	queueRelated(batch, open.Order)
	if open.Attributes {
		batch.Queue(attributesByID, [16]byte(open.Order))
	}
}

func queueRelated(batch *pgx.Batch, id payment.OrderID) {
	batch.Queue(paymentsByID, [16]byte(id))
	batch.Queue(transactionsByID, [16]byte(id))
	batch.Queue(effectsByID, [16]byte(id))
}

// ReadOrder reads an order of a store without locking it and without its attributes,
// which few look at and which may be large; of any store when store is "".
func (s *Store) ReadOrder(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error) {
	return s.readOrder(ctx, store, id, false)
}

// ReadOrderWithAttributes is ReadOrder for who runs pipelines on what it read.
func (s *Store) ReadOrderWithAttributes(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error) {
	return s.readOrder(ctx, store, id, true)
}

func (s *Store) readOrder(ctx context.Context, store string, id payment.OrderID, attributes bool) (*payment.Order, error) {
	var o *payment.Order
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		batch := &pgx.Batch{}
		batch.Queue("begin isolation level repeatable read read only") // one snapshot for all of it
		batch.Queue(readByID, [16]byte(id), store)
		queueRelated(batch, id)
		if attributes {
			batch.Queue(attributesByID, [16]byte(id))
		}
		batch.Queue("commit")
		results := conn.SendBatch(ctx, batch)
		_, err := results.Exec()
		if err == nil {
			o, err = readOrder(results)
		}
		if err == nil && attributes {
			err = readAttributes(results, o)
		}
		if closeErr := results.Close(); err == nil {
			err = closeErr
		}
		return rollback(ctx, conn, err)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, payment.ErrOrderNotFound
	}
	return o, err
}

// OrderOfNumber returns the id of the store's order of this number.
func (s *Store) OrderOfNumber(ctx context.Context, store, number string) (payment.OrderID, error) {
	var id [16]byte
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, "select id from orders where store = $1 and number = $2", store, number).Scan(&id)
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return payment.OrderID{}, payment.ErrOrderNotFound
	}
	return id, err
}

// readOrder reads the results of a load, in its order.
func readOrder(results pgx.BatchResults) (*payment.Order, error) {
	o, err := scanOrder(results.QueryRow())
	if err != nil {
		return nil, err
	}
	rows, err := results.Query()
	if err != nil {
		return nil, err
	}
	if o.Payments, err = pgx.CollectRows(rows, paymentScanner(o.Currency)); err != nil {
		return nil, err
	}
	if rows, err = results.Query(); err != nil {
		return nil, err
	}
	if err := scanTransactions(rows, o); err != nil {
		return nil, err
	}
	if rows, err = results.Query(); err != nil {
		return nil, err
	}
	effects, err := pgx.CollectRows(rows, scanEffect)
	if err != nil {
		return nil, err
	}
	if len(effects) > 0 {
		o.Effects = make(map[string]*payment.Effect, len(effects))
		for _, e := range effects {
			o.Effects[e.Key] = e
		}
	}
	return o, nil
}

func scanOrder(row pgx.Row) (*payment.Order, error) {
	o := &payment.Order{}
	var id [16]byte
	var currency string
	var total int64
	var expires, placed, paid, cancelled *time.Time
	var body []byte
	p := &o.Progress
	err := row.Scan(&id, &o.Store, &o.Number, &o.ContentHash, &currency, &total, &o.ClientToken, &o.ReturnToken,
		&o.CreatedAt, &expires, &o.UpdatedAt, &p.Status, &placed, &paid, &cancelled, &p.CancelReason,
		&p.CoveredN, &o.NewNotification, &o.Review, &o.Numbers, &o.Sequence, &body)
	if err != nil {
		return nil, err
	}
	o.ID = id
	if o.Currency, err = payment.ParseCurrency(currency); err != nil {
		return nil, fmt.Errorf("order %s: %w", o.ID, err)
	}
	o.Total = payment.FromMinor(total, o.Currency)
	o.CreatedAt, o.UpdatedAt, o.ExpiresAt = o.CreatedAt.UTC(), o.UpdatedAt.UTC(), timeOf(expires)
	p.PlacedAt, p.PaidAt, p.CancelledAt = timeOf(placed), timeOf(paid), timeOf(cancelled)
	o.Saved = o.Progress
	if err := decodeDetails(body, &o.Details); err != nil {
		return nil, fmt.Errorf("order %s: %w", o.ID, err)
	}
	return o, nil
}

func paymentScanner(c payment.Currency) pgx.RowToFunc[*payment.Payment] {
	return func(row pgx.CollectableRow) (*payment.Payment, error) {
		p := &payment.Payment{}
		var amount, fee, authorized, captured, refunded, voided int64
		var next, details []byte
		var release payment.Release
		var releaseDue, captureBefore, clockDue *time.Time
		err := row.Scan(&p.N, &p.Method, &p.Kind, &p.Gateway, &p.Account, &p.Mode, &amount, &fee, &p.Status,
			&authorized, &captured, &refunded, &voided, &next, &details, &p.CreatedAt, &p.Tender,
			&release.Reason, &release.Refund, &releaseDue, &release.Tries, &captureBefore, &clockDue)
		if err != nil {
			return nil, err
		}
		if release.Reason != "" {
			release.DueAt = timeOf(releaseDue)
			p.Release = &release
		} else {
			p.AbandonAt = timeOf(releaseDue)
		}
		p.CaptureBefore, p.ClockDueAt = timeOf(captureBefore), timeOf(clockDue)
		p.Amount, p.Fee, p.CreatedAt = payment.FromMinor(amount, c), payment.FromMinor(fee, c), p.CreatedAt.UTC()
		p.Sums = payment.Sums{
			Authorized: payment.FromMinor(authorized, c), Captured: payment.FromMinor(captured, c),
			Refunded: payment.FromMinor(refunded, c), Voided: payment.FromMinor(voided, c),
		}
		if next != nil {
			p.NextAction = &payment.NextAction{}
			if err := json.Unmarshal(next, p.NextAction); err != nil {
				return nil, fmt.Errorf("next action: %w", err)
			}
		}
		if details != nil {
			if err := json.Unmarshal(details, &p.Details); err != nil {
				return nil, fmt.Errorf("payment details: %w", err)
			}
		}
		return p, nil
	}
}

func scanTransactions(rows pgx.Rows, o *payment.Order) error {
	defer rows.Close()
	for rows.Next() {
		t, of, err := scanTransaction(rows, o.Currency)
		if err != nil {
			return err
		}
		p := o.Payment(of)
		if p == nil {
			return fmt.Errorf("order %s: transaction %d belongs to no payment", o.ID, t.N)
		}
		p.Transactions = append(p.Transactions, t)
	}
	return rows.Err()
}

func scanTransaction(row pgx.Row, c payment.Currency) (t *payment.Transaction, ofPayment int, err error) {
	t = &payment.Transaction{}
	var amount int64
	var settled, due *time.Time
	err = row.Scan(&t.N, &ofPayment, &t.Type, &t.State, &amount, &t.Reference, &t.GatewayReference, &t.Parent, &t.Held,
		&t.Reason.Code, &t.Reason.Message, &t.Reason.Decline, &t.CreatedAt, &settled, &due, &t.Inquiries,
		&t.Run, &t.StoreReference, &t.Purpose, &t.Rest)
	if err != nil {
		return nil, 0, err
	}
	t.Amount, t.CreatedAt = payment.FromMinor(amount, c), t.CreatedAt.UTC()
	t.SettledAt, t.DueAt = timeOf(settled), timeOf(due)
	return t, ofPayment, nil
}

func scanEffect(row pgx.CollectableRow) (*payment.Effect, error) {
	e := &payment.Effect{}
	var due *time.Time
	if err := row.Scan(&e.Key, &e.Kind, &e.Subject, &e.State, &e.Tries, &e.Note, &due); err != nil {
		return nil, err
	}
	e.DueAt = timeOf(due)
	return e, nil
}
