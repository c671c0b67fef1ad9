package pipeline

import (
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// Run is one execution of a pipeline for one order, as its steps see it. The
// order is locked; what steps change is written when the stretch ends.
type Run struct {
	Order *payment.Order
	// At is the time of the stretch: the only clock that a step has.
	At time.Time
	// Payment is the payment that is begun (InputPayment), or that the facts are
	// about; nil where the run is about the order as a whole.
	Payment *payment.Payment
	// Findings are the facts that the run recorded so far (InputFacts).
	Findings []payment.Finding
	// Data is what the shopper entered. It lives in memory only.
	Data json.RawMessage
	// Cancel is set when somebody entitled to it cancels the order.
	Cancel *Cancellation
	// Operation is what is to be done with money that payments hold (InputOperation).
	Operation *Operation
	// Redirect is where a step wants the shopper to go next.
	Redirect string
	// From is the address that the run's request came from, behind trusted proxies;
	// the zero value where nobody outside caused the run.
	From netip.Addr
	// Shopper is the address of the shopper's browser; the zero value where another
	// asked for the run. It lives in memory only.
	Shopper netip.Addr
	// Refusal is why the run ended before it was done; nil unless it was refused.
	Refusal *payment.Error
	// Resumed tells that a job took the run up: whoever asked for it is gone.
	Resumed bool

	record     *payment.RunRecord
	main       int // the number of the run that the request began with
	pipeline   *Pipeline
	program    []frame
	calling    *frame // the step whose call is under way between two stretches
	branch     string
	taken      int  // steps that earlier stretches committed
	confirming bool // this run decides on what a call of another brought back
	undecided  bool // the run learnt facts that confirm has not seen
	settled    bool // the present step needs no call
	decided    bool // a step knew what became of money
	ids        *payment.IDs
}

// Cancellation is an explicit decision to cancel an order.
type Cancellation struct {
	Author string
	Reason string
	// Sums are what the order's payments had brought when that was decided: it was
	// not decided for more.
	Sums payment.Sums
	// GiveBack is what happens, with the cancellation, to money that the order holds.
	GiveBack []GiveBack
}

// Overtaken tells whether more money came than whoever cancels knew of.
func (c *Cancellation) Overtaken(o *payment.Order) bool {
	now := o.Sums()
	return now.Authorized.Minor() > c.Sums.Authorized.Minor() || now.Captured.Minor() > c.Sums.Captured.Minor()
}

// GiveBack is a decision about the money of a payment, by its number.
type GiveBack struct {
	Payment int
	payment.Release
}

// Operation is what somebody wants done with money that payments hold.
type Operation struct {
	Action payment.Action
	// Parts are the payments, and how much of each.
	Parts []Part
	// Final says of a capture that no other follows.
	Final bool
	// Offline records what happens outside any PSP.
	Offline bool
	// Releasing tells that a release is carried out that was decided before.
	Releasing bool
	// Author is who wants it, for the timeline; Reason is why, for people, and
	// StoreReference the store's own word for it.
	Author         string
	Reason         string
	StoreReference string
}

// Outside tells of a part that it happens outside any PSP, and is only recorded.
func (op *Operation) Outside(part Part) bool { return op.Offline || part.Offline }

// Amount is how much the operation is about in all; false where it is about none.
func (op *Operation) Amount() (sum payment.Money, some bool) {
	for i, part := range op.Parts {
		if i == 0 {
			sum, some = part.Amount, true
			continue
		}
		sum = sum.Add(part.Amount)
	}
	return sum, some
}

// Part is how much of one payment an operation is about.
type Part struct {
	Payment int // its number
	Amount  payment.Money
	// Rest is what becomes of what a last capture leaves of the payment.
	Rest payment.Rest
	// Offline records it, where the payment has no PSP.
	Offline bool
}

// frame is a step that is still to be executed.
type frame struct {
	boundStep
	path     string
	pipeline *Pipeline
}

// path leads from the pipeline that the run began with to the step whose call is
// under way.
func (run *Run) path() string { return run.calling.path }

// CallID names the call that is under way: the same when it is repeated.
func (run *Run) CallID() string {
	return payment.RunID{Order: run.Order.ID, N: run.record.N}.String() + "/" + run.path()
}

// Begun tells whether anything was sent, or decided, by the run or for the payment
// that it begins: from then on money may have moved.
func (run *Run) Begun() bool {
	if run.Operation != nil {
		return run.decided || len(run.Announced()) > 0
	}
	return run.Payment != nil && run.Payment.Initial() != nil
}

// Announced returns the transactions that the run announced, before and after its
// calls.
func (run *Run) Announced() []*payment.Transaction {
	var own []*payment.Transaction
	for _, p := range run.Order.Payments {
		for _, t := range p.Transactions {
			if run.Owns(t) {
				own = append(own, t)
			}
		}
	}
	return own
}

// Owns tells whether the run announced a transaction.
func (run *Run) Owns(t *payment.Transaction) bool { return run.main != 0 && t.Run == run.main }

// Announce adds a transaction of the run to a payment, in state sending: from the
// commit on that writes it, the PSP may have it, and it is never sent again.
func (run *Run) Announce(p *payment.Payment, typ payment.Type, amount payment.Money) *payment.Transaction {
	return run.AnnounceAs(run.Reference(), p, typ, amount)
}

// AnnounceAs is Announce under a reference that the run gave out before.
func (run *Run) AnnounceAs(
	reference string, p *payment.Payment, typ payment.Type, amount payment.Money,
) *payment.Transaction {
	due := run.At.Add(payment.InquiryDelay(reference, 0))
	t := run.Order.Announce(p, typ, reference, amount, run.At, due)
	t.Run = run.main
	if op := run.Operation; op != nil {
		t.StoreReference, t.Purpose = op.StoreReference, op.Reason
	}
	return t
}

// Settle records a fact that the step knows without asking anybody: its call is
// not made, and confirm decides on the fact.
func (run *Run) Settle(f payment.Fact) error {
	run.settled, run.undecided, run.decided = true, true, true
	return run.Take(f)
}

// willSave tells whether save-order surely follows.
func (run *Run) willSave() bool {
	return slices.ContainsFunc(run.program, func(f frame) bool {
		_, saves := f.step.(Saver)
		return saves && f.When == nil
	})
}

// Branch makes the run go on with a child pipeline of the present step.
func (run *Run) Branch(name string) { run.branch = name }

// Reference returns a new reference for a transaction.
func (run *Run) Reference() string { return run.ids.Reference() }

// Note adds a line to the order's timeline.
func (run *Run) Note(text string) { run.Order.Note(run.At, "system", text) }

// Emit stages an event about the order.
func (run *Run) Emit(eventType string, status payment.Status) {
	run.Order.Emit(payment.Event{Type: eventType, Status: string(status)}, run.At)
}

// Record is the journal of the run.
func (run *Run) Record() *payment.RunRecord { return run.record }

// load puts the steps of a pipeline in front of what is still to do.
func (run *Run) load(p *Pipeline, prefix string) {
	frames := make([]frame, 0, len(p.steps)+len(run.program))
	for _, step := range p.steps {
		frames = append(frames, frame{boundStep: step, path: prefix + step.Name, pipeline: p})
	}
	run.program = append(frames, run.program...)
}

// advance executes steps until the list is done, a step fails, or a step wants
// to talk to the outside, which is returned.
func (run *Run) advance(now func() time.Time) (Caller, error) {
	for len(run.program) > 0 {
		f := run.program[0]
		run.branch, run.settled = "", false
		began := now()
		runs, err := run.try(f)
		entry := payment.StepRecord{Step: f.path, Result: resultDone, BegunAt: began, Took: now().Sub(began)}
		if err != nil {
			entry.Result, entry.Error = resultFailed, err.Error()
			run.record.Steps = append(run.record.Steps, entry)
			return nil, &stepError{step: f.path, err: err}
		}
		run.program = run.program[1:]
		caller, calls := f.step.(Caller)
		calls = calls && runs && !run.settled
		switch {
		case !runs:
			entry.Result = resultSkipped
		case calls:
			entry.Result, run.calling = resultCalled, &f
		case run.branch != "":
			entry.Result = run.branch
			if err := run.enter(f, run.branch); err != nil {
				return nil, err
			}
		}
		run.record.Steps = append(run.record.Steps, entry)
		if calls {
			return caller, nil
		}
	}
	return nil, nil
}

// try executes a step unless its condition does not hold; a panic is its error.
func (run *Run) try(f frame) (runs bool, err error) {
	defer recovered(&err)
	if f.When != nil {
		if runs, err = f.When.Holds(run); err != nil {
			return false, fmt.Errorf("when: %w", err)
		}
		if !runs {
			return false, nil
		}
	}
	return true, f.step.Do(run)
}

// then goes on with a step whose call came back.
func (run *Run) then(do func(run *Run) error) (err error) {
	defer recovered(&err)
	return do(run)
}

// recovered makes a panic the error of the step that panicked.
func recovered(err *error) {
	if p := recover(); p != nil {
		*err = PanicError(p)
	}
}

func (run *Run) enter(f frame, branch string) error {
	child := f.pipeline.branch[branch]
	if child == nil {
		return &stepError{step: f.path, err: fmt.Errorf("there is no branch %q", branch)}
	}
	run.load(child, f.path+"/")
	return nil
}

// replay skips what the journal says was committed, branches included.
func (run *Run) replay() error {
	for _, entry := range run.record.Steps {
		if len(run.program) == 0 || run.program[0].path != entry.Step {
			return fmt.Errorf("journaled step %q is not where the pipeline has it", entry.Step)
		}
		f := run.program[0]
		run.program = run.program[1:]
		if entry.Result == resultCalled {
			run.calling = &f
		}
		if f.pipeline.branch[entry.Result] != nil {
			if err := run.enter(f, entry.Result); err != nil {
				return err
			}
		}
	}
	return nil
}

// What the journal says of a step, beside the name of the branch that it took.
const (
	resultDone    = "done"
	resultSkipped = "skipped" // its condition did not hold
	resultCalled  = "called"
	resultFailed  = "failed"
	resultDropped = "dropped" // done, and lost with the stretch when a later step failed
)

// stepError is a step that failed or refused; one without a name is what came
// before the first.
type stepError struct {
	step string
	err  error
}

func (e *stepError) Error() string {
	if e.step == "" {
		return e.err.Error()
	}
	return "step " + e.step + ": " + e.err.Error()
}

func (e *stepError) Unwrap() error { return e.err }
