package store

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// ListTransactions returns a page of the transactions of all orders of a store,
// newest first, and the cursor of the next page, "" for none.
func (s *Store) ListTransactions(
	ctx context.Context, f payment.TransactionFilter, page payment.Page,
) ([]payment.ListedTransaction, string, error) {
	w, err := transactionConditions(f, page.After)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(page)
	searches := []*where{w}
	if f.Q != "" { // our reference, which one transaction has at most, or else the PSP's
		searches = []*where{w.with("t.reference = upper(?)", f.Q), w.with("t.gateway_reference = ?", f.Q)}
	}
	for _, w := range searches {
		found, err := collect(ctx, s, scanListed, fmt.Sprintf(`select `+listedColumns+`
				from transactions t
				join payments p on p.order_id = t.order_id and p.n = t.payment
				join orders o on o.id = t.order_id
			where %s order by t.created_at desc, t.order_id desc, t.n desc limit %d`, w, limit+1),
			append([]any{planned}, w.args...)...)
		if err != nil {
			return nil, "", fmt.Errorf("list transactions: %w", err)
		}
		if rows, next := paged(found, limit, transactionCursor); len(rows) > 0 {
			return rows, next, nil
		}
	}
	return nil, "", nil
}

// listedColumns are transactionColumns, in their order, behind the names of what
// the transaction belongs to.
const listedColumns = `t.order_id, o.number, o.currency, p.method, p.gateway, p.account,
	t.n, t.payment, t.type, t.state, t.amount, coalesce(t.reference, ''), t.gateway_reference, t.parent, t.held,
	t.reason_code, t.reason_message, t.reason_decline, t.created_at, t.settled_at, t.due_at, t.inquiries,
	t.run, t.store_reference, t.purpose, t.rest`

func scanListed(row pgx.CollectableRow) (payment.ListedTransaction, error) {
	var l payment.ListedTransaction
	var order [16]byte
	var currency string
	names := []any{&order, &l.Number, &currency, &l.Method, &l.Gateway, &l.Account}
	t, of, err := scanTransaction(behind{row, names}, payment.Currency{})
	if err != nil {
		return l, err
	}
	l.Order, l.Payment, l.Transaction = order, of, *t
	c, err := payment.ParseCurrency(currency)
	l.Amount = payment.FromMinor(t.Amount.Minor(), c) // read without a currency, that is, in minor units
	return l, err
}

func transactionConditions(f payment.TransactionFilter, after string) (*where, error) {
	w := &where{}
	w.add("t.store = ?", f.Store)
	w.equal("t.type = ?", f.Type)
	w.equal("t.state = ?", f.State)
	w.equal("p.gateway = ?", f.Gateway)
	w.equal("p.method = ?", f.Method)
	if !f.From.IsZero() {
		w.add("t.created_at >= ?", f.From)
	}
	if !f.To.IsZero() {
		w.add("t.created_at < ?", f.To)
	}
	if err := w.amount("min_amount", "t.amount >= ?::text::numeric * "+minorScale, f.MinAmount); err != nil {
		return nil, err
	}
	if err := w.amount("max_amount", "t.amount <= ?::text::numeric * "+minorScale, f.MaxAmount); err != nil {
		return nil, err
	}
	if after != "" {
		at, id, err := parseTransactionCursor(after)
		if err != nil {
			return nil, err
		}
		w.add("(t.created_at, t.order_id, t.n) < (?, ?, ?)", at, [16]byte(id.Order), id.N)
	}
	return w, nil
}

// amountShape is how an amount is written that is searched for, in any currency.
var amountShape = regexp.MustCompile(`^[0-9]{1,18}(\.[0-9]{1,4})?$`)

// amount adds a condition on an amount, which is compared exactly.
func (w *where) amount(field, condition, amount string) error {
	if amount == "" {
		return nil
	}
	if !amountShape.MatchString(amount) {
		return payment.Invalid(field, "amount_invalid", "must be a decimal number such as 10.00")
	}
	w.add(condition, amount)
	return nil
}

// minorScale is how many minor units the order's currency has: 100 but for those
// that ISO 4217 gives other than two digits. A test compares it with
// payment.ParseCurrency, code by code.
const minorScale = `(case
	when o.currency in ('BIF', 'CLP', 'DJF', 'GNF', 'ISK', 'JPY', 'KMF', 'KRW', 'PYG', 'RWF', 'UGX', 'UYI', 'VND', 'VUV',
		'XAF', 'XOF', 'XPF') then 1
	when o.currency in ('BHD', 'IQD', 'JOD', 'KWD', 'LYD', 'OMR', 'TND') then 1000
	when o.currency in ('CLF', 'UYW') then 10000
	else 100 end)`

func transactionCursor(t payment.ListedTransaction) string {
	return strconv.FormatInt(t.CreatedAt.UnixMicro(), 10) + "-" + payment.TransactionID{Order: t.Order, N: t.N}.String()
}

func parseTransactionCursor(cursor string) (time.Time, payment.TransactionID, error) {
	micros, text, _ := strings.Cut(cursor, "-")
	at, err := strconv.ParseInt(micros, 10, 64)
	if err != nil {
		return time.Time{}, payment.TransactionID{}, errCursor
	}
	id, err := payment.ParseTransactionID(text)
	if err != nil {
		return time.Time{}, payment.TransactionID{}, errCursor
	}
	return time.UnixMicro(at), id, nil
}

// DueTransactions leases transactions that the PSP is to be asked about: nobody
// else gets them until leaseUntil.
func (s *Store) DueTransactions(
	ctx context.Context, now, leaseUntil time.Time, limit int,
) ([]payment.DueTransaction, error) {
	due, err := lease(ctx, s, `with due as materialized (
			select order_id, n from transactions where due_at <= $1 order by due_at limit $3 for update skip locked)
		update transactions t set due_at = $2 from due where t.order_id = due.order_id and t.n = due.n
		returning t.order_id, t.n, t.store`,
		func(row pgx.CollectableRow) (payment.DueTransaction, error) {
			id, store, err := scanLeased(row)
			return payment.DueTransaction{ID: payment.TransactionID(id), Store: store}, err
		}, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease transactions: %w", err)
	}
	return due, nil
}

// PostponeTransaction records that the PSP was asked and had nothing new to say;
// it is asked again at due, or never for the zero time. It does nothing when the
// transaction was settled meanwhile, or was asked about by somebody else: asked
// is how often it had been before.
func (s *Store) PostponeTransaction(ctx context.Context, id payment.TransactionID, due time.Time, asked int) error {
	_, err := s.put(ctx, `update transactions set due_at = $3, inquiries = inquiries + 1
		where order_id = $1 and n = $2 and inquiries = $4
			and state in ('sending', 'unknown', 'action_required', 'pending')`,
		[16]byte(id.Order), id.N, nullTime(due), asked)
	if err != nil {
		return fmt.Errorf("postpone transaction %s: %w", id, err)
	}
	return nil
}
