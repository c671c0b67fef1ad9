package store

import "github.com/jackc/pgx/v5"

// behind is a row whose first columns are scanned into first, and the others by
// whoever knows them; nil skips a column.
type behind struct {
	pgx.CollectableRow
	first []any
}

// Scan implements pgx.Row.
func (r behind) Scan(dest ...any) error {
	return r.CollectableRow.Scan(append(r.first[:len(r.first):len(r.first)], dest...)...)
}

// ahead is a row whose last columns are scanned into last.
type ahead struct {
	pgx.CollectableRow
	last []any
}

// Scan implements pgx.Row.
func (r ahead) Scan(dest ...any) error { return r.CollectableRow.Scan(append(dest, r.last...)...) }
