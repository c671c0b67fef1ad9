package pipeline

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// triesMax is how often a failed run is tried before a person has to look.
const triesMax = 10

// keep records, in a transaction of its own, what must stay when a step failed
// or refused: the facts, and the failed run. The error that it returns is the
// step's, a *payment.Error where it refused; there is none when facts were
// recorded: what happened to the money is known, and the steps are tried again.
func (s *stretch) keep(ctx context.Context, failed *Run, cause error) (*Run, Caller, error) {
	refusal := refusalOf(cause)
	if s.open.New != nil || refusal != nil && s.first && len(s.facts) == 0 {
		return nil, nil, unwrapStep(cause) // nothing to keep: nothing happened yet
	}
	open := s.open
	open.Token = s.runner.ids.New()
	if len(s.facts) == 0 {
		open.Claim = nil // nothing was done for this key: a repeat may try again
	}
	var run *Run
	err := s.runner.book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		run = s.newRun(o)
		if err := run.take(s.facts); err != nil {
			return payment.Closing{}, err
		}
		s.records = s.failures(run, failed, cause, open.Token)
		c := s.closing(run, s.notification(payment.NotificationFailed, cause))
		if open.Claim == nil && s.first {
			c.Claim, c.Reply = nil, nil
		}
		return c, nil
	})
	if err != nil {
		return nil, nil, errors.Join(cause, err)
	}
	if len(s.records) > 0 {
		run.record = s.records[len(s.records)-1]
	}
	if len(s.facts) > 0 {
		return run, nil, nil
	}
	return run, nil, unwrapStep(cause)
}

// failures returns the records of the runs that did not get on: the one whose
// step failed and, when that was confirm, the one that it was to follow.
func (s *stretch) failures(run, failed *Run, cause error, token payment.ID) []*payment.RunRecord {
	var records []*payment.RunRecord
	if main := s.journal; main != nil && failed.confirming && !s.prior.confirming {
		record := *main
		record.State, record.EndedAt, record.DueAt = payment.RunDone, run.At, time.Time{}
		if s.stepsAfter() {
			record.State, record.DueAt = payment.RunFailed, run.At.Add(retryDelay)
		}
		record.New, record.Token = false, token
		records = append(records, &record)
	}
	if failed.record == nil {
		return records
	}
	record := *failed.record
	record.Steps = slices.Clone(failed.record.Steps)
	for i := failed.taken; i < len(record.Steps); i++ {
		if record.Steps[i].Result != "failed" {
			record.Steps[i].Result = "dropped"
		}
	}
	if record.New {
		record.N = run.Order.NextNumber()
	}
	record.State, record.Error, record.Token = payment.RunFailed, cause.Error(), token
	record.Tries++
	s.retryLater(run, &record, cause)
	return append(records, &record)
}

// stepsAfter tells whether steps of the main run followed the call in this
// stretch, so that their changes were dropped too.
func (s *stretch) stepsAfter() bool {
	return len(s.records) > 0 && len(s.records[0].Steps) > len(s.journal.Steps)
}

// retryLater decides who tries the failed run again: the kept notification, a
// job, or nobody but the caller.
func (s *stretch) retryLater(run *Run, record *payment.RunRecord, cause error) {
	switch {
	case s.notification(payment.NotificationFailed, nil) != nil:
		record.DueAt, record.EndedAt = time.Time{}, run.At
	case refusalOf(cause) != nil, !s.req.Retry && len(s.facts) == 0:
		record.DueAt, record.EndedAt = time.Time{}, run.At
	case record.Tries >= triesMax:
		record.DueAt, record.EndedAt = time.Time{}, run.At
		run.Order.OpenCase(payment.Case{
			Kind: payment.CaseFailedRun, Subject: record.Pipeline, OpenedAt: run.At,
			Detail: "A pipeline failed and was given up after several tries.",
		})
	default:
		record.DueAt = run.At.Add(retryDelay << min(record.Tries-1, 10))
	}
}

// refusalOf returns the refusal that a step error carries, or nil for a failure.
func refusalOf(err error) *payment.Error {
	refusal, _ := errors.AsType[*payment.Error](err)
	return refusal
}

// unwrapStep returns a refusal as itself and a failure with the step's name.
func unwrapStep(err error) error {
	if refusal := refusalOf(err); refusal != nil {
		return refusal
	}
	return err
}
