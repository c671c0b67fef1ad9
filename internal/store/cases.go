package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// ListCases lists the cases of a store, newest first; of every state and kind
// where these are "".
func (s *Store) ListCases(
	ctx context.Context, store, state, kind string, p payment.Page,
) ([]payment.Case, string, error) {
	var before *[16]byte
	if p.After != "" {
		id, err := payment.ParseCaseID(p.After)
		if err != nil {
			return nil, "", errCursor
		}
		before = (*[16]byte)(&id)
	}
	limit := pageLimit(p)
	rows, err := collect(ctx, s, scanCase, `select id, store, order_id, kind, transaction, subject, state, detail, opened_at
		from cases where store = $1 and ($2 = '' or state = $2) and ($3 = '' or kind = $3)
			and ($4::uuid is null or id < $4) order by id desc limit $5`, store, state, kind, before, limit+1)
	if err != nil {
		return nil, "", fmt.Errorf("list cases: %w", err)
	}
	page, next := paged(rows, limit, func(c payment.Case) string { return c.ID.String() })
	return page, next, nil
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
