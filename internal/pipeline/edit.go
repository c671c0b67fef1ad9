package pipeline

import (
	"fmt"
	"slices"
)

// Op is how an Edit changes a pipeline.
type Op string

// The operations of an Edit.
const (
	InsertBefore Op = "insert-before"
	InsertAfter  Op = "insert-after"
	Append       Op = "append"
	Remove       Op = "remove"
	MoveBefore   Op = "move-before"
	MoveAfter    Op = "move-after"
	Replace      Op = "replace"     // Step takes the place of Target
	ChangeWhen   Op = "change-when" // Target gets the condition of Step
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
	Step     Use    // what to insert, append or put in; of remove and move only the name counts
	Target   string // the step to stand before or after, or to replace
	List     List   // of append
	With     Definition
	// At is where settings say so.
	At Position
}

// Apply returns the definitions with the edits made, and leaves d as it is. The
// error is of type Problems and names every edit that does not fit.
func (d Definitions) Apply(edits []Edit) (Definitions, error) {
	edited := make(Definitions, len(d))
	for name, def := range d {
		def.Pre, def.Steps, def.Post = slices.Clone(def.Pre), slices.Clone(def.Steps), slices.Clone(def.Post)
		edited[name] = def
	}
	var problems Problems
	for i, e := range edits {
		def, ok := edited[e.Pipeline]
		if !ok {
			problems = append(problems, e.problem(i, "", fmt.Errorf("there is no pipeline %q", e.Pipeline)))
			continue
		}
		if err := def.edit(e); err != nil {
			problems = append(problems, e.problem(i, e.Pipeline, err))
			continue
		}
		def.At = e.At.or(def.At)
		edited[e.Pipeline] = def
	}
	if len(problems) > 0 {
		return nil, problems
	}
	return edited, nil
}

// problem says what is wrong with the edit; one of a program is known by its place.
func (e *Edit) problem(i int, pipeline string, err error) *Problem {
	if e.At == (Position{}) {
		err = fmt.Errorf("edit %d: %w", i+1, err)
	}
	return &Problem{Pipeline: pipeline, At: e.At, What: err.Error()}
}

func (d *Definition) edit(e Edit) error {
	switch e.Op {
	case InsertBefore:
		return d.at(e.Target, func(list []Use, i int) []Use { return slices.Insert(list, i, e.Step) })
	case InsertAfter:
		return d.at(e.Target, func(list []Use, i int) []Use { return slices.Insert(list, i+1, e.Step) })
	case Remove:
		return d.at(e.Step.Name, func(list []Use, i int) []Use { return slices.Delete(list, i, i+1) })
	case Replace:
		return d.at(e.Target, func(list []Use, i int) []Use { list[i] = e.Step; return list })
	case ChangeWhen:
		return d.at(e.Target, func(list []Use, i int) []Use {
			list[i].When, list[i].At = e.Step.When, e.At.or(list[i].At)
			return list
		})
	case MoveBefore:
		return d.move(e, InsertBefore)
	case MoveAfter:
		return d.move(e, InsertAfter)
	case Append:
		return d.append(e.List, e.Step)
	case ReplaceAll:
		d.Pre, d.Steps, d.Post = slices.Clone(e.With.Pre), slices.Clone(e.With.Steps), slices.Clone(e.With.Post)
		return nil
	}
	return fmt.Errorf("there is no operation %q", e.Op)
}

// move takes a step out and puts the same one in elsewhere. The two places are
// looked for first, so that nothing is half moved.
func (d *Definition) move(e Edit, insert Op) error {
	if e.Step.Name == e.Target {
		return fmt.Errorf("step %q cannot be moved to itself", e.Target)
	}
	var moved Use
	for _, look := range []string{e.Target, e.Step.Name} {
		if err := d.at(look, func(list []Use, i int) []Use { moved = list[i]; return list }); err != nil {
			return err
		}
	}
	if err := d.edit(Edit{Op: Remove, Step: moved}); err != nil {
		return err
	}
	return d.edit(Edit{Op: insert, Step: moved, Target: e.Target})
}

func (d *Definition) append(list List, step Use) error {
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
func (d *Definition) at(step string, change func(list []Use, i int) []Use) error {
	for _, list := range []*[]Use{&d.Pre, &d.Steps, &d.Post} {
		if i := slices.IndexFunc(*list, func(u Use) bool { return u.Name == step }); i >= 0 {
			*list = change(*list, i)
			return nil
		}
	}
	return fmt.Errorf("it has no step %q", step)
}
