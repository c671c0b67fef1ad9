package moments

import (
	"context"
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Journal lists recorded runs: those of the newest order first, behind the one
// that the list before ended with.
type Journal interface {
	RecordedRuns(ctx context.Context, f payment.RunFilter, after payment.RunID, limit int) ([]payment.RecordedRun, error)
}

// ReplayCommand asks which recorded runs other settings would decide otherwise.
type ReplayCommand struct {
	payment.RunFilter
	// Runs is how many are tried, 1 to ReplayMax.
	Runs int
}

// ReplayMax bounds how many runs one command tries.
const ReplayMax = 10_000

// replayBatch is how many runs are held in memory at a time.
const replayBatch = 100

// Replayed is a recorded run, and how other settings would decide it otherwise.
type Replayed struct {
	payment.RecordedRun
	OnOrder     *payment.Order // as it stands now; nil where it could not be read
	Differences []pipeline.Difference
	// MovedOn tells that the same pipeline would not decide today as the journal
	// says: the order is not what it was then.
	MovedOn bool
	// Err is why the run could not be tried; nil otherwise.
	Err error
}

// ReplaySummary counts what a replay found. MovedOn counts tried runs of which the
// journal says otherwise, differing or not.
type ReplaySummary struct {
	Tried, Differing, MovedOn, Failed int
}

// TryRecorded tries recorded runs under the settings of this service and under
// those of another, each on its order as it stands now: what an order was like
// when a run was recorded is not kept. Runs that differ and runs that cannot be
// tried are given to each as they are found; its error ends the replay, and so
// does the end of ctx.
func (s *Service) TryRecorded(
	ctx context.Context, other *Service, journal Journal, c ReplayCommand, each func(Replayed) error,
) (ReplaySummary, error) {
	var sum ReplaySummary
	var last payment.RunID
	var order *payment.Order // of the last run: those of an order follow each other
	for left := c.Runs; left > 0; {
		runs, err := journal.RecordedRuns(ctx, c.RunFilter, last, min(left, replayBatch))
		if err != nil {
			return sum, err
		}
		for _, run := range runs {
			if err := ctx.Err(); err != nil {
				return sum, err
			}
			if order == nil || order.ID != run.ID.Order {
				order, err = s.Orders.ReadOrderWithAttributes(ctx, run.Store, run.ID.Order)
			}
			if payment.KindOf(err) == payment.KindUnavailable {
				return sum, err
			}
			if found := sum.add(s.tryRecorded(ctx, other, order, run, err)); found != nil {
				if err := each(*found); err != nil {
					return sum, err
				}
			}
		}
		if len(runs) < min(left, replayBatch) {
			break
		}
		left, last = left-len(runs), runs[len(runs)-1].ID
	}
	return sum, nil
}

// add counts a run, and returns it if there is something to tell.
func (sum *ReplaySummary) add(r Replayed) *Replayed {
	if r.Err != nil {
		sum.Failed++
		return &r
	}
	sum.Tried++
	if r.MovedOn {
		sum.MovedOn++
	}
	if len(r.Differences) == 0 {
		return nil
	}
	sum.Differing++
	return &r
}

// tryRecorded tries one run on both sides, if its order could be read.
func (s *Service) tryRecorded(
	ctx context.Context, other *Service, o *payment.Order, run payment.RecordedRun, unread error,
) Replayed {
	r := Replayed{RecordedRun: run, OnOrder: o, Err: unread}
	if unread != nil {
		return r
	}
	a := attempt{pipeline: run.Pipeline, about: run.Payment, begins: begins(run.Pipeline)}
	a.finding = run.Pipeline == pipeline.Confirm
	p := o.Payment(run.Payment)
	switch {
	case a.begins && p == nil:
		r.Err = payment.NotFound("the payment of the run")
		return r
	case a.begins:
		a.method = p.Method
	}
	inForce := a.try(ctx, o, s.inForce())
	tried := a.try(ctx, o, other.inForce())
	if inForce.Pipeline == nil {
		r.Err = inForce.Err
		return r
	}
	r.Differences = pipeline.Compare(inForce, tried)
	r.MovedOn = run.State == payment.RunDone && run.Hash == inForce.Pipeline.Version && !sameSteps(run.Steps, inForce.Steps)
	return r
}

// sameSteps tells whether a trial took the steps that were journaled.
func sameSteps(journaled []payment.StepRecord, tried []pipeline.TrialStep) bool {
	return slices.EqualFunc(journaled, tried, func(was payment.StepRecord, is pipeline.TrialStep) bool {
		return was.Step == is.Step && (was.Result == is.Result || is.Result == pipeline.TrialWouldCall)
	})
}
