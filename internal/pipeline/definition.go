package pipeline

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
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

// Definition is a pipeline as data: step names in three lists, executed one
// after the other.
type Definition struct {
	Name  string
	Pre   []string
	Steps []string
	Post  []string
}

// Definitions are pipelines by name.
type Definitions map[string]Definition

// Hash names the definition together with all pipelines that it may branch to:
// the version that a run is journaled with.
func (d Definition) Hash(branches ...Definition) string {
	h := sha256.New()
	for _, def := range append([]Definition{d}, branches...) {
		fmt.Fprintf(h, "%s\n%s\n%s\n%s\n\n", def.Name,
			strings.Join(def.Pre, " "), strings.Join(def.Steps, " "), strings.Join(def.Post, " "))
	}
	return hex.EncodeToString(h.Sum(nil)[:6])
}

// Op is how an Edit changes a pipeline.
type Op string

// The operations of an Edit.
const (
	InsertBefore Op = "insert-before"
	InsertAfter  Op = "insert-after"
	Append       Op = "append"
	Remove       Op = "remove"
	Move         Op = "move" // Step goes before Target
	Replace      Op = "replace"
	ReplaceAll   Op = "replace-all" // With takes the place of the whole pipeline
)

// List names one of the three lists of a pipeline.
type List string

// The lists of a pipeline.
const (
	Pre  List = "pre"
	Main List = "steps"
	Post List = "post"
)

// Edit is one change of a pipeline, by a gateway in Go or by settings. Steps
// are named, never counted, so edits survive changes of the defaults.
type Edit struct {
	Pipeline string
	Op       Op
	Step     string // the step to insert, append, remove or move; the new one of replace
	Target   string // the step to stand before or after, or to replace
	List     List   // of append
	With     Definition
}

// Apply returns the definitions with the edits made, and leaves d as it is. The
// error names the edit that does not fit.
func (d Definitions) Apply(edits []Edit) (Definitions, error) {
	edited := make(Definitions, len(d))
	for name, def := range d {
		def.Pre, def.Steps, def.Post = slices.Clone(def.Pre), slices.Clone(def.Steps), slices.Clone(def.Post)
		edited[name] = def
	}
	for i, e := range edits {
		def, ok := edited[e.Pipeline]
		if !ok {
			return nil, fmt.Errorf("edit %d: there is no pipeline %q", i+1, e.Pipeline)
		}
		if err := def.edit(e); err != nil {
			return nil, fmt.Errorf("edit %d: pipeline %q: %w", i+1, e.Pipeline, err)
		}
		edited[e.Pipeline] = def
	}
	return edited, nil
}

func (d *Definition) edit(e Edit) error {
	switch e.Op {
	case InsertBefore:
		return d.at(e.Target, func(list []string, i int) []string { return slices.Insert(list, i, e.Step) })
	case InsertAfter:
		return d.at(e.Target, func(list []string, i int) []string { return slices.Insert(list, i+1, e.Step) })
	case Remove:
		return d.at(e.Step, func(list []string, i int) []string { return slices.Delete(list, i, i+1) })
	case Replace:
		return d.at(e.Target, func(list []string, i int) []string { list[i] = e.Step; return list })
	case Move:
		if err := d.edit(Edit{Op: Remove, Step: e.Step}); err != nil {
			return err
		}
		return d.edit(Edit{Op: InsertBefore, Step: e.Step, Target: e.Target})
	case Append:
		return d.append(e.List, e.Step)
	case ReplaceAll:
		d.Pre, d.Steps, d.Post = slices.Clone(e.With.Pre), slices.Clone(e.With.Steps), slices.Clone(e.With.Post)
		return nil
	}
	return fmt.Errorf("there is no operation %q", e.Op)
}

func (d *Definition) append(list List, step string) error {
	switch list {
	case Pre:
		d.Pre = append(d.Pre, step)
	case Main, "":
		d.Steps = append(d.Steps, step)
	case Post:
		d.Post = append(d.Post, step)
	default:
		return fmt.Errorf("there is no list %q", list)
	}
	return nil
}

// at changes the list that holds the step, at the step's place.
func (d *Definition) at(step string, change func(list []string, i int) []string) error {
	for _, list := range []*[]string{&d.Pre, &d.Steps, &d.Post} {
		if i := slices.Index(*list, step); i >= 0 {
			*list = change(*list, i)
			return nil
		}
	}
	return fmt.Errorf("it has no step %q", step)
}
