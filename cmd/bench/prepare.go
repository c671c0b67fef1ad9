package main

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// supply is how many orders to prepare for a side: more than it can use up in the
// time, as far as is known. One that does run out ends a round early, and no more.
func (m *measurement) supply(s side, length time.Duration) int {
	const spare = 1.3
	const unknown = 1500 // a second, before the first round
	rate := m.rates[s]
	if rate == 0 {
		rate = unknown
	}
	return int(rate*spare*length.Seconds()) + s.clients
}

// note takes in what a side did: how fast it is, and how orders stand now.
func (m *measurement) note(s side, done sample) {
	if done.Took > 0 {
		m.rates[s] = max(m.rates[s], done.rate())
	}
	n := len(done.Latencies)
	switch s.operation {
	case opPay, opConfirm:
		m.expected[payment.StatusPaid] += n
	case opCapture:
		m.expected[payment.StatusAuthorized] -= n
		m.expected[payment.StatusPaid] += n
	case opRefund:
		m.expected[payment.StatusPaid] -= n
		m.expected[payment.StatusRefunded] += n
	case opVoid:
		m.expected[payment.StatusAuthorized] -= n
		m.expected[payment.StatusVoided] += n
	}
}

// prepare has the floor make orders that an operation changes.
func (m *measurement) prepare(ctx context.Context, operation string, n int) ([]prepared, error) {
	c := m.recorded.changes[operation]
	orders, err := m.floor.prepare(ctx, c, n)
	if err != nil {
		return nil, fmt.Errorf("prepare orders: %w", err)
	}
	m.made(c.method, n)
	return orders, nil
}

// made takes in that orders were paid by a method.
func (m *measurement) made(method string, n int) {
	switch method {
	case "card":
		m.expected[payment.StatusPaid] += n
	case "card-manual":
		m.expected[payment.StatusAuthorized] += n
	}
}

// prepareMax is how long the service may take to make orders.
const prepareMax = 5 * time.Minute

// payments has the service make orders, whose payments its sandbox knows, and
// returns the ids of these.
func (m *measurement) payments(ctx context.Context, operation string, n int) ([]string, error) {
	method := m.recorded.changes[operation].method
	o, err := m.order(ctx, opPay, prepareClients, prepareMax)
	if err != nil {
		return nil, err
	}
	o.Body = orderWith(method)
	for i := range n {
		o.Values = append(o.Values, o.Prefix+strconv.Itoa(i))
	}
	if _, err := m.loaded(ctx, o); err != nil {
		return nil, fmt.Errorf("prepare orders: %w", err)
	}
	m.made(method, n)
	rows, _ := m.pool.Query(ctx, "select id from orders where store = 'demo' and starts_with(number, $1) order by id", o.Prefix)
	ids, err := pgx.CollectRows(rows, pgx.RowTo[[16]byte])
	payments := make([]string, len(ids))
	for i, id := range ids {
		payments[i] = payment.PaymentID{Order: id, N: firstPayment}.String()
	}
	return payments, err
}

// readable are the orders whose status is read: enough of them that they are
// not all in one page, and recent, as they are in life.
func (m *measurement) readable(ctx context.Context) ([]prepared, error) {
	if m.standing != nil {
		return m.standing, nil
	}
	var err error
	m.standing, err = m.prepare(ctx, opConfirm, 2000)
	return m.standing, err
}

// standings counts the orders by how they stand.
func (m *measurement) standings(ctx context.Context) (map[payment.Status]int, error) {
	counted := map[payment.Status]int{}
	rows, _ := m.pool.Query(ctx, "select payment_status, count(*)::int from orders group by 1")
	var status payment.Status
	var n int
	_, err := pgx.ForEachRow(rows, []any{&status, &n}, func() error { counted[status] = n; return nil })
	delete(counted, payment.StatusPending) // what was prepared and not used
	return counted, err
}

// balance compares the books with what was done: each request that was counted
// has changed one order.
func (m *measurement) balance(ctx context.Context) error {
	found, err := m.standings(ctx)
	if err != nil {
		return err
	}
	maps.DeleteFunc(m.expected, func(_ payment.Status, n int) bool { return n == 0 })
	if !maps.Equal(found, m.expected) {
		return fmt.Errorf("orders stand at %v, but should at %v: not everything that was measured was done", found, m.expected)
	}
	return nil
}
