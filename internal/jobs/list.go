package jobs

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/rivertype"

	"github.com/paysvc/paysvc/internal/payment"
)

const (
	pageDefault     = 50
	pageMax         = 200
	uniqueViolation = "23505" // SQLSTATE
)

// errNoQueue is what simulations hear, whose queue is their own.
var errNoQueue = payment.Errorf(payment.KindUnavailable, "jobs_unavailable", "there is no queue here")

// riverStates are the states of River that a state of ours stands for.
func riverStates(s payment.JobState) []rivertype.JobState {
	switch s {
	case payment.JobParked:
		return []rivertype.JobState{rivertype.JobStateDiscarded, rivertype.JobStateCancelled}
	case payment.JobRunning:
		return []rivertype.JobState{rivertype.JobStateRunning}
	case payment.JobWaiting:
		return []rivertype.JobState{
			rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateScheduled,
		}
	}
	return append(unfinished(), rivertype.JobStateDiscarded, rivertype.JobStateCancelled)
}

// ListJobs returns a page of a store's jobs in a state, or in any but done for "",
// newest first, and the cursor of the next page, "" for none.
func (j *Jobs) ListJobs(
	ctx context.Context, store string, state payment.JobState, page payment.Page,
) (found []payment.Job, next string, err error) {
	if j.river == nil {
		return nil, "", errNoQueue
	}
	ofStore, err := json.Marshal(metadata{Store: store})
	if err != nil {
		return nil, "", fmt.Errorf("list jobs: %w", err)
	}
	limit := pageDefault
	if page.Limit > 0 {
		limit = min(page.Limit, pageMax)
	}
	params := river.NewJobListParams().States(riverStates(state)...).Metadata(string(ofStore)).
		OrderBy(river.JobListOrderByID, river.SortOrderDesc).First(limit + 1)
	if page.After != "" {
		before, err := payment.ParseJobID(page.After)
		if err != nil {
			return nil, "", payment.Invalid("cursor", "cursor_invalid", "is not a cursor that this list gave")
		}
		params = params.Where("id < @before", river.NamedArgs{"before": int64(before)})
	}
	rows, err := j.river.client.JobList(ctx, params)
	if err != nil {
		return nil, "", fmt.Errorf("list jobs: %w", err)
	}
	for i, row := range rows.Jobs {
		if i == limit {
			return found, found[limit-1].ID.String(), nil
		}
		found = append(found, jobOf(row))
	}
	return found, "", nil
}

// RetryJob has a job of a store tried again, now. A job that is done is not.
func (j *Jobs) RetryJob(ctx context.Context, store string, id payment.JobID) (payment.Job, error) {
	if j.river == nil {
		return payment.Job{}, errNoQueue
	}
	row, err := j.river.client.JobGet(ctx, int64(id))
	if errors.Is(err, river.ErrNotFound) || err == nil && !ofStore(row, store) {
		return payment.Job{}, payment.NotFound("a job of this id")
	}
	if err == nil && row.State == rivertype.JobStateCompleted {
		return payment.Job{}, payment.Errorf(payment.KindConflict, "job_done", "the job is done")
	}
	if err == nil {
		row, err = j.river.client.JobRetry(ctx, int64(id))
	}
	if violation, ok := errors.AsType[*pgconn.PgError](err); ok && violation.Code == uniqueViolation {
		return payment.Job{}, payment.Errorf(payment.KindConflict, "job_waiting", "the same work waits in another job")
	}
	if err != nil {
		return payment.Job{}, fmt.Errorf("retry %s: %w", id, err)
	}
	return jobOf(row), nil
}

func ofStore(row *rivertype.JobRow, store string) bool {
	var m metadata
	return json.Unmarshal(row.Metadata, &m) == nil && m.Store != "" && m.Store == store
}

func jobOf(row *rivertype.JobRow) payment.Job {
	job := payment.Job{
		ID: payment.JobID(row.ID), Kind: row.Kind, State: payment.JobWaiting, Tries: row.Attempt, At: row.ScheduledAt.UTC(),
	}
	var m metadata
	if json.Unmarshal(row.Metadata, &m) == nil {
		job.Order, _ = payment.ParseOrderID(m.Order) // of none when it names none
	}
	if len(row.Errors) > 0 {
		job.Error = row.Errors[len(row.Errors)-1].Error
	}
	switch {
	case row.State == rivertype.JobStateRunning && row.AttemptedAt != nil:
		job.State, job.At = payment.JobRunning, row.AttemptedAt.UTC()
	case row.FinalizedAt != nil:
		job.State, job.At = payment.JobParked, row.FinalizedAt.UTC()
	}
	return job
}
