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
	// first tells the stretch that a request begins with from those after a call.
	first bool
	prior *Run // the run as the stretch before left it, nil in the first
	// journal is the record of the run so far, nil for a new run.
	journal *payment.RunRecord
	records []*payment.RunRecord // what this stretch writes
}

// after returns the stretch that records what a call brought back.
func (s *stretch) after(run *Run, facts []payment.Fact) *stretch {
	return &stretch{
		runner: s.runner, req: s.req, open: payment.Opening{Order: run.Order.ID, Journal: run.record},
		facts: facts, prior: run, journal: run.record,
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
		return s.closing(run, s.notification(payment.NotificationApplied, nil)), nil
	})
	if errors.Is(err, payment.ErrStale) && s.prior != nil {
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
		runner: s.runner, req: &req, open: payment.Opening{Order: s.open.Order}, facts: s.facts, prior: s.prior,
	}
}

// work is the stretch in memory: facts, then steps, then confirm where a call
// brought facts back. It returns the run that the stretch ends with.
func (s *stretch) work(o *payment.Order) (*Run, Caller, error) {
	run := s.newRun(o)
	if err := run.take(s.facts); err != nil {
		return run, nil, err
	}
	if s.first && s.journal == nil && s.req.Prepare != nil {
		if err := s.req.Prepare(run); err != nil {
			return run, nil, err
		}
	}
	p, err := s.req.Pick(run)
	if err != nil {
		return run, nil, err
	}
	if s.prior != nil && s.prior.confirming {
		if p, err = s.req.Confirm(run); err != nil {
			return run, nil, err
		}
		run.confirming = true
	}
	caller, err := s.execute(run, p, s.journal)
	if err != nil || caller != nil || !s.mustConfirm(run) {
		return run, caller, err
	}
	return s.confirm(run)
}

// mustConfirm tells whether a call brought back what confirm has to decide on.
func (s *stretch) mustConfirm(run *Run) bool {
	return s.journal != nil && !run.confirming && len(run.Findings) > 0
}

// confirm goes on with the confirm pipeline in the same transaction.
func (s *stretch) confirm(main *Run) (*Run, Caller, error) {
	run := *main
	run.record, run.program, run.confirming = nil, nil, true
	p, err := s.req.Confirm(&run)
	if err != nil {
		return &run, nil, err
	}
	caller, err := s.execute(&run, p, nil)
	return &run, caller, err
}

// execute runs a pipeline as far as it goes and journals how far that is.
func (s *stretch) execute(run *Run, p *Pipeline, journal *payment.RunRecord) (Caller, error) {
	if err := run.begin(p, journal); err != nil {
		return nil, err
	}
	caller, err := run.advance(s.runner.now)
	if err != nil {
		return nil, err
	}
	run.record.Token = s.open.Token
	run.record.Error, run.record.DueAt = "", time.Time{}
	if caller != nil {
		run.record.State, run.record.DueAt = payment.RunCalling, run.At.Add(callLease)
	} else {
		run.record.State, run.record.EndedAt = payment.RunDone, run.At
	}
	s.records = append(s.records, run.record)
	return caller, nil
}

func (s *stretch) newRun(o *payment.Order) *Run {
	run := &Run{Order: o, At: s.runner.now(), Data: s.req.Data, ids: s.runner.ids}
	o.UpdatedAt = run.At
	if s.prior != nil {
		run.Cancel, run.Redirect = s.prior.Cancel, s.prior.Redirect
		if s.prior.Payment != nil {
			run.Payment = o.Payment(s.prior.Payment.N)
		}
	} else if s.journal != nil {
		run.Payment = o.Payment(s.journal.Payment)
	}
	return run
}

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
	run.load(p, "")
	if journal == nil {
		run.record = &payment.RunRecord{
			N: run.Order.NextNumber(), Pipeline: p.Name, Hash: p.Version, BegunAt: run.At, New: true,
			Steps: make([]payment.StepRecord, 0, len(p.steps)+4),
		}
		if run.Payment != nil {
			run.record.Payment = run.Payment.N
		}
		return nil
	}
	record := *journal
	record.Steps, record.New = slices.Clone(journal.Steps), false
	run.record = &record
	if record.Hash != p.Version {
		return &stepError{step: "resume", err: fmt.Errorf("pipeline %q has changed since the run began", p.Name)}
	}
	if err := run.replay(); err != nil {
		return &stepError{step: "resume", err: err}
	}
	return nil
}

func (s *stretch) closing(run *Run, settled *payment.Notification) payment.Closing {
	for i := range run.Order.Staged.Cases {
		run.Order.Staged.Cases[i].ID = payment.CaseID(s.runner.ids.New())
	}
	c := payment.Closing{Runs: s.records, Claim: s.req.Open.Claim, Notification: settled}
	if run.Payment != nil {
		c.Payment = run.Payment.N
	}
	if s.req.Reply != nil && (run.record == nil || run.record.State != payment.RunCalling) {
		c.Reply = s.req.Reply(run)
	}
	return c
}

// notification returns the one that the run is about, settled, or nil.
func (s *stretch) notification(state payment.NotificationState, cause error) *payment.Notification {
	n := s.req.Notification
	if s.first && s.open.Notification != nil {
		n = s.open.Notification
	}
	if n == nil {
		return nil
	}
	settled := *n
	settled.State, settled.Error, settled.DueAt = state, "", time.Time{}
	if cause != nil {
		settled.Error, settled.DueAt = cause.Error(), s.runner.now().Add(retryDelay<<min(settled.Tries, 10))
		settled.Tries++
	}
	return &settled
}
