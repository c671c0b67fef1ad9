package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// The pipelines of the four moments of a payment, and the branches of confirm.
const (
	Internal      = "internal"       // the shopper pays without a PSP: zero total, offline methods
	PreProcess    = "pre-process"    // the shopper pays at a PSP
	Confirm       = "confirm"        // a fact about the order arrived
	PostProcess   = "post-process"   // the shopper came back from paying
	Cancel        = "cancel"         // the shopper came back from not paying
	StatusOK      = "status-ok"      // branch of confirm: authorized or paid
	StatusCancel  = "status-cancel"  // branch of confirm: nothing can still pay it
	StatusPending = "status-pending" // branch of confirm: in progress
)

// The pipelines of order management.
const (
	Capture        = "capture"         // take reserved money
	Refund         = "refund"          // give taken money back
	Void           = "void"            // release reserved money
	Increase       = "increase"        // reserve more
	MarkPaid       = "mark-paid"       // an operator says that money has come
	MarkAuthorized = "mark-authorized" // an operator says that money is sure to come
	Complete       = "complete"        // an operator says that nothing is left to do
)

// Definition is a pipeline as data: steps in three lists, executed one after the
// other.
type Definition struct {
	Name  string
	Pre   []Use
	Steps []Use
	Post  []Use
	// At is where settings edited it last.
	At Position
}

// Definitions are pipelines by name.
type Definitions map[string]Definition

// Hash names the definition together with all pipelines that it may branch to:
// the version that a run is journaled with.
func (d Definition) Hash(branches ...Definition) string {
	h := sha256.New()
	for _, def := range append([]Definition{d}, branches...) {
		fmt.Fprintf(h, "%s\n", def.Name)
		for _, list := range def.lists() {
			for _, use := range list.uses {
				fmt.Fprintf(h, "%q ", use.identity())
			}
			fmt.Fprintln(h)
		}
		fmt.Fprintln(h)
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

type namedList struct {
	name List
	uses []Use
}

// lists returns the three lists in the order in which they are executed.
func (d *Definition) lists() [3]namedList {
	return [3]namedList{{Pre, d.Pre}, {Main, d.Steps}, {Post, d.Post}}
}
