package store_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// filled returns a bundle whose tables hold some thousand rows of one large and
// one small store.
func filled(t *testing.T) *bundle {
	b := setup(t)
	b.exec(`create function made(i int) returns uuid language sql immutable as
		$$ select ('019ca94e-' || lpad(to_hex(i / 65536), 4, '0') || '-7' || lpad(to_hex(i % 4096), 3, '0') || '-8000-' || lpad(to_hex(i), 12, '0'))::uuid $$`)
	b.exec(`insert into orders (id, store, number, content_hash, currency, total, customer_id, customer_email, client_token,
			return_token, created_at, updated_at, status, payment_status, new_notification, review, numbers, sequence)
		select made(i), case when i % 100 = 0 then 'small' else 'large' end, i::text, '', 'EUR', 1000, 'c-' || i / 3,
			'p' || i || '@example.org', '', '', $1::timestamptz + i * interval '1 second', $1,
			case when i % 10 = 0 then 'pending' else 'complete' end, 'paid', i % 500 = 0, case when i % 500 = 1 then 'surplus' else '' end, 9, 9
		from generate_series(1, 20000) i`, b.now())
	b.exec(`insert into order_details (order_id, body)
		select id, '{"shipping": "0.00", "discount": "0.00", "tax": "0.00", "customer": {}}' from orders`)
	b.exec(`insert into payments (order_id, n, method, gateway, account, mode, amount, fee, status, created_at)
		select id, 1, 'card', 'sandbox', 'main', 'test', 1000, 0, 'paid', created_at from orders`)
	b.exec(`insert into transactions (order_id, n, store, payment, type, state, amount, reference, created_at, due_at)
		select id, 2, store, 1, 'authorize', 'approved', 1000, lpad(number, 20, '0'), created_at,
			case when number::int % 1000 = 0 then created_at end from orders`)
	b.exec(`insert into runs (order_id, n, pipeline, hash, state, steps, token, begun_at, due_at)
		select id, 3, 'confirm', '', 'done', '[]', id, created_at, case when number::int % 1000 = 0 then created_at end from orders`)
	b.exec(`insert into effects (order_id, key, kind, subject, state, due_at)
		select id, 'deduct_stock', 'deduct_stock', '', 'done', case when number::int % 1000 = 0 then created_at end from orders`)
	b.exec(`insert into notes (order_id, n, author, text, at) select id, i, 'system', 'text', created_at from orders, generate_series(4, 6) i`)
	b.exec(`insert into events (order_id, n, store, sequence, type, body, at)
		select id, 1, store, number::int, 'order.paid', '{}', created_at from orders`)
	b.exec(`insert into notifications (id, store, gateway, account, event_id, type, reference, order_id, state, headers, body, facts,
			received_at, due_at)
		select id, store, 'sandbox', 'main', number, 'paid', '', id, case when number::int % 1000 = 0 then 'parked' else 'applied' end,
			'{}', '', '[]', created_at, case when number::int % 1000 = 0 then created_at end from orders`)
	b.exec(`insert into cases (id, store, order_id, kind, state, detail, opened_at, resolved_at)
		select id, store, id, 'surplus', case when number::int % 500 = 0 then 'open' else 'resolved' end, '', created_at,
			case when number::int % 500 <> 0 then created_at end from orders`)
	b.exec(`insert into idempotency_keys (store, operation, key, fingerprint, created_at)
		select store, 'pay', number, '', created_at from orders`)
	b.exec(`insert into stock (store, sku, quantity, updated_at) select store, number, 1, created_at from orders`)
	b.exec(`insert into promotion_codes (store, code, updated_at) select store, number, created_at from orders`)
	b.exec(`insert into api_keys (hash, id, store, kind, scopes, name, created_at)
		select number::bytea, number, 'store-' || number::int / 4, 'secret', '{}', '', created_at from orders`)
	b.exec(`update payments p set release_due_at = p.created_at, clock_due_at = p.created_at
		from orders o where o.id = p.order_id and o.number::int % 1000 = 0`)
	b.exec(`insert into audit (store, position, at, actor, source, action, subject, order_id, hash)
		select store, number::int, created_at, 'system', 'answer', 'order.paid', '', id, '' from orders`)
	b.exec(`insert into audit_heads (store, position, hash, sequence) select 'store-' || i, 1, ''::bytea, 1 from generate_series(1, 1000) i
		union all values ('large', 20000, ''::bytea, 0), ('small', 20000, '', 0)`)
	b.exec(`update orders set expiry_due_at = created_at where number::int % 1000 = 0`)
	b.exec("analyze")
	return b
}

// lists are all that read or lease more than one row.
func lists(b *bundle, storeName string) map[string]func() error {
	t, page, yes := b.t, payment.Page{}, true
	id := value[[16]byte](b, "select id from orders where store = $1 order by id desc offset 100 limit 1", storeName)
	order, after := payment.OrderID(id), payment.Page{After: payment.OrderID(id).String()}
	due, until := b.now().Add(time.Hour), b.now().Add(2*time.Hour)
	orders := func(f payment.OrderFilter, page payment.Page) func() error {
		f.Store = storeName
		return func() error { _, _, err := b.ListOrders(t.Context(), f, page); return err }
	}
	transactions := func(f payment.TransactionFilter) func() error {
		f.Store = storeName
		return func() error { _, _, err := b.ListTransactions(t.Context(), f, page); return err }
	}
	return map[string]func() error{
		"orders":               orders(payment.OrderFilter{}, page),
		"orders, next page":    orders(payment.OrderFilter{}, after),
		"orders by number":     orders(payment.OrderFilter{Number: "777"}, page),
		"orders by status":     orders(payment.OrderFilter{Status: "pending"}, page),
		"orders by customer":   orders(payment.OrderFilter{Customer: "c-77"}, page),
		"orders by time":       orders(payment.OrderFilter{From: b.now().Add(time.Hour), To: b.now().Add(2 * time.Hour)}, page),
		"orders with news":     orders(payment.OrderFilter{NewNotification: &yes}, page),
		"orders for review":    orders(payment.OrderFilter{NeedsReview: &yes}, page),
		"orders by method":     orders(payment.OrderFilter{Method: "card"}, page),
		"orders by a search":   orders(payment.OrderFilter{Q: "p777@example.org"}, page),
		"transactions":         transactions(payment.TransactionFilter{}),
		"transactions by time": transactions(payment.TransactionFilter{From: b.now().Add(time.Hour), To: b.now().Add(2 * time.Hour)}),
		"transactions by ref":  transactions(payment.TransactionFilter{Q: strings.Repeat("0", 17) + "777"}),
		"events":               func() error { _, err := b.ListEvents(t.Context(), storeName, 0, "", 50); return err },
		"notes":                func() error { _, _, err := b.ListNotes(t.Context(), storeName, order, page); return err },
		"timeline":             func() error { _, err := b.Timeline(t.Context(), storeName, order, 50); return ignoreBody(err) },
		"notifications":        func() error { _, _, err := b.ListNotifications(t.Context(), storeName, "", page); return err },
		"parked notifications": func() error { _, _, err := b.ListNotifications(t.Context(), storeName, "parked", page); return err },
		"cases":                func() error { _, _, err := b.ListCases(t.Context(), storeName, "", "", page); return err },
		"open cases":           func() error { _, _, err := b.ListCases(t.Context(), storeName, "open", "", page); return err },
		"stock":                func() error { _, _, err := b.ListStock(t.Context(), storeName, page); return err },
		"promotion codes":      func() error { _, _, err := b.ListPromotionCodes(t.Context(), storeName, page); return err },
		"keys":                 func() error { _, err := b.ListKeys(t.Context(), "store-77"); return err },
		"key by hash":          func() error { _, err := b.KeyByHash(t.Context(), []byte("777")); return err },
		"due transactions":     func() error { _, err := b.DueTransactions(t.Context(), due, until, 10); return err },
		"due runs":             func() error { _, err := b.DueRuns(t.Context(), due, until, 10); return err },
		"due effects":          func() error { _, err := b.DueEffects(t.Context(), due, until, 10); return err },
		"due notifications":    func() error { _, err := b.DueNotifications(t.Context(), due, until, 10); return err },
		"orders that expire":   func() error { _, _, err := b.DueOrders(t.Context(), due, until, 10); return err },
		"due releases":         func() error { _, err := b.DueReleases(t.Context(), due, until, 10); return err },
		"due clocks":           func() error { _, err := b.DueClocks(t.Context(), due, until, 10); return err },
		"counterparts": func() error {
			_, err := b.Counterparts(t.Context(), []string{strings.Repeat("0", 17) + "777"})
			return err
		},
		"stores to audit":      func() error { _, err := b.UnauditedStores(t.Context()); return err },
		"events to audit":      func() error { _, _, err := b.AuditEvents(t.Context(), storeName, 10); return err },
		"audit":                func() error { _, err := b.ListAudit(t.Context(), storeName, payment.OrderID{}, 100, 50); return err },
		"audit of an order":    func() error { _, err := b.ListAudit(t.Context(), storeName, order, 0, 50); return err },
		"old idempotency keys": func() error { _, err := b.ReapClaims(t.Context(), due, 10); return err },
	}
}

// ignoreBody passes over the empty bodies of the events of a filled table.
func ignoreBody(err error) error {
	if err != nil && strings.Contains(err.Error(), "stored event") {
		return nil
	}
	return err
}

func TestListsFindTheirRowsByAnIndex(t *testing.T) {
	t.Parallel()
	b := filled(t)
	for _, storeName := range []string{"large", "small"} {
		for name, list := range lists(b, storeName) {
			var err error
			sent := b.tracer.during(func() { err = list() })
			require.NoError(t, ignoreBody(err), name)
			explained := 0
			for _, s := range sent {
				if text := strings.TrimSpace(s.sql); strings.HasPrefix(text, "select") || strings.HasPrefix(text, "with") {
					explained++
					plan := b.explain(s)
					require.Empty(t, excesses(plan), "%s of the %s store: %s", name, storeName, s.sql)
				}
			}
			require.Positive(t, explained, name)
		}
	}
}

// explain returns the plan that a statement has with its arguments, and what it
// found on the way. What the statement changes is taken back.
func (b *bundle) explain(s statement) any {
	b.t.Helper()
	var body []byte
	tx, err := b.raw.Begin(b.t.Context())
	require.NoError(b.t, err)
	defer func() { _ = tx.Rollback(b.t.Context()) }()
	args := append([]any{pgx.QueryExecModeCacheDescribe}, s.args...)
	require.NoError(b.t, tx.QueryRow(b.t.Context(), "explain (analyze, format json) "+s.sql, args...).Scan(&body))
	var plans []map[string]any
	require.NoError(b.t, json.Unmarshal(body, &plans))
	return plans[0]["Plan"]
}

// rowsMax is how many rows a list may look at for a page of 50; the tables have
// 20,000 and more.
const rowsMax = 1000

// excesses are the nodes of a plan that read a table from end to end, or look at
// more rows than a page needs.
func excesses(plan any) (found []string) {
	node, ok := plan.(map[string]any)
	if !ok {
		return nil
	}
	number := func(key string) float64 {
		n, _ := node[key].(float64)
		return n
	}
	rows := (number("Actual Rows") + number("Rows Removed by Filter") + number("Rows Removed by Join Filter") +
		number("Rows Removed by Index Recheck")) * number("Actual Loops")
	if node["Node Type"] == "Seq Scan" || rows > rowsMax {
		found = append(found, fmt.Sprintf("%v of %v: %v rows", node["Node Type"], node["Relation Name"], rows))
	}
	children, _ := node["Plans"].([]any)
	for _, child := range children {
		found = append(found, excesses(child)...)
	}
	return found
}
