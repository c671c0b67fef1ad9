package store

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// SetPromotionCodes sets the limits of up to 1000 promotion codes of a store.
// Used only counts for codes that are new: how often a code was used is counted
// here, and a caller's count would always be late.
func (s *Store) SetPromotionCodes(ctx context.Context, store string, codes []payment.PromotionCode, at time.Time) error {
	if err := checkItems(codes, func(c payment.PromotionCode) string { return c.Code }); err != nil {
		return err
	}
	codes = slices.SortedFunc(slices.Values(codes),
		func(a, b payment.PromotionCode) int { return cmp.Compare(a.Code, b.Code) })
	names, used, limits := make([]string, len(codes)), make([]int64, len(codes)), make([]*int64, len(codes))
	for i, c := range codes {
		if c.Used < 0 || c.UsageMax != nil && *c.UsageMax < 0 {
			return payment.Invalid("used", "quantity_invalid", "must not be negative")
		}
		names[i], used[i], limits[i] = c.Code, c.Used, c.UsageMax
	}
	_, err := s.put(ctx, `insert into promotion_codes (store, code, used, usage_max, updated_at)
		select $1, code, used, usage_max, $5
		from unnest($2::text[], $3::bigint[], $4::bigint[]) as new (code, used, usage_max)
		on conflict (store, code) do update set usage_max = excluded.usage_max, updated_at = excluded.updated_at`,
		store, names, used, limits, at)
	if err != nil {
		return fmt.Errorf("set promotion codes: %w", err)
	}
	return nil
}

// PromotionCode reads a promotion code of a store.
func (s *Store) PromotionCode(ctx context.Context, store, code string) (payment.PromotionCode, error) {
	found, err := collect(ctx, s, scanPromotion, `select code, used, usage_max, updated_at from promotion_codes
		where store = $1 and code = $2`, store, code)
	if err == nil && len(found) == 0 {
		err = errNoPromotion
	}
	if err != nil {
		return payment.PromotionCode{}, fmt.Errorf("read promotion code: %w", err)
	}
	return found[0], nil
}

var errNoPromotion = payment.NotFound("the promotion code")

// ListPromotionCodes returns a page of a store's promotion codes by code, and
// the cursor of the next page, "" for none.
func (s *Store) ListPromotionCodes(
	ctx context.Context, store string, page payment.Page,
) ([]payment.PromotionCode, string, error) {
	after, err := parseTextCursor(page.After)
	if err != nil {
		return nil, "", err
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanPromotion, `select code, used, usage_max, updated_at from promotion_codes
		where store = $1 and code > $2 order by code limit $3`, store, after, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list promotion codes: %w", err)
	}
	list, next := paged(found, limit, func(c payment.PromotionCode) string { return textCursor(c.Code) })
	return list, next, nil
}

// DeletePromotionCode deletes a promotion code of a store and its count.
func (s *Store) DeletePromotionCode(ctx context.Context, store, code string) error {
	n, err := s.put(ctx, "delete from promotion_codes where store = $1 and code = $2", store, code)
	if err == nil && n == 0 {
		err = errNoPromotion
	}
	if err != nil {
		return fmt.Errorf("delete promotion code: %w", err)
	}
	return nil
}

func scanPromotion(row pgx.CollectableRow) (payment.PromotionCode, error) {
	var c payment.PromotionCode
	err := row.Scan(&c.Code, &c.Used, &c.UsageMax, &c.UpdatedAt)
	c.UpdatedAt = c.UpdatedAt.UTC()
	return c, err
}
