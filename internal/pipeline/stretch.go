package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// stretch is the part of a run between two commits.
type stretch struct {
	runner *Runner
	req    *Request
	open   payment.Opening
	facts  []payment.Fact
	// then goes on with the step whose call came back; nil where it needs nothing.
	then func(*Run) error
	// first tells the stretch that a request begins with from those after a call.
	first bool
	prior *Run // the run as the stretch before left it, nil in the first
	// journal is the record of the run so far, nil for a new run.
	journal *payment.RunRecord
	records []*payment.RunRecord // what this stretch writes
}

// after returns the stretch that records what a call brought back.
func (s *stretch) after(run *Run, answer Answer) *stretch {
	return &stretch{
		runner: s.runner, req: s.req,
		open:  payment.Opening{Order: run.Order.ID, Journal: run.record, Attributes: s.open.Attributes},
		facts: answer.Facts, then: answer.Then, prior: run, journal: run.record,
	}
}

// commit executes the stretch. When a step fails, its changes are dropped and
// the facts are recorded in a transaction of their own, with the failed run.
func (s *stretch) commit(ctx context.Context) (*Run, Caller, error) {
	var run *Run
	var caller Caller
	s.open.Token = s.runner.ids.New()
	err := s.runner.book.Stretch(ctx, s.open, func(o *payment.Order) (payment.Closing, error) {
		var err error
		s.records = nil
		if run, caller, err = s.work(o); err != nil {
			return payment.Closing{}, err
		}
		return s.closing(run, s.notification(payment.NotificationApplied, nil), true), nil
	})
	if errors.Is(err, payment.ErrStale) && len(s.facts) > 0 {
		return s.afresh().commit(ctx)
	}
	if _, failed := errors.AsType[*stepError](err); failed {
		return s.keep(ctx, run, err)
	}
	if err != nil {
		return nil, nil, err
	}
	return run, caller, nil
}

// afresh returns the stretch that records the facts when a job has taken up the
// run meanwhile: confirm alone, under a run of its own.
func (s *stretch) afresh() *stretch {
	req := *s.req
	req.Pick, req.Prepare = req.Confirm, nil
	return &stretch{
		runner: s.runner, req: &req, open: payment.Opening{Order: s.open.Order, Attributes: s.open.Attributes},
		facts: s.facts, prior: s.prior,
	}
}

// work is the stretch in memory: facts, then steps, then confirm where a call
// brought facts back. It returns the run that the stretch ends with.
func (s *stretch) work(o *payment.Order) (*Run, Caller, error) {
	run := s.newRun(o)
	known := len(run.Findings)
	if err := run.take(s.facts); err != nil {
		return run, nil, err
	}
	run.undecided = run.undecided || s.journal != nil && len(run.Findings) > known
	if s.first && s.journal == nil && s.req.Prepare != nil {
		if err := s.req.Prepare(run); err != nil {
			return run, nil, &stepError{err: err}
		}
	}
	p, err := s.pick(run)
	if err != nil {
		if s.journal != nil {
			run.continues(s.journal)
		}
		return run, nil, &stepError{step: "pick", err: err}
	}
	caller, err := s.execute(run, p, s.journal)
	if err != nil || caller != nil || run.confirming || !run.undecided {
		return run, caller, err
	}
	return s.confirm(run)
}

// pick chooses the pipeline. A run that comes back from a call keeps the one that
// it began with, whatever settings were loaded meanwhile.
func (s *stretch) pick(run *Run) (*Pipeline, error) {
	if s.prior == nil {
		return s.req.Pick(run)
	}
	run.confirming = s.prior.confirming
	if s.journal == nil { // somebody else goes on with it: confirm alone
		return s.req.Pick(run)
	}
	return s.prior.pipeline, nil
}

// confirm goes on with the confirm pipeline in the same transaction.
func (s *stretch) confirm(main *Run) (*Run, Caller, error) {
	run := *main
	run.record, run.program, run.confirming, run.undecided = nil, nil, true, false
	p, err := s.req.Confirm(&run)
	if err != nil {
		return &run, nil, &stepError{step: "confirm", err: err}
	}
	caller, err := s.execute(&run, p, nil)
	return &run, caller, err
}

// execute runs a pipeline as far as it goes and journals how far that is.
func (s *stretch) execute(run *Run, p *Pipeline, journal *payment.RunRecord) (Caller, error) {
	caller, err := s.proceed(run, p, journal)
	if err != nil {
		return nil, err
	}
	if run.record.Payment == 0 && run.Payment != nil {
		run.record.Payment = run.Payment.N
	}
	run.record.Token = s.open.Token
	run.record.Error, run.record.DueAt = "", time.Time{}
	if caller != nil {
		run.record.State, run.record.DueAt = payment.RunCalling, run.At.Add(callLease)
		if run.willSave() {
			run.Order.Save() // the next stretch begins with the order as it is in the books
		}
	} else {
		run.record.State, run.record.EndedAt = payment.RunDone, run.At
		if run.Payment != nil {
			run.Order.Abandon(run.Payment, run.At) // unless a step began it
		}
	}
	run.remember(run.record)
	s.records = append(s.records, run.record)
	return caller, nil
}

// proceed executes steps from where the run is. A call whose outcome nobody knows
// is made again where that is harmless.
func (s *stretch) proceed(run *Run, p *Pipeline, journal *payment.RunRecord) (Caller, error) {
	if err := run.begin(p, journal); err != nil {
		return nil, err
	}
	if again, ok := run.interrupted(); ok && s.prior == nil {
		return again, nil
	}
	if journal != nil && s.then != nil {
		if err := run.then(s.then); err != nil {
			last := &run.record.Steps[len(run.record.Steps)-1]
			last.Result, last.Error = resultFailed, err.Error()
			return nil, &stepError{step: run.path(), err: err}
		}
	}
	return run.advance(s.runner.now)
}

// interrupted returns the call that the journal ends with, if it may be repeated.
func (run *Run) interrupted() (Caller, bool) {
	steps := run.record.Steps
	if len(steps) == 0 || steps[len(steps)-1].Result != resultCalled {
		return nil, false
	}
	again, ok := run.calling.step.(Repeatable)
	return again, ok
}

func (s *stretch) newRun(o *payment.Order) *Run {
	run := &Run{
		Order: o, At: s.runner.now(), Data: s.req.Data, From: s.req.From, Shopper: s.req.Shopper, Resumed: s.req.Resume != nil,
		ids: s.runner.ids,
	}
	o.UpdatedAt, o.Actor = run.At, s.req.Actor
	if s.journal != nil {
		run.recall(s.journal)
	}
	if len(s.facts) > 0 { // whatever follows from them, we know by them
		o.Source = string(s.facts[0].Source)
	}
	if s.prior != nil {
		run.Data = s.prior.Data
		run.Cancel, run.Redirect, run.undecided = s.prior.Cancel, s.prior.Redirect, s.prior.undecided
		run.Operation, run.main, run.decided = s.prior.Operation, s.prior.main, s.prior.decided
		if s.prior.Payment != nil {
			run.Payment = o.Payment(s.prior.Payment.N)
		}
	} else if s.journal != nil {
		run.Payment = o.Payment(s.journal.Payment)
		run.undecided = mayBeUndecided(s.journal)
		run.main = s.journal.N
	}
	return run
}

// mayBeUndecided tells of a run that is taken up whether a call of it may have
// brought facts that confirm has not seen: the crash, or the failure, may have
// come in between. Deciding again changes nothing.
func mayBeUndecided(journal *payment.RunRecord) bool {
	return journal.Pipeline != Confirm &&
		slices.ContainsFunc(journal.Steps, func(s payment.StepRecord) bool { return s.Result == resultCalled })
}

// Take records a fact that a step itself brings, such as the decision of a
// gateway without a PSP. It lasts with the stretch, as all that the step does.
func (run *Run) Take(f payment.Fact) error { return run.take([]payment.Fact{f}) }

// take records facts, whoever brought them. One about a transaction that the
// order does not have becomes a case, and holds up none of the others.
func (run *Run) take(facts []payment.Fact) error {
	for _, f := range facts {
		finding, err := run.Order.Record(f, run.At)
		if errors.Is(err, payment.ErrUnknownReference) {
			run.Order.OpenCase(payment.Case{
				Kind: payment.CaseOrphan, Subject: f.Reference, OpenedAt: run.At,
				Detail: "The PSP reports a transaction that the order does not have.",
			})
			continue
		}
		if err != nil {
			return fmt.Errorf("record a fact of %s: %w", f.Source, err)
		}
		run.Findings = append(run.Findings, finding)
		if run.Payment == nil {
			run.Payment = finding.Payment
		}
	}
	return nil
}

// begin loads the pipeline: a new run, or the journaled one from where it was.
func (run *Run) begin(p *Pipeline, journal *payment.RunRecord) error {
	run.pipeline = p
	run.load(p, "")
	if journal == nil {
		run.record = &payment.RunRecord{
			N: run.Order.NextNumber(), Pipeline: p.Name, Hash: p.Version, BegunAt: run.At, New: true,
			Steps: make([]payment.StepRecord, 0, len(p.steps)+4),
		}
		if run.Payment != nil {
			run.record.Payment = run.Payment.N
		}
		if run.main == 0 {
			run.main = run.record.N
		}
		return nil
	}
	run.continues(journal)
	if run.record.Hash != p.Version {
		return &stepError{step: "resume", err: fmt.Errorf("pipeline %q has changed since the run began", p.Name)}
	}
	if err := run.replay(); err != nil {
		return &stepError{step: "resume", err: err}
	}
	return nil
}

// continues makes the run go on from a journal: from what it says was committed.
func (run *Run) continues(journal *payment.RunRecord) {
	record := *journal
	record.New = false
	record.Steps = slices.DeleteFunc(slices.Clone(journal.Steps), func(s payment.StepRecord) bool {
		return s.Result == resultFailed || s.Result == resultDropped
	})
	run.record, run.taken = &record, len(record.Steps)
}

// closing is what the stretch writes beside the order; answer tells whether that
// includes the request's idempotency key and what it is answered with.
func (s *stretch) closing(run *Run, settled *payment.Notification, answer bool) payment.Closing {
	for i := range run.Order.Staged.Cases {
		run.Order.Staged.Cases[i].ID = payment.CaseID(s.runner.ids.New())
	}
	c := payment.Closing{Runs: s.records, Notification: settled, Run: run.main}
	if run.Payment != nil {
		c.Payment = run.Payment.N
	}
	if !answer {
		return c
	}
	if c.Claim = s.req.Open.Claim; c.Claim == nil {
		c.Claim = s.req.Claim
	}
	if s.req.Reply != nil && (run.record == nil || run.record.State != payment.RunCalling) {
		c.Reply = s.req.Reply(run)
	}
	return c
}

// notification returns the one that the stretch is about, settled, or nil: it is
// applied with the first, and what is left to do after that is the run's. Whoever
// applies a kept one again has counted the try.
func (s *stretch) notification(state payment.NotificationState, cause error) *payment.Notification {
	n, counted := s.req.Notification, true
	if s.open.Notification != nil {
		n, counted = s.open.Notification, false
	}
	if n == nil || !s.first {
		return nil
	}
	settled := *n
	settled.State, settled.Error, settled.DueAt = state, "", time.Time{}
	if cause == nil {
		return &settled
	}
	if !counted {
		settled.Tries++
	}
	settled.Error = cause.Error()
	if settled.Tries < triesMax {
		settled.DueAt = s.runner.now().Add(backoff(settled.Tries))
	}
	return &settled
}
