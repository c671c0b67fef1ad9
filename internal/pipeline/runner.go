package pipeline

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// callLease is how long a run may be between the two commits of a call before a
// job takes it up. It is longer than any call may take.
const callLease = 2 * time.Minute

// retryDelay is when a failed run is first tried again.
const retryDelay = 30 * time.Second

// detachedMax bounds the work of a request after its first commit, when the
// caller may be gone.
const detachedMax = 90 * time.Second

// Book keeps the orders. Stretch is one database transaction: it locks and loads
// the order, lets work change it in memory, writes all that changed, and commits.
// Work may be called again on a fresh load, when the database wants a retry.
type Book interface {
	Stretch(ctx context.Context, open payment.Opening, work func(*payment.Order) (payment.Closing, error)) error
}

// Runner executes pipelines.
type Runner struct {
	book Book
	ids  *payment.IDs
	now  func() time.Time
}

// NewRunner returns a runner on a book.
func NewRunner(book Book, ids *payment.IDs, now func() time.Time) *Runner {
	return &Runner{book: book, ids: ids, now: now}
}

// Request asks for one execution of a pipeline.
type Request struct {
	Open payment.Opening
	// Pick chooses the pipeline once the order is locked, and Confirm the one that
	// decides on what a call brought back.
	Pick    func(run *Run) (*Pipeline, error)
	Confirm func(run *Run) (*Pipeline, error)
	// Facts are recorded before any step, and stay whatever the steps do.
	Facts []payment.Fact
	// Prepare may check and change the run before its first step, and refuse it.
	Prepare func(run *Run) error
	// Reply renders the answer that the claim keeps, from the run as committed;
	// nil while there is none.
	Reply func(run *Run) *payment.Reply
	// Claim is the idempotency key that the run answers; nil for that of Open, which
	// the run takes itself.
	Claim *payment.Claim
	// Actor is who causes the run, for the audit; "" for the service itself.
	Actor string
	// Data is what the shopper entered, for the steps.
	Data json.RawMessage
	// Retry tells that a job takes up the run when a step fails. A request that a
	// caller waits for is not retried behind its back unless it carries facts.
	Retry bool
	// Resume is the journal of a run that is taken up again.
	Resume *payment.RunRecord
	// Notification is a kept notification that is tried again with this run.
	Notification *payment.Notification
	// From is the address that the request came from.
	From netip.Addr
	// Shopper is that address where the shopper's browser sent the request.
	Shopper netip.Addr
}

// Execute runs a pipeline to its end: one stretch, and one more after each call
// step. Once the first stretch is committed the work no longer depends on ctx
// being alive. The error of a refusal is a *payment.Error; after any other, facts
// that were known are in the books all the same.
func (r *Runner) Execute(ctx context.Context, req Request) (*Run, error) {
	s := &stretch{runner: r, req: &req, open: req.Open, facts: req.Facts, first: true, journal: req.Resume}
	run, caller, err := s.commit(ctx)
	if err != nil || caller == nil {
		return run, err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), detachedMax)
	defer cancel()
	for err == nil && caller != nil {
		_, harmless := caller.(Repeatable)
		s = s.after(run, r.ask(ctx, caller, run))
		var next *Run
		if next, caller, err = s.commit(ctx); next != nil {
			run = next
		}
		if err != nil && (!harmless || next == nil && run.Begun()) {
			err = errors.Join(payment.ErrUnrecorded, err)
		}
	}
	return run, err
}

// ask makes the call, unless it comes too late: what was announced so long ago that
// the PSP may have been believed about not having it must not be sent any more.
func (r *Runner) ask(ctx context.Context, caller Caller, run *Run) Answer {
	if facts := run.overdue(r.now()); len(facts) > 0 {
		return Answer{Facts: facts}
	}
	return call(ctx, caller, run)
}

// overdue returns the facts that nothing was sent of what was announced too long
// ago, none while there is time.
func (run *Run) overdue(now time.Time) []payment.Fact {
	if now.Sub(run.At) <= payment.SendMax {
		return nil
	}
	return run.sendingFacts(payment.NotSent, payment.Reason{Code: "held_up", Message: "It was held up before it could be sent."})
}

// call keeps a panicking gateway from taking the outcome with it: what was sent
// is asked about later.
func call(ctx context.Context, caller Caller, run *Run) (answer Answer) {
	defer func() {
		if p := recover(); p != nil {
			err := PanicError(p)
			answer = Answer{Facts: unknownFacts(run, err.Error()), Then: func(*Run) error { return err }}
			if len(answer.Facts) > 0 {
				answer.Then = nil // what was sent is asked about, and the run goes on
			}
		}
	}()
	return caller.Call(ctx, run)
}

func unknownFacts(run *Run, reason string) []payment.Fact {
	return run.sendingFacts(payment.Unknown, payment.Reason{Code: "internal_error", Message: reason})
}

// sendingFacts says of everything that the run announced and that is not decided
// what became of it.
func (run *Run) sendingFacts(state payment.State, reason payment.Reason) []payment.Fact {
	var facts []payment.Fact
	for _, t := range run.Announced() {
		if t.State == payment.Sending {
			facts = append(facts, payment.Fact{Source: payment.SourceAnswer, Reference: t.Reference, State: state, Reason: reason})
		}
	}
	return facts
}
