package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// caseColumns are those of a case c and its order o. The subject is shown without
// what sets a resolved case of a kind that recurs apart from the next one.
const (
	caseColumns = `c.id, c.store, c.order_id, c.kind, c.payment, c.transaction,
		case when c.state = 'resolved' and right(c.subject, 37) = '#' || c.id then left(c.subject, -37) else c.subject end,
		c.state, c.detail, c.opened_at, c.amount, c.claimed, c.claimed_currency, c.resolved_at, c.resolution,
		c.resolved_reason, c.resolved_by, c.action, coalesce(o.number, ''), coalesce(o.currency, '')`
	caseTables = ` from cases c left join orders o on o.id = c.order_id`
)

// ListCases returns a page of a store's cases of a state and a kind, or of any
// for "", newest first, and the cursor of the next page, "" for none.
func (s *Store) ListCases(
	ctx context.Context, store, state string, kind payment.CaseKind, page payment.Page,
) ([]payment.Case, string, error) {
	w := &where{}
	w.add("c.store = ?", store)
	w.equal("c.state = ?", state)
	w.equal("c.kind = ?", string(kind))
	if page.After != "" {
		id, err := payment.ParseCaseID(page.After)
		if err != nil {
			return nil, "", errCursor
		}
		w.add("c.id < ?", [16]byte(id))
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanCase, fmt.Sprintf(`select `+caseColumns+caseTables+` where %s
		order by c.id desc limit %d`, w, limit+1), append([]any{planned}, w.args...)...)
	if err != nil {
		return nil, "", fmt.Errorf("list cases: %w", err)
	}
	list, next := paged(found, limit, func(c payment.Case) string { return c.ID.String() })
	return list, next, nil
}

// Case reads a case of a store.
func (s *Store) Case(ctx context.Context, store string, id payment.CaseID) (payment.Case, error) {
	found, err := collect(ctx, s, scanCase, `select `+caseColumns+caseTables+` where c.store = $1 and c.id = $2`,
		store, [16]byte(id))
	if err == nil && len(found) == 0 {
		err = payment.ErrCaseNotFound
	}
	if err != nil {
		return payment.Case{}, fmt.Errorf("read case %s: %w", id, err)
	}
	return found[0], nil
}

// CasesOf reads all cases of an order, the oldest first.
func (s *Store) CasesOf(ctx context.Context, id payment.OrderID) ([]payment.Case, error) {
	found, err := collect(ctx, s, scanCase, casesOfOrder, [16]byte(id))
	if err != nil {
		return nil, fmt.Errorf("cases of order %s: %w", id, err)
	}
	return found, nil
}

const casesOfOrder = `select ` + caseColumns + caseTables + ` where c.order_id = $1 order by c.opened_at, c.id`

// ResolveCase ends a case that belongs to no order, as its Resolution says, tells of
// it, and keeps the answer under the idempotency key. One that is not open any more is
// payment.ErrCaseResolved, and a key that was taken before a *payment.Claimed.
func (s *Store) ResolveCase(
	ctx context.Context, c payment.Case, claim *payment.Claim, reply payment.Reply, by payment.AuditEntry,
) error {
	c.State = payment.CaseResolved
	end, args, err := telling(endCase, endCaseArgs(&c), &c, by)
	if err != nil {
		return fmt.Errorf("resolve case %s: %w", c.ID, err)
	}
	err = s.change(ctx, func(ctx context.Context, tx pgx.Tx) error {
		status, body := kept(&reply)
		_, err := tx.Exec(ctx, `insert into idempotency_keys (store, operation, key, fingerprint, created_at, finished, status, body)
			values ($1, $2, $3, $4, $5, true, $6, $7)`,
			claim.Store, claim.Operation, claim.Key, claim.Fingerprint, claim.At, status, body)
		if err != nil {
			return err
		}
		tag, err := tx.Exec(ctx, end, args...)
		if err == nil && tag.RowsAffected() == 0 {
			err = payment.ErrCaseResolved
		}
		return err
	})
	switch {
	case violated(err) == "idempotency_keys_pkey":
		return s.claimed(ctx, claim)
	case err != nil:
		return fmt.Errorf("resolve case %s: %w", c.ID, err)
	}
	return nil
}

// workCases works what a stretch stages about cases into those that its order has,
// which is locked. A stretch that stages nothing about cases reads nothing.
func (s *Store) workCases(ctx context.Context, q querier, o *payment.Order) error {
	if len(o.Staged.Cases) == 0 && len(o.Staged.CaseEnds) == 0 {
		return nil
	}
	for i := range o.Staged.Cases {
		if c := &o.Staged.Cases[i]; c.ID == (payment.CaseID{}) {
			c.ID = payment.CaseID(s.newID())
		}
	}
	rows, _ := q.Query(ctx, casesOfOrder, [16]byte(o.ID))
	known, err := pgx.CollectRows(rows, scanCase)
	if err != nil {
		return fmt.Errorf("cases of order %s: %w", o.ID, err)
	}
	return o.WorkCases(known)
}

// querier is a connection or a transaction on it.
type querier interface {
	Query(ctx context.Context, query string, args ...any) (pgx.Rows, error)
}

// queueCases writes what workCases found. It comes behind the events of the order.
func queueCases(batch *pgx.Batch, o *payment.Order) error {
	for i := range o.Staged.Cases {
		if err := queueCase(batch, &o.Staged.Cases[i]); err != nil {
			return err
		}
	}
	for i := range o.Staged.Resolved {
		c := &o.Staged.Resolved[i]
		if err := queueTold(batch, endCase, endCaseArgs(c), c); err != nil {
			return err
		}
	}
	return nil
}

// queueCase inserts a case, unless it is in the books. The order's lock sees to
// that; the index is for cases that have no order, and for what nobody thought of.
func queueCase(batch *pgx.Batch, c *payment.Case) error {
	c.State = payment.CaseOpen
	var order *[16]byte
	if c.Order != (payment.OrderID{}) {
		order = (*[16]byte)(&c.Order)
	}
	claimed := c.Claimed
	if order == nil { // no order has a currency for it
		claimed = c.Amount
	}
	var claimedIn *string
	if claimed != nil {
		code := claimed.Currency().String()
		claimedIn = &code
	}
	return queueTold(batch, insertCase, []any{
		[16]byte(c.ID), c.Store, order, string(c.Kind), c.Payment, c.Transaction, payment.CaseSubject(c.Subject), c.Detail,
		c.OpenedAt, minorOf(c.Amount), minorOf(claimed), claimedIn,
	}, c)
}

const insertCase = `insert into cases (id, store, order_id, kind, payment, transaction, subject, state, detail, opened_at, amount,
		claimed, claimed_currency)
	values ($1, $2, $3, $4, $5, $6, $7, 'open', $8, $9, $10, $11, $12)
	on conflict (order_id, kind, transaction, subject) do nothing`

// endCase resolves a case. One of a kind that recurs makes room for the next.
const endCase = `update cases set state = 'resolved', resolved_at = $3, resolution = $4, resolved_reason = $5,
		resolved_by = $6, action = $7, subject = case when $8 then subject || '#' || id else subject end
	where store = $1 and id = $2 and state = 'open'`

func endCaseArgs(c *payment.Case) []any {
	r := c.Resolution
	return []any{c.Store, [16]byte(c.ID), r.At, r.Word, r.Reason, r.By, string(r.Action), c.Kind.Recurs()}
}

func minorOf(m *payment.Money) *int64 {
	if m == nil {
		return nil
	}
	minor := m.Minor()
	return &minor
}

func scanCase(row pgx.CollectableRow) (payment.Case, error) {
	var c payment.Case
	var r payment.Resolution
	var id [16]byte
	var order *[16]byte
	var amount, claimed *int64
	var claimedIn *string
	var resolved *time.Time
	var currency string
	err := row.Scan(&id, &c.Store, &order, &c.Kind, &c.Payment, &c.Transaction, &c.Subject, &c.State, &c.Detail, &c.OpenedAt,
		&amount, &claimed, &claimedIn, &resolved, &r.Word, &r.Reason, &r.By, &r.Action, &c.Number, &currency)
	if err != nil {
		return c, err
	}
	c.ID, c.OpenedAt, r.At = id, c.OpenedAt.UTC(), timeOf(resolved)
	c.Resolution = r
	if order != nil {
		c.Order = *order
	}
	if currency != "" {
		if c.Currency, err = payment.ParseCurrency(currency); err != nil {
			return c, fmt.Errorf("case %s: %w", c.ID, err)
		}
		c.Amount = moneyOf(amount, c.Currency)
	}
	if claimedIn != nil {
		in, err := payment.ParseCurrency(*claimedIn)
		if err != nil {
			return c, fmt.Errorf("case %s: %w", c.ID, err)
		}
		c.Claimed = moneyOf(claimed, in)
	}
	if order == nil && c.Claimed != nil {
		c.Amount, c.Currency, c.Claimed = c.Claimed, c.Claimed.Currency(), nil
	}
	return c, nil
}

func moneyOf(minor *int64, c payment.Currency) *payment.Money {
	if minor == nil {
		return nil
	}
	m := payment.FromMinor(*minor, c)
	return &m
}

// openCase opens a case of an order that is locked, outside of any stretch.
func (s *Store) openCase(ctx context.Context, tx pgx.Tx, c payment.Case) error {
	o := &payment.Order{ID: c.Order, Store: c.Store}
	var status payment.Status
	err := tx.QueryRow(ctx, "select number, status, payment_status, numbers, sequence from orders where id = $1", [16]byte(o.ID)).
		Scan(&o.Number, &o.Saved.Status, &status, &o.Numbers, &o.Sequence)
	if err != nil {
		return err
	}
	o.OpenCase(c)
	if err := s.workCases(ctx, tx, o); err != nil {
		return err
	}
	batch := &pgx.Batch{}
	batch.Queue(`update orders set review = $2, numbers = $3, sequence = $4, updated_at = $5 where id = $1`,
		[16]byte(o.ID), string(o.Review), o.Numbers, o.Sequence, c.OpenedAt)
	queueNotes(batch, o)
	if err := queueEvents(batch, o, status); err != nil {
		return err
	}
	if err := queueCases(batch, o); err != nil {
		return err
	}
	return tx.SendBatch(ctx, batch).Close()
}
