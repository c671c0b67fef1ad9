package store

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/paysvc/paysvc/internal/payment"
)

const runColumns = `n, pipeline, hash, state, payment, steps, error, tries, token, begun_at, ended_at, due_at, cause`

// Run reads the journal of a run of a store's order.
func (s *Store) Run(ctx context.Context, store string, id payment.RunID) (*payment.RunRecord, error) {
	var run *payment.RunRecord
	err := s.read(ctx, func(ctx context.Context, conn *pgxpool.Conn) error {
		rows, _ := conn.Query(ctx, `select `+runColumns+` from runs
			where order_id = $1 and n = $2 and exists (select from orders where id = $1 and store = $3)`,
			[16]byte(id.Order), id.N, store)
		var err error
		run, err = pgx.CollectExactlyOneRow(rows, scanRun)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, payment.NotFound("a run of this id")
	}
	if err != nil {
		return nil, fmt.Errorf("read run %s: %w", id, err)
	}
	return run, nil
}

// DueRuns leases runs that a job is to take up: nobody else gets them until
// leaseUntil. Whoever goes on with one names its token in Opening.Journal.
func (s *Store) DueRuns(ctx context.Context, now, leaseUntil time.Time, limit int) ([]payment.DueRun, error) {
	due, err := lease(ctx, s, `with due as materialized (
			select order_id, n from runs where due_at <= $1 order by due_at limit $3 for update skip locked)
		update runs r set due_at = $2 from due, orders o
		where r.order_id = due.order_id and r.n = due.n and o.id = r.order_id
		returning r.order_id, r.n, o.store`,
		func(row pgx.CollectableRow) (payment.DueRun, error) {
			id, store, err := scanLeased(row)
			return payment.DueRun{ID: payment.RunID(id), Store: store}, err
		}, now, leaseUntil, limit)
	if err != nil {
		return nil, fmt.Errorf("lease runs: %w", err)
	}
	return due, nil
}

func scanRun(row pgx.CollectableRow) (*payment.RunRecord, error) {
	r := &payment.RunRecord{}
	var steps, cause []byte
	var token [16]byte
	var ended, due *time.Time
	err := row.Scan(&r.N, &r.Pipeline, &r.Hash, &r.State, &r.Payment, &steps, &r.Error, &r.Tries, &token, &r.BegunAt,
		&ended, &due, &cause)
	if err != nil {
		return nil, err
	}
	r.Token, r.BegunAt, r.EndedAt, r.DueAt = token, r.BegunAt.UTC(), timeOf(ended), timeOf(due)
	if err = decodeCause(cause, r); err != nil {
		return nil, err
	}
	r.Steps, err = decodeSteps(steps)
	return r, err
}

// stepJSON is a step of a run as the column steps keeps it.
type stepJSON struct {
	Step    string    `json:"step"`
	Result  string    `json:"result"`
	BegunAt time.Time `json:"begun_at"`
	TookNS  int64     `json:"took_ns"`
	Error   string    `json:"error,omitempty"`
}

func encodeSteps(steps []payment.StepRecord) ([]byte, error) {
	out := make([]stepJSON, len(steps))
	for i, s := range steps {
		out[i] = stepJSON{
			Step: s.Step, Result: s.Result, BegunAt: s.BegunAt.UTC(), TookNS: s.Took.Nanoseconds(), Error: s.Error,
		}
	}
	body, err := json.Marshal(out, tolerant)
	if err != nil {
		return nil, fmt.Errorf("encode steps: %w", err)
	}
	return body, nil
}

func decodeSteps(body []byte) ([]payment.StepRecord, error) {
	var in []stepJSON
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, fmt.Errorf("stored steps: %w", err)
	}
	steps := make([]payment.StepRecord, len(in))
	for i, s := range in {
		steps[i] = payment.StepRecord{
			Step: s.Step, Result: s.Result, BegunAt: s.BegunAt, Took: time.Duration(s.TookNS), Error: s.Error,
		}
	}
	return steps, nil
}
