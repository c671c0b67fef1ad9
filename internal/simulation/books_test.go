package simulation

import (
	"context"
	"math/big"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// The books as the checker reads them: with SQL of its own, and nothing of the
// service's code.
type (
	bookOrder struct {
		ID, Number, Currency, Status, PaymentStatus, Review, CancelReason string
		Total                                                             int64
		Sequence                                                          int
		Expired                                                           bool
		CoveredN                                                          int
		payments                                                          []*bookPayment
		cases                                                             []bookCase
	}
	bookPayment struct {
		Order                                  string
		N, Tender                              int
		Gateway, Account, Mode, Status, Method string
		Release                                string
		Amount, Fee                            int64
		Authorized, Captured, Refunded, Voided int64
		order                                  *bookOrder
		transactions                           []*bookTransaction
	}
	bookTransaction struct {
		Order       string
		N, Payment  int
		Type, State string
		Amount      int64
		Reference   string
		Gateway     string
		Held, Due   bool
		Reason      string
		payment     *bookPayment
	}
	bookCase struct {
		Order       string
		Kind        string
		Transaction int
		Subject     string
	}
	bookEvent struct {
		Order       string
		N           int
		Type        string
		Payment     int
		Transaction int
	}
	bookRun struct {
		Order, Pipeline, State, Error string
		N                             int
		Due                           bool
	}
	bookEffect struct {
		Order, Key, Kind, State string
	}
	bookClaim struct {
		Key, Order string
		Payment    int
		Finished   bool
		Status     int
		Body       []byte
	}
	bookNotification struct {
		ID, Event, State string
		Order            string
		Body             []byte
		Due              bool
	}
)

// books are all tables that the checker looks at.
type books struct {
	orders        []*bookOrder
	transactions  map[string]*bookTransaction // by reference
	events        []bookEvent
	runs          []bookRun
	effects       []bookEffect
	claims        []bookClaim
	notifications []bookNotification
	cases         []bookCase
	cards         []bookEntry // the ledgers of gift cards
	promotions    int64
}

func rowsOf[T any](h *history, sql string) []T {
	rows, err := h.db.admin.Query(context.Background(), sql)
	require.NoError(h.t, err)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[T])
	require.NoError(h.t, err)
	return all
}

// readBooks reads what the service has written.
func (h *history) readBooks() *books {
	b := &books{transactions: map[string]*bookTransaction{}}
	type orderRow struct {
		ID, Number, Currency, Status, PaymentStatus, Review, CancelReason string
		Total                                                             int64
		Sequence                                                          int
		Expired                                                           bool
		CoveredN                                                          int
	}
	byID := map[string]*bookOrder{}
	for _, row := range rowsOf[orderRow](h, `select id::text, number, currency, status, payment_status, review, cancel_reason, total,
			sequence, expires_at is not null, covered_n from orders order by number`) {
		o := &bookOrder{
			ID: row.ID, Number: row.Number, Currency: row.Currency, Status: row.Status, PaymentStatus: row.PaymentStatus,
			Review: row.Review, CancelReason: row.CancelReason, Total: row.Total, Sequence: row.Sequence, Expired: row.Expired,
			CoveredN: row.CoveredN,
		}
		b.orders, byID[o.ID] = append(b.orders, o), o
	}
	h.readPayments(b, byID)
	b.events = rowsOf[bookEvent](h, `select order_id::text, n, type, coalesce((body->>'payment')::int, 0),
		coalesce((body->>'transaction')::int, 0) from events order by order_id, n`)
	b.runs = rowsOf[bookRun](h, `select order_id::text, pipeline, state, error, n, due_at is not null from runs order by order_id, n`)
	b.effects = rowsOf[bookEffect](h, `select order_id::text, key, kind, state from effects order by order_id, key`)
	b.claims = rowsOf[bookClaim](h, `select key, coalesce(order_id::text, ''), payment, finished,
		coalesce(status, 0), body from idempotency_keys order by key`)
	b.notifications = rowsOf[bookNotification](h, `select id::text, event_id, state, coalesce(order_id::text, ''), body, due_at is not null
		from notifications order by id`)
	b.cases = rowsOf[bookCase](h, `select coalesce(order_id::text, ''), kind, transaction, subject from cases order by opened_at, id`)
	for _, c := range b.cases {
		if o := byID[c.Order]; o != nil {
			o.cases = append(o.cases, c)
		}
	}
	for _, used := range rowsOf[struct{ Used int64 }](h, `select used from promotion_codes where code = 'SUMMER'`) {
		b.promotions = used.Used
	}
	return b
}

func (h *history) readPayments(b *books, byID map[string]*bookOrder) {
	type paymentRow struct {
		Order                                               string
		N, Tender                                           int
		Gateway, Account, Mode, Status, Method, Release     string
		Amount, Fee, Authorized, Captured, Refunded, Voided int64
	}
	for _, row := range rowsOf[paymentRow](h, `select order_id::text, n, tender, gateway, account, mode, status, method, release_reason, amount, fee,
			authorized, captured, refunded, voided from payments order by order_id, n`) {
		o := byID[row.Order]
		o.payments = append(o.payments, &bookPayment{
			Order: row.Order, N: row.N, Tender: row.Tender, Gateway: row.Gateway, Account: row.Account, Mode: row.Mode, Status: row.Status, Method: row.Method,
			Release: row.Release,
			Amount:  row.Amount, Fee: row.Fee, Authorized: row.Authorized, Captured: row.Captured, Refunded: row.Refunded,
			Voided: row.Voided, order: o,
		})
	}
	type transactionRow struct {
		Order              string
		N, Payment         int
		Type, State        string
		Amount             int64
		Reference, Gateway string
		Held, Due          bool
		Reason             string
	}
	for _, row := range rowsOf[transactionRow](h, `select order_id::text, n, payment, type, state, amount, coalesce(reference, ''),
			gateway_reference, held, due_at is not null, reason_code from transactions order by order_id, n`) {
		for _, p := range byID[row.Order].payments {
			if p.N != row.Payment {
				continue
			}
			t := &bookTransaction{
				Order: row.Order, N: row.N, Payment: row.Payment, Type: row.Type, State: row.State, Amount: row.Amount,
				Reference: row.Reference, Gateway: row.Gateway, Held: row.Held, Due: row.Due, Reason: row.Reason, payment: p,
			}
			p.transactions = append(p.transactions, t)
			if t.Reference != "" {
				b.transactions[t.Reference] = t
			}
		}
	}
}

// hasLedger tells of a payment at somebody who keeps a ledger of it: the PSP, or the
// gift cards.
func (p *bookPayment) hasLedger() bool { return p.Gateway == "sandbox" || p.Gateway == "gift-card" }

// has tells whether a case of one of the kinds is open; a transaction of 0 is any.
func (o *bookOrder) has(transaction int, kinds ...string) bool {
	for _, c := range o.cases {
		for _, kind := range kinds {
			if c.Kind == kind && (transaction == 0 || c.Transaction == transaction) {
				return true
			}
		}
	}
	return false
}

// minor is an amount in the smallest unit of its currency.
func minor(amount, currency string) int64 {
	digits := map[string]int{"JPY": 0, "KWD": 3}
	places, ok := digits[currency]
	if !ok {
		places = 2
	}
	whole, fraction, _ := strings.Cut(amount, ".")
	fraction = (fraction + "0000")[:places]
	n, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok || !n.IsInt64() {
		return -1
	}
	return n.Int64()
}
