package store

import (
	"context"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// took keeps what a deduction took from stock, for whoever undoes it.
func (e *lockedEffect) took(ctx context.Context, tx pgx.Tx, taken map[string]int64) error {
	body, err := json.Marshal(taken, json.Deterministic(true))
	if err != nil {
		return fmt.Errorf("encode what was taken from stock: %w", err)
	}
	_, err = tx.Exec(ctx, "update effects set taken = $3 where order_id = $1 and key = $2", [16]byte(e.order), e.key, body)
	return err
}

// restoreStock gives back what the order's deduction took. Articles that are not
// tracked any more stay so. The stock is locked in the order in which everybody
// does.
func (e *lockedEffect) restoreStock(ctx context.Context, tx pgx.Tx, at time.Time) (finding, error) {
	var known bool
	err := tx.QueryRow(ctx, "select taken is not null from effects where order_id = $1 and key = $2",
		[16]byte(e.order), e.key).Scan(&known)
	if err != nil {
		return finding{}, err
	}
	if !known {
		return finding{
			failed: true, note: "what was taken from stock is not known", openCase: payment.CaseFailedEffect,
		}, nil
	}
	_, err = tx.Exec(ctx, `with taken as materialized (
			select t.key as sku, t.value::bigint as quantity from effects e, json_each_text(e.taken) t
			where e.order_id = $1 and e.key = $2),
		locked as materialized (
			select s.sku from stock s join taken t on t.sku = s.sku where s.store = $3 order by s.sku collate "C" for update of s)
		update stock s set quantity = s.quantity + t.quantity, updated_at = $4
		from locked l join taken t on t.sku = l.sku where s.store = $3 and s.sku = l.sku`,
		[16]byte(e.order), e.key, e.store, at)
	return finding{}, err
}
