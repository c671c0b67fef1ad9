package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// RecordedRuns lists runs, those of the newest order first and of each order the
// latest first: the order of the table's key, so that it costs no index of its
// own. after is the last run of the list before, zero for the first list. It
// reads at most limit runs, 1000 at the most.
func (s *Store) RecordedRuns(
	ctx context.Context, f payment.RunFilter, after payment.RunID, limit int,
) ([]payment.RecordedRun, error) {
	w := &where{}
	w.equal("o.store = ?", f.Store)
	w.equal("r.pipeline = ?", f.Pipeline)
	if after != (payment.RunID{}) {
		w.add("(r.order_id, r.n) < (?, ?)", [16]byte(after.Order), after.N)
	}
	condition := ""
	if len(w.conditions) > 0 {
		condition = " where " + w.String()
	}
	limited := w.bind(bounded(limit))
	runs, err := collect(ctx, s, scanRecordedRun, `select r.order_id, o.store, `+runColumns+`
		from runs r join orders o on o.id = r.order_id`+condition+`
		order by r.order_id desc, r.n desc limit `+limited, w.args...)
	if err != nil {
		return nil, fmt.Errorf("list runs: %w", err)
	}
	return runs, nil
}

func scanRecordedRun(row pgx.CollectableRow) (payment.RecordedRun, error) {
	var r payment.RecordedRun
	var order [16]byte
	record, err := scanRun(behind{row, []any{&order, &r.Store}})
	if err != nil {
		return r, err
	}
	r.RunRecord, r.ID = *record, payment.RunID{Order: order, N: record.N}
	return r, nil
}
