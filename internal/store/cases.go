package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// ListCases returns a page of a store's cases of a state and a kind, or of any
// for "", newest first, and the cursor of the next page, "" for none.
func (s *Store) ListCases(
	ctx context.Context, store, state string, kind payment.CaseKind, page payment.Page,
) ([]payment.Case, string, error) {
	w := &where{}
	w.add("store = ?", store)
	w.equal("state = ?", state)
	w.equal("kind = ?", string(kind))
	if page.After != "" {
		id, err := payment.ParseCaseID(page.After)
		if err != nil {
			return nil, "", errCursor
		}
		w.add("id < ?", [16]byte(id))
	}
	limit := pageLimit(page)
	found, err := collect(ctx, s, scanCase, fmt.Sprintf(`select id, store, order_id, kind, transaction, subject, state,
			detail, opened_at
		from cases where %s order by id desc limit %d`, w, limit+1), append([]any{planned}, w.args...)...)
	if err != nil {
		return nil, "", fmt.Errorf("list cases: %w", err)
	}
	list, next := paged(found, limit, func(c payment.Case) string { return c.ID.String() })
	return list, next, nil
}

func scanCase(row pgx.CollectableRow) (payment.Case, error) {
	var c payment.Case
	var id [16]byte
	var order *[16]byte
	err := row.Scan(&id, &c.Store, &order, &c.Kind, &c.Transaction, &c.Subject, &c.State, &c.Detail, &c.OpenedAt)
	c.ID, c.OpenedAt = id, c.OpenedAt.UTC()
	if order != nil {
		c.Order = *order
	}
	return c, err
}
