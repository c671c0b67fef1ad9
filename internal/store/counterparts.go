package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

const counterpartColumns = `t.order_id, t.n, o.store, p.gateway, p.account, p.mode, t.type, t.state, t.amount, o.currency,
	coalesce(t.reference, ''), t.gateway_reference`

// Counterparts returns all transactions of the payments that have a transaction
// under one of these references, whichever store they are of.
func (s *Store) Counterparts(ctx context.Context, references []string) ([]payment.Counterpart, error) {
	found, err := collect(ctx, s, func(row pgx.CollectableRow) (payment.Counterpart, error) {
		var named string
		c, err := scanCounterpart(behind{row, []any{&named}})
		c.Named = named
		return c, err
	}, `select named.reference, `+counterpartColumns+` from transactions named
			join orders o on o.id = named.order_id
			join payments p on p.order_id = named.order_id and p.n = named.payment
			join transactions t on t.order_id = named.order_id and t.payment = named.payment
		where named.reference = any($1)`, references)
	if err != nil {
		return nil, fmt.Errorf("find transactions by reference: %w", err)
	}
	return found, nil
}

// Unseen returns transactions of an account that moved money in the window of a
// comparison and that it has not done with, in no order. It reads the whole window.
func (s *Store) Unseen(
	ctx context.Context, a payment.AccountName, c payment.Comparison, limit int,
) ([]payment.Counterpart, error) {
	from, to := c.Settled()
	found, err := collect(ctx, s, func(row pgx.CollectableRow) (payment.Counterpart, error) { return scanCounterpart(row) },
		`with settled as materialized (
			select * from transactions
			where settled_at >= $1 and settled_at < $2 and store = $3 and state = 'approved' and not held)
		select `+counterpartColumns+` from settled t
			join payments p on p.order_id = t.order_id and p.n = t.payment
			join orders o on o.id = t.order_id
		where p.gateway = $4 and p.account = $5 and p.mode = $6
			and not exists (select from reconciliation_seen s where s.run = $7 and s.order_id = t.order_id and s.n = t.n)
		limit $8`,
		from, to, a.Store, a.Gateway, a.Account, string(a.Mode), [16]byte(c.Run), bounded(limit))
	if err != nil {
		return nil, fmt.Errorf("find transactions that the PSP does not list: %w", err)
	}
	return found, nil
}

func scanCounterpart(row pgx.Row) (c payment.Counterpart, err error) {
	var order [16]byte
	var amount int64
	var code string
	err = row.Scan(&order, &c.ID.N, &c.Account.Store, &c.Account.Gateway, &c.Account.Account, &c.Account.Mode, &c.Type, &c.State,
		&amount, &code, &c.Reference, &c.GatewayReference)
	if err != nil {
		return c, err
	}
	currency, err := payment.ParseCurrency(code)
	c.ID.Order, c.Amount = order, payment.FromMinor(amount, currency)
	return c, err
}
