package store

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// apply carries out an effect in the transaction that also marks it.
func (e *lockedEffect) apply(ctx context.Context, tx pgx.Tx, at time.Time) (finding, error) {
	undo := e.state == payment.EffectUndoDue
	switch {
	case e.kind == payment.DeductStock && !undo:
		return e.deductStock(ctx, tx, at)
	case e.kind == payment.DeductStock:
		return e.restoreStock(ctx, tx, at)
	case e.kind == payment.TrackPromotionCode && !undo:
		return e.trackPromotionCode(ctx, tx, at)
	case e.kind == payment.TrackPromotionCode:
		_, err := tx.Exec(ctx, `update promotion_codes set used = greatest(used - 1, 0), updated_at = $3
			where store = $1 and code = $2`, e.store, e.subject, at)
		return finding{}, err
	case e.kind == payment.DeleteBasket && !undo:
		_, err := tx.Exec(ctx, deleteBasket, e.store, e.subject, at)
		return finding{}, err
	case e.kind == payment.SendOrderMail:
		return finding{}, fmt.Errorf("%s is not carried out in the database", e.kind)
	}
	return finding{failed: true, note: "cannot be done or undone", openCase: payment.CaseFailedEffect}, nil
}

// namedMax is how many articles that are short a note names.
const namedMax = 20

// article is how much of an article the order has, and how much there is.
type article struct {
	sku             string
	ordered, stored int64
}

// deductStock lowers the stock by the lines of the order. Articles without a row
// are not tracked. Of an article that is short nothing is deducted: the order is
// paid and stays so, and a person decides.
func (e *lockedEffect) deductStock(ctx context.Context, tx pgx.Tx, at time.Time) (finding, error) {
	articles, err := e.lockArticles(ctx, tx)
	if err != nil {
		return finding{}, err
	}
	var short, skus []string
	missing := 0
	var left []int64
	taken := make(map[string]int64, len(articles))
	for _, a := range articles {
		if a.stored < a.ordered {
			if missing++; missing <= namedMax {
				short = append(short, fmt.Sprintf("%s (%d ordered, %d left)", a.sku, a.ordered, a.stored))
			}
			continue
		}
		skus, left = append(skus, a.sku), append(left, a.stored-a.ordered)
		taken[a.sku] = a.ordered
	}
	if err := e.took(ctx, tx, taken); err != nil {
		return finding{}, err
	}
	_, err = tx.Exec(ctx, `update stock s set quantity = u.quantity, updated_at = $4
		from unnest($2::text[], $3::bigint[]) as u (sku, quantity) where s.store = $1 and s.sku = u.sku`,
		e.store, skus, left, at)
	if err != nil || missing == 0 {
		return finding{}, err
	}
	if missing > namedMax {
		short = append(short, fmt.Sprintf("and %d more", missing-namedMax))
	}
	return finding{note: "out of stock: " + strings.Join(short, ", "), openCase: payment.CaseOutOfStock}, nil
}

// lockArticles locks the stock of the order's articles, in the order in which
// everybody does, so that no two orders wait for each other in a circle.
func (e *lockedEffect) lockArticles(ctx context.Context, tx pgx.Tx) ([]article, error) {
	rows, _ := tx.Query(ctx, `with ordered as materialized (
			select line->>'sku' as sku, sum((line->>'quantity')::bigint)::bigint as quantity
			from order_details d, json_array_elements(d.body->'lines') line
			where d.order_id = $1 and line->>'sku' <> '' group by 1)
		select s.sku, o.quantity, s.quantity from stock s join ordered o on o.sku = s.sku
		where s.store = $2 and o.quantity > 0 order by s.sku collate "C" for update of s`, [16]byte(e.order), e.store)
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (article, error) {
		var a article
		err := row.Scan(&a.sku, &a.ordered, &a.stored)
		return a, err
	})
}

// trackPromotionCode counts a use of the code. One use too many is only noted:
// the shopper was promised the price.
func (e *lockedEffect) trackPromotionCode(ctx context.Context, tx pgx.Tx, at time.Time) (finding, error) {
	var over bool
	err := tx.QueryRow(ctx, `insert into promotion_codes (store, code, used, updated_at) values ($1, $2, 1, $3)
		on conflict (store, code) do update set used = promotion_codes.used + 1, updated_at = excluded.updated_at
		returning coalesce(used > usage_max, false)`, e.store, e.subject, at).Scan(&over)
	if err != nil || !over {
		return finding{}, err
	}
	return finding{note: "the promotion code " + e.subject + " was used more often than it allows"}, nil
}
