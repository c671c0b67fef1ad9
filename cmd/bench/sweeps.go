package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

const (
	// sweptOrders is how many orders the tables hold, over so many days.
	sweptOrders = 1_000_000
	sweptDays   = 100
	sweptBatch  = 100
)

// sweep is what a sweep asks the database, in the words of the store.
type sweep struct {
	name string
	ask  func(ctx context.Context, at time.Time) error
	// always tells that it reads as much when nothing is due.
	always bool
}

// sweeps are those that look into tables which grow with the orders.
func sweeps(s *store.Store, window payment.Comparison) []sweep {
	account := payment.AccountName{Store: "demo", Gateway: "sandbox", Account: "main", Mode: payment.ModeTest}
	return []sweep{
		{"inquiries", func(ctx context.Context, at time.Time) error {
			return leased(s.DueTransactions(ctx, at, at, sweptBatch))
		}, false},
		{"runs", func(ctx context.Context, at time.Time) error { return leased(s.DueRuns(ctx, at, at, sweptBatch)) }, false},
		{"effects", func(ctx context.Context, at time.Time) error { return leased(s.DueEffects(ctx, at, at, sweptBatch)) }, false},
		{"notifications", func(ctx context.Context, at time.Time) error {
			return leased(s.DueNotifications(ctx, at, at, sweptBatch))
		}, false},
		{"expiry", func(ctx context.Context, at time.Time) error {
			_, _, err := s.DueOrders(ctx, at, at, sweptBatch)
			return err
		}, false},
		{"releases", func(ctx context.Context, at time.Time) error { return leased(s.DueReleases(ctx, at, at, sweptBatch)) }, false},
		{"authorizations", func(ctx context.Context, at time.Time) error { return leased(s.DueClocks(ctx, at, at, sweptBatch)) }, false},
		{"reconciliation", func(ctx context.Context, at time.Time) error {
			return leased(s.DueComparisons(ctx, at, at, sweptBatch))
		}, false},
		{"reconciliation, a day's", func(ctx context.Context, _ time.Time) error {
			return leased(s.Unseen(ctx, account, window, sweptBatch))
		}, true},
		{"idempotency-keys", func(ctx context.Context, at time.Time) error { return leased(s.ReapClaims(ctx, at, sweptBatch)) }, false},
		{"deliveries", func(ctx context.Context, at time.Time) error { return leased(s.DueTargets(ctx, at, sweptBatch)) }, true},
	}
}

// leased leaves what was found: how it is found is what counts.
func leased[T any](_ T, err error) error { return err }

// explainSweeps fills the tables, has each sweep ask, and prints how the database
// finds what is due, and how much it reads where nothing is.
func explainSweeps(ctx context.Context) error {
	db, err := openDatabase(ctx)
	if err != nil {
		return err
	}
	defer db.close()
	now := time.Now().UTC().Truncate(time.Microsecond)
	began := time.Now()
	if err := db.fill(ctx, now); err != nil {
		return fmt.Errorf("fill the tables: %w", err)
	}
	fmt.Fprintf(os.Stderr, "filled with %d orders in %s\n", sweptOrders, time.Since(began).Round(time.Second))
	recorder := &recorder{}
	books, err := store.Open(ctx, db.url, store.Options{ConnectionsMax: 2, Tracer: recorder})
	if err != nil {
		return err
	}
	defer books.Close()
	var window payment.Comparison
	window.Between(payment.FirstID(now), now.Add(-48*time.Hour), now.Add(-24*time.Hour), now)
	table := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', 0)
	fmt.Printf("PostgreSQL %s, %d orders\n\n", db.version, sweptOrders)
	fmt.Fprintln(table, "sweep\tdue: ms\tpages\tnothing due: ms\tpages\t")
	var plans strings.Builder
	for _, s := range sweeps(books, window) {
		busy, err := db.plan(ctx, recorder, s, now)
		if err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
		idle := explained{}
		if !s.always {
			if idle, err = db.plan(ctx, recorder, s, now.Add(-1000*24*time.Hour)); err != nil {
				return fmt.Errorf("%s, when nothing is due: %w", s.name, err)
			}
		}
		busy.row(table, s, idle)
		fmt.Fprintf(&plans, "\n%s\n%s", s.name, busy.text)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	_, err = io.WriteString(os.Stdout, plans.String())
	return err
}

// explained is the plan of a statement, as it was carried out.
type explained struct {
	text  string
	took  time.Duration
	pages int
}

func (e explained) row(w io.Writer, s sweep, idle explained) {
	fmt.Fprintf(w, "%s\t%.2f\t%d\t", s.name, float64(e.took.Microseconds())/1000, e.pages)
	if !s.always {
		fmt.Fprintf(w, "%.2f\t%d\t\n", float64(idle.took.Microseconds())/1000, idle.pages)
		return
	}
	fmt.Fprintln(w, "\t\t")
}

// plan has a sweep ask once, then explains what it asked last, and takes it back.
func (db *database) plan(ctx context.Context, r *recorder, s sweep, at time.Time) (explained, error) {
	asked, err := r.during(func() error { return s.ask(ctx, at) })
	if err != nil {
		return explained{}, err
	}
	if len(asked.steps) == 0 {
		return explained{}, errors.New("it asked nothing")
	}
	last := asked.steps[len(asked.steps)-1].queries[0]
	args := slices.DeleteFunc(slices.Clone(last.args), func(arg any) bool { _, mode := arg.(pgx.QueryExecMode); return mode })
	tx, err := db.pool.Begin(ctx)
	if err != nil {
		return explained{}, err
	}
	defer func() { _ = tx.Rollback(ctx) }() // it is only explained
	var e explained
	for _, format := range []string{"json", "text"} {
		if _, err := tx.Exec(ctx, "savepoint before"); err != nil {
			return e, err
		}
		rows, _ := tx.Query(ctx, "explain (analyze, buffers, costs off, format "+format+") "+last.sql, args...)
		lines, err := pgx.CollectRows(rows, pgx.RowTo[string])
		if err != nil {
			return e, err
		}
		if format == "text" {
			e.text = strings.Join(lines, "\n") + "\n"
		} else if err := e.measure(lines); err != nil {
			return e, err
		}
		if _, err := tx.Exec(ctx, "rollback to before"); err != nil {
			return e, err
		}
	}
	return e, nil
}
