// Package pipeline is the engine: pipelines of small independent steps, and the
// runner that executes them for one order in stretches of one database
// transaction each. It knows no SQL, no HTTP and no PSP.
package pipeline

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
)

// Step is one small piece of logic. It changes the run in memory and nothing
// else: no I/O, no clock but run.At. A step does not know its neighbours and may
// run any number of times for an order.
//
// Returning an error stops the list and fails the run; a *payment.Error refuses
// it: the caller gets the error, and all that the stretch changed is dropped but
// facts. A panic is an error. The lists that follow a failed step do not run.
type Step interface {
	Name() string
	Do(run *Run) error
}

// Caller is a step that talks to the outside, between two commits. Do announces
// what it is about to do; what Do changed is committed before Call begins, and no
// database transaction is open meanwhile. Call must not change the run. After a
// crash between the two commits it is not called again, unless it says that this
// is harmless.
type Caller interface {
	Step
	Call(ctx context.Context, run *Run) Answer
}

// Answer is what a call brought back.
type Answer struct {
	// Facts are recorded at the start of the next stretch, whatever follows, and
	// decided on by confirm.
	Facts []payment.Fact
	// Then, when set, goes on with the step in the next stretch, once its facts are
	// recorded: it may do all that Do may, and refuse the run.
	Then func(run *Run) error
}

// Repeatable is a Caller whose call may be made again when a crash left open
// whether it was made: the other side knows a repetition by run.CallID.
type Repeatable interface {
	Caller
	Repeatable()
}

// Brancher is a step that lets the run go on in one of several child pipelines,
// by calling run.Branch.
type Brancher interface {
	Branches() []string
}

// Mover is a step that changes the order itself, which lasts only if a Saver
// runs after it.
type Mover interface{ MovesOrder() }

// Saver is save-order: what the steps before it changed on the order is written.
// Where a call step stands in between, that is written with the commit before the
// call, like all else that those steps did.
type Saver interface{ SavesOrder() }

// AttributeReader is a step or a condition that looks at the order's attributes.
type AttributeReader interface{ ReadsAttributes() bool }

// Requirer is a step that needs something that not every pipeline has.
type Requirer interface {
	Requires() []Input
}

// Input is something that a pipeline hands to its steps beside the order, as
// problems name it.
type Input string

// The inputs.
const (
	InputPayment Input = "a payment" // that is being begun
	InputFacts   Input = "facts"     // that were just recorded
	// InputOperation is what is to be done with money that payments hold.
	InputOperation Input = "an operation"
)

// provided lists what each default pipeline hands to its steps.
var provided = map[string][]Input{
	Internal:   {InputPayment, InputFacts},
	PreProcess: {InputPayment},
	Confirm:    {InputFacts},

	Capture:        {InputOperation},
	Refund:         {InputOperation},
	Void:           {InputOperation},
	Increase:       {InputOperation},
	MarkPaid:       {InputOperation},
	MarkAuthorized: {InputOperation},
}

// Maker makes steps that settings configure by `with:`.
type Maker struct {
	// Name is the step's name in the library.
	Name string
	// Make makes the step. decode fills a pointer to the step's own configuration,
	// strictly and with secrets resolved; what it reports is an error of Make. An
	// error made by payment.Invalid names the setting that is wrong.
	Make func(decode func(any) error) (Step, error)
}
