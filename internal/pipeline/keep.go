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
// step's, a *payment.Error where it refused; there is none when facts or a message
// of a PSP were recorded: they are safe, and the steps are tried again.
func (s *stretch) keep(ctx context.Context, failed *Run, cause error) (*Run, Caller, error) {
	if s.nothingToKeep(failed, cause) {
		return nil, nil, unwrapStep(cause)
	}
	open := s.open
	open.Token = s.runner.ids.New()
	if len(s.facts) == 0 {
		open.Claim = nil // nothing was done for this key: a repeat may try again
	}
	written := s.records // by the attempt that failed; none of it lasted
	var run *Run
	err := s.runner.book.Stretch(ctx, open, func(o *payment.Order) (payment.Closing, error) {
		run = s.newRun(o)
		run.Refusal = refusalOf(cause)
		if err := run.take(s.facts); err != nil {
			return payment.Closing{}, err
		}
		s.records = s.failures(run, failed, written, cause)
		for _, r := range s.records {
			r.Token = open.Token
			run.remember(r)
		}
		s.abandon(run)
		settled := s.notification(payment.NotificationFailed, cause)
		if settled != nil && settled.DueAt.IsZero() {
			run.giveUp(settled.EventID, triedOften)
		}
		return s.closing(run, settled, open.Claim != nil || !s.first), nil
	})
	if errors.Is(err, payment.ErrStale) && len(s.facts) > 0 {
		return s.afresh().commit(ctx)
	}
	if err != nil {
		return nil, nil, errors.Join(cause, err)
	}
	if len(s.records) > 0 {
		run.record = s.records[len(s.records)-1]
	}
	if len(s.facts) > 0 || s.first && s.open.Notification != nil {
		return run, nil, nil
	}
	return run, nil, unwrapStep(cause)
}

// nothingToKeep tells whether a failure leaves no trace: that of an order that
// was to be made, of a request that was refused before anything happened, or of
// one that did not come as far as its first step.
func (s *stretch) nothingToKeep(failed *Run, cause error) bool {
	if s.open.New != nil {
		return true
	}
	if s.notification(payment.NotificationFailed, nil) != nil {
		return false // it is durable, whatever can be made of it
	}
	return s.first && s.journal == nil && len(s.facts) == 0 && (refusalOf(cause) != nil || failed.record == nil)
}

// failures returns the records of the runs that did not get on: the one whose
// step failed and, when that was confirm, the one that it was to follow.
func (s *stretch) failures(run, failed *Run, written []*payment.RunRecord, cause error) []*payment.RunRecord {
	var records []*payment.RunRecord
	if main := s.journal; main != nil && failed.confirming && (s.prior == nil || !s.prior.confirming) {
		record := *main
		record.State, record.EndedAt, record.DueAt, record.New = payment.RunDone, run.At, time.Time{}, false
		if failed.record == nil || s.stepsAfter(written) {
			record.State, record.Error = payment.RunFailed, cause.Error()
			record.Tries++
			s.again(run, &record)
		}
		records = append(records, &record)
	}
	if failed.record == nil {
		return records
	}
	record := *failed.record
	record.Steps = slices.Clone(failed.record.Steps)
	for i := failed.taken; i < len(record.Steps); i++ {
		if record.Steps[i].Result != resultFailed {
			record.Steps[i].Result = resultDropped
		}
	}
	if record.New {
		record.N = run.Order.NextNumber()
	}
	record.State, record.Error = payment.RunFailed, cause.Error()
	record.Tries++
	s.retryLater(run, &record, cause)
	return append(records, &record)
}

// abandon ends a payment that was opened by a run which never came to send
// anything for it, and never will.
func (s *stretch) abandon(run *Run) {
	tried := slices.ContainsFunc(s.records, func(r *payment.RunRecord) bool { return !r.DueAt.IsZero() })
	if p := run.Payment; p != nil && len(p.Transactions) == 0 && !tried {
		run.Order.Abandon(p, run.At)
	}
}

// stepsAfter tells whether steps of the main run followed the call in this
// stretch, so that their changes were dropped too.
func (s *stretch) stepsAfter(written []*payment.RunRecord) bool {
	return len(written) > 0 && len(written[0].Steps) > len(s.journal.Steps)
}

// retryLater decides who tries the failed run again: the kept notification, a
// job, or nobody but the caller.
func (s *stretch) retryLater(run *Run, record *payment.RunRecord, cause error) {
	notified := s.notification(payment.NotificationFailed, nil) != nil
	switch {
	case notified, refusalOf(cause) != nil, !s.req.Retry && len(s.facts) == 0 && !run.Begun():
		record.DueAt, record.EndedAt = time.Time{}, run.At
		if (record.Pipeline == Confirm || run.Begun()) && !notified && refusalOf(cause) != nil {
			run.giveUp(record.Pipeline, refusedLate) // and the order does not say so
		}
	default:
		s.again(run, record)
	}
}

// again has a job try the run once more, later each time, or gives it up.
func (s *stretch) again(run *Run, record *payment.RunRecord) {
	if record.Tries >= triesMax {
		record.DueAt, record.EndedAt = time.Time{}, run.At
		run.giveUp(record.Pipeline, triedOften)
		return
	}
	record.DueAt = run.At.Add(backoff(record.Tries))
}

// Why a run is given up.
const (
	triedOften  = "A pipeline failed and was given up after several tries."
	refusedLate = "A step refused to go on, and money may have moved; the run is not tried again."
)

// giveUp calls a person.
func (run *Run) giveUp(subject, why string) {
	run.Order.OpenCase(payment.Case{Kind: payment.CaseFailedRun, Subject: subject, OpenedAt: run.At, Detail: why})
}

// backoff is how long to wait after so many failures in a row, 1 or more.
func backoff(tries int) time.Duration { return retryDelay << min(max(tries, 1)-1, triesMax) }

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
