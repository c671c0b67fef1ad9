package jobs

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/riverqueue/river"
	"github.com/riverqueue/river/riverdriver/riverpgxv5"
	"github.com/riverqueue/river/rivertype"
)

// The queues, and how many jobs of each are worked at once by one instance. They
// are apart, so that a mail server or an endpoint that hangs holds up nobody else.
const (
	queueSweeps     = "sweeps"
	queueMails      = "mails"
	queueDeliveries = "deliveries"

	sweepsMax     = 8 // more than there are sweeps: none waits for another
	mailsMax      = 4
	deliveriesMax = 16
)

// riverConnections are those of River itself: it fetches jobs and marks them
// done. One of them listens. What jobs do has connections of its own.
const riverConnections = 4

const (
	// workMax is how long a job may take that says nothing else, and rescueAfter when
	// one that was begun is taken for lost with its instance.
	workMax     = 30 * time.Second
	rescueAfter = 45 * time.Second
	// pollEvery is how often a queue is looked at that no message of PostgreSQL told of.
	pollEvery = time.Second
	startWait = 2 * time.Second
	// doneKept is how long jobs are kept that are done: as long as their unique
	// arguments keep others out. parkedKept is for operators.
	doneKept   = time.Hour
	parkedKept = 90 * 24 * time.Hour
)

// riverQueue is the queue in our database.
type riverQueue struct {
	jobs   *Jobs
	pool   *pgxpool.Pool
	client *river.Client[pgx.Tx]
}

func newRiverQueue(ctx context.Context, j *Jobs) (*riverQueue, error) {
	config, err := pgxpool.ParseConfig(j.DatabaseURL)
	if err != nil {
		return nil, fmt.Errorf("database URL: %w", err)
	}
	config.MaxConns = riverConnections
	config.ConnConfig.RuntimeParams["application_name"] = "paysvc jobs"
	pool, err := pgxpool.NewWithConfig(ctx, config) // it connects when it is used
	if err != nil {
		return nil, fmt.Errorf("jobs: %w", err)
	}
	q := &riverQueue{jobs: j, pool: pool}
	q.client, err = river.NewClient(riverpgxv5.New(pool), &river.Config{
		Queues: map[string]river.QueueConfig{
			queueSweeps: {MaxWorkers: sweepsMax}, queueMails: {MaxWorkers: mailsMax}, queueDeliveries: {MaxWorkers: deliveriesMax},
		},
		Workers: j.workers(), PeriodicJobs: j.periodic(),
		JobTimeout: workMax, RescueStuckJobsAfter: rescueAfter, SoftStopTimeout: j.DrainMax,
		FetchPollInterval: pollEvery, CompletedJobRetentionPeriod: doneKept,
		CancelledJobRetentionPeriod: parkedKept, DiscardedJobRetentionPeriod: parkedKept,
		Logger: slog.New(logHandler{log: j.Log}),
	})
	if err != nil {
		pool.Close()
		return nil, fmt.Errorf("jobs: %w", err)
	}
	return q, nil
}

// run works jobs until ctx ends or the instance drains. A database that is not
// there yet is waited for.
func (q *riverQueue) run(ctx context.Context) {
	working, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-q.jobs.draining:
			stop()
		case <-working.Done():
		}
	}()
	for first := true; working.Err() == nil; first = false {
		err := q.client.Start(working)
		if err == nil {
			<-q.client.Stopped()
			return
		}
		if first && working.Err() == nil {
			q.jobs.Log.Error().Err(err).Msg("background work cannot begin; it is tried again")
		}
		select {
		case <-working.Done():
		case <-time.After(startWait):
		}
	}
}

// Enqueue implements Queue.
func (q *riverQueue) Enqueue(ctx context.Context, jobs ...river.JobArgs) error {
	if len(jobs) == 0 {
		return nil
	}
	many := make([]river.InsertManyParams, len(jobs))
	for i, args := range jobs {
		metadata, err := json.Marshal(metadataOf(args))
		if err != nil {
			return fmt.Errorf("enqueue %s: %w", args.Kind(), err)
		}
		many[i] = river.InsertManyParams{Args: args, InsertOpts: &river.InsertOpts{Metadata: metadata}}
	}
	if _, err := q.client.InsertMany(ctx, many); err != nil {
		return fmt.Errorf("enqueue: %w", err)
	}
	return nil
}

// unfinished are the states of a job that is still to be worked.
func unfinished() []rivertype.JobState {
	return []rivertype.JobState{
		rivertype.JobStateAvailable, rivertype.JobStatePending, rivertype.JobStateRetryable, rivertype.JobStateRunning,
		rivertype.JobStateScheduled,
	}
}
