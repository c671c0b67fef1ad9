package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

// Timeline returns the history of a store's order, oldest first: its notes,
// transactions, runs, notifications (without raw message and facts) and events.
// Of a history longer than limit the latest part is returned.
func (s *Store) Timeline(
	ctx context.Context, store string, id payment.OrderID, limit int,
) ([]payment.TimelineEntry, error) {
	limit = bounded(limit)
	var t timeline
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		t = timeline{}
		return conn.SendBatch(ctx, t.queries(store, id, limit)).Close()
	})
	if errors.Is(err, pgx.ErrNoRows) {
		err = payment.ErrOrderNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("timeline of order %s: %w", id, err)
	}
	slices.SortStableFunc(t.lines, timelineLine.compare)
	if cut := len(t.lines) - limit; cut > 0 {
		t.lines = t.lines[cut:]
	}
	entries := make([]payment.TimelineEntry, len(t.lines))
	for i, l := range t.lines {
		entries[i] = l.TimelineEntry
	}
	return entries, nil
}

// timeline gathers the lines of a history.
type timeline struct{ lines []timelineLine }

// timelineLine is an entry and where it stands among those of the same instant,
// as all that a stretch writes is: what came in, then the order's children as
// they were numbered, then what the world was told.
type timelineLine struct {
	payment.TimelineEntry
	rank, n int
}

func (l timelineLine) compare(m timelineLine) int {
	return cmp.Or(l.At.Compare(m.At), cmp.Compare(l.rank, m.rank), cmp.Compare(l.n, m.n))
}

// queries are sent in one round trip; none reads more than limit rows. The first
// is about the order, so that nothing is read of another store's.
func (t *timeline) queries(store string, id payment.OrderID, limit int) *pgx.Batch {
	var currency payment.Currency
	batch := &pgx.Batch{}
	batch.Queue("select currency from orders where id = $1 and store = $2", [16]byte(id), store).
		QueryRow(func(row pgx.Row) error {
			var code string
			err := row.Scan(&code)
			if err == nil {
				currency, err = payment.ParseCurrency(code)
			}
			return err
		})
	queue := func(query string, scan pgx.RowToFunc[timelineLine]) {
		batch.Queue(query, [16]byte(id), limit).Query(func(rows pgx.Rows) error {
			lines, err := pgx.CollectRows(rows, scan)
			t.lines = append(t.lines, lines...)
			return err
		})
	}
	queue(`select `+notificationColumns+` from notifications where order_id = $1 order by id desc limit $2`, notificationLine)
	queue(`select n, author, text, display_to_customer, at from notes where order_id = $1 order by n desc limit $2`, noteLine)
	queue(`select `+transactionColumns+` from transactions where order_id = $1 order by n desc limit $2`,
		func(row pgx.CollectableRow) (timelineLine, error) { return transactionLine(row, currency) })
	queue(`select `+runColumns+` from runs where order_id = $1 order by n desc limit $2`, runLine)
	queue(`select `+eventColumns+` from events e where order_id = $1 order by n desc limit $2`, eventLine)
	return batch
}

func notificationLine(row pgx.CollectableRow) (l timelineLine, err error) {
	if l.Notification, err = scanNotification(row); err == nil {
		l.At = l.Notification.ReceivedAt
	}
	return l, err
}

func noteLine(row pgx.CollectableRow) (timelineLine, error) {
	n, err := scanNote(row)
	return timelineLine{TimelineEntry: payment.TimelineEntry{At: n.At, Note: &n}, rank: 1, n: n.N}, err
}

func transactionLine(row pgx.CollectableRow, c payment.Currency) (timelineLine, error) {
	t, _, err := scanTransaction(row, c)
	if err != nil {
		return timelineLine{}, err
	}
	return timelineLine{TimelineEntry: payment.TimelineEntry{At: t.CreatedAt, Transaction: t}, rank: 1, n: t.N}, nil
}

func runLine(row pgx.CollectableRow) (timelineLine, error) {
	r, err := scanRun(row)
	if err != nil {
		return timelineLine{}, err
	}
	return timelineLine{TimelineEntry: payment.TimelineEntry{At: r.BegunAt, Run: r}, rank: 1, n: r.N}, nil
}

func eventLine(row pgx.CollectableRow) (timelineLine, error) {
	e, err := scanEvent(row)
	return timelineLine{TimelineEntry: payment.TimelineEntry{At: e.At, Event: &e}, rank: 2, n: e.N}, err
}
