package main

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// measure reads how long a statement took and how many pages it looked at.
func (e *explained) measure(lines []string) error {
	var plans []struct {
		Plan struct {
			Hit  int `json:"Shared Hit Blocks"`
			Read int `json:"Shared Read Blocks"`
		}
		Took float64 `json:"Execution Time"` // in ms
	}
	if err := json.Unmarshal([]byte(strings.Join(lines, "\n")), &plans); err != nil || len(plans) != 1 {
		return fmt.Errorf("read the plan: %w", err)
	}
	e.pages, e.took = plans[0].Plan.Hit+plans[0].Plan.Read, time.Duration(plans[0].Took*float64(time.Millisecond))
	return nil
}

// fill makes orders of the last days that were paid, and of each sort of work some
// that is due now, and some that will be.
func (db *database) fill(ctx context.Context, now time.Time) error {
	statements := []string{
		`create function made(i int) returns uuid language sql immutable as
			$$ select ('019ca94e-' || lpad(to_hex(i / 65536), 4, '0') || '-7' || lpad(to_hex(i % 4096), 3, '0') || '-8000-' || lpad(to_hex(i), 12, '0'))::uuid $$`,
		`create table source as select i, made(i) as id, $1 - interval $2 + i * (interval $2 / $3) as at,
				case i % 5000 when 0 then $1 - interval '1 second' when 1 then $1 + interval '1 day' end as due
			from generate_series(1, $3) i`,
		`insert into orders (id, store, number, content_hash, currency, total, customer_id, customer_email, client_token, return_token,
				created_at, updated_at, status, payment_status, numbers, sequence, expiry_due_at)
			select id, 'demo', i::text, '', 'EUR', 12995, 'c-' || i / 3, 'p' || i || '@example.org', '', '', at, at,
				case when due is null then 'processing' else 'pending' end, 'paid', 9, 9, due from source`,
		`insert into order_details (order_id, body)
			select id, '{"lines": [{"sku": "lamp", "quantity": 1}], "shipping": "0.00", "customer": {}}' from source`,
		`insert into payments (order_id, n, method, kind, gateway, account, mode, amount, fee, status, authorized, captured, created_at,
				release_due_at, clock_due_at)
			select id, 1, 'card', 'card', 'sandbox', 'main', 'test', 12995, 0, 'paid', 12995, 12995, at, due, due from source`,
		`insert into transactions (order_id, n, store, payment, type, state, amount, reference, created_at, settled_at, due_at)
			select id, 2, 'demo', 1, 'authorize_and_capture', case when due is null then 'approved' else 'unknown' end, 12995,
				lpad(i::text, 20, '0'), at, case when due is null then at end, due from source`,
		`insert into runs (order_id, n, pipeline, hash, state, steps, token, begun_at, due_at)
			select id, 3, 'confirm', '', case when due is null then 'done' else 'failed' end, '[]', id, at, due from source`,
		`insert into effects (order_id, key, kind, subject, state, due_at)
			select id, 'deduct_stock', 'deduct_stock', '', case when due is null then 'done' else 'due' end, due from source`,
		`insert into events (order_id, n, store, sequence, type, body, at)
			select id, 1, 'demo', i, 'order.paid', '{"type": "order.paid", "data": {}}', at from source`,
		`insert into notifications (id, store, gateway, account, event_id, type, reference, order_id, state, headers, body, facts,
				received_at, due_at)
			select id, 'demo', 'sandbox', 'main', i::text, 'paid', '', id, case when due is null then 'applied' else 'failed' end,
				'{}', '', '[]', at, due from source`,
		`insert into idempotency_keys (store, operation, key, fingerprint, created_at)
			select 'demo', 'pay', i::text, '', at from source where i % 10 = 0`,
		// All but the last events are delivered.
		`insert into webhook_endpoints (store, id, url, types, active, secret_version, since, created_at, updated_at)
			values ('demo', made(1), 'https://shop.example/events', '{}', true, 1, $3 - 1000, $1, $1)`,
		`insert into webhook_deliveries (order_id, n, store, endpoint, sequence, effect, state, next_at, created_at)
			select id, 1, 'demo', made(1), i, '', case when due is null then 'delivered' else 'pending' end, due, at from source
			where i > $3 * 2 / 3`,
		// All of a day was compared by now, but for the reverse.
		`insert into reconciliation_seen (run, order_id, n) select $4, id, 2 from source where at > $1 - interval '3 days'`,
		`insert into reconciliations (store, account, covered_until, due_at) select 'demo', 'main-' || i, $1, $1 from generate_series(1, 20) i`,
		`drop table source`,
	}
	constants := strings.NewReplacer("$1", "'"+now.Format(time.RFC3339Nano)+"'::timestamptz",
		"$2", fmt.Sprintf("'%d days'", sweptDays), "$3", strconv.Itoa(sweptOrders),
		"$4", fmt.Sprintf("'%x'::uuid", payment.FirstID(now)))
	for _, s := range append(statements, "vacuum analyze") {
		if !strings.HasPrefix(s, "create function") {
			s = constants.Replace(s)
		}
		if _, err := db.pool.Exec(ctx, s); err != nil {
			return fmt.Errorf("%.60s…: %w", s, err)
		}
	}
	return nil
}
