package payment

import (
	"net/netip"
	"time"
)

// RunState is how far a run of a pipeline is.
type RunState string

// The states of a run.
const (
	RunCalling RunState = "calling" // between the two commits of a call step
	RunDone    RunState = "done"
	RunFailed  RunState = "failed" // a step failed; a job tries again while DueAt is set
)

// RunRecord is the journal of one execution of a pipeline for one order.
type RunRecord struct {
	N        int // its number within the order
	Pipeline string
	Hash     string // of the pipeline's definition
	State    RunState
	Steps    []StepRecord
	Error    string
	// Payment is the number of the payment that the run is about, 0 for the order.
	Payment int
	BegunAt time.Time
	EndedAt time.Time // zero while calling
	// DueAt is when a job takes the run up again; zero when nobody needs to.
	DueAt time.Time
	Tries int
	// Findings are the facts that the run is about, and From is the address that it
	// came from: what its steps see beside the order, kept while DueAt is set, for
	// whoever goes on with it.
	Findings []RunFinding
	From     netip.Addr
	// Token is the name of the stretch that wrote the record last: what a lost
	// answer to COMMIT is resolved by.
	Token ID
	// New tells the store to insert rather than update.
	New bool
}

// RunFinding is a Finding as a run is journaled with it.
type RunFinding struct {
	Transaction int // its number within the order
	Source      Source
	Before      State
	Changed     bool
	Mismatch    bool
}

// StepRecord is the journal of one step.
type StepRecord struct {
	Step    string // path from the pipeline: "order-path-selector/pay-order"
	Result  string // done, skipped, called, failed, or the branch taken
	BegunAt time.Time
	Took    time.Duration
	Error   string
}
