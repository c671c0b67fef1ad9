package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/riverqueue/river"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// kind is one kind of job, with what it takes to work it. A new kind is a file
// with its arguments and its work, and one line in workers.
type kind[A river.JobArgs] struct {
	river.WorkerDefaults[A]

	jobs *Jobs
	// work does the job. What it returns is kept, shown to operators and logged, so
	// it must hold no personal data. It may run more than once for a job, on several
	// instances too, when one of them dies.
	work func(ctx context.Context, args A) error
	// timeout bounds a try; zero is workMax.
	timeout time.Duration
	// backoff is how long to wait after so many failed tries.
	backoff func(failed int) time.Duration
	// gaveUp, when set, hears of a job that is parked: its last try failed, or it was
	// refused for good.
	gaveUp func(ctx context.Context, args A) error
}

// errRefused marks an error that another try would only repeat.
var errRefused = errors.New("refused for good")

// refused makes a job that fails with err be parked at once.
func refused(err error) error { return fmt.Errorf("%w: %w", errRefused, err) }

// Work implements river.Worker.
func (k *kind[A]) Work(ctx context.Context, job *river.Job[A]) error {
	last := job.Attempt >= job.MaxAttempts
	err := k.try(k.jobs.Background(ctx), job.Args, last)
	if err == nil {
		return nil
	}
	if stopped(ctx) {
		return errors.Join(context.Canceled, err) // which River takes for no try at all
	}
	k.jobs.Log.Warn().Err(err).Str("job", job.Kind).Int64("id", job.ID).Int("try", job.Attempt).
		Bool("parked", last || errors.Is(err, errRefused)).Msg("job failed")
	if errors.Is(err, errRefused) {
		return river.JobCancel(err)
	}
	return err
}

// try works a job once, and tells whoever has to know when that was the end of
// it: the job is refused for good, or this was its last try.
func (k *kind[A]) try(ctx context.Context, args A, last bool) error {
	err := guarded(func() error { return k.work(ctx, args) })
	if err == nil || k.gaveUp == nil || stopped(ctx) {
		return err
	}
	if last || errors.Is(err, errRefused) {
		telling, cancel := context.WithTimeout(context.WithoutCancel(ctx), itemMax)
		defer cancel()
		err = errors.Join(err, guarded(func() error { return k.gaveUp(telling, args) }))
	}
	return err
}

// stopped tells whether the instance has stopped under the job, which says
// nothing about the job.
func stopped(ctx context.Context) bool { return errors.Is(ctx.Err(), context.Canceled) }

// Timeout implements river.Worker.
func (k *kind[A]) Timeout(*river.Job[A]) time.Duration { return k.timeout }

// NextRetry implements river.Worker.
func (k *kind[A]) NextRetry(job *river.Job[A]) time.Time {
	if k.backoff == nil {
		return time.Time{}
	}
	return k.jobs.Now().Add(k.backoff(job.Attempt))
}

// guarded turns a panic into an error.
func guarded(work func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = pipeline.PanicError(p)
		}
	}()
	return work()
}

// about is implemented by the arguments of jobs that are of a store. Only those
// are in the operators' list.
type about interface{ about() metadata }

// metadata is kept beside a job's arguments: what operators find it by.
type metadata struct {
	Store string `json:"store,omitempty"`
	Order string `json:"order,omitempty"`
}

func metadataOf(args river.JobArgs) metadata {
	if a, ok := args.(about); ok {
		return a.about()
	}
	return metadata{}
}
