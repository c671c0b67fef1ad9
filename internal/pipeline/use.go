package pipeline

import "strings"

// Use is a step as it stands in a pipeline.
type Use struct {
	// Name is what edits and the journal call it; no other step of the pipeline has it.
	Name string
	// Step is the step's name in the library; "" means Name.
	Step string
	// When decides, as the run comes to it, whether the step runs; nil is always.
	When Condition
	// Configured is the step that settings configured; nil is the library's.
	Configured Step
	// Config is what it was configured with: part of the version, shown to people.
	// A secret stands in it only as the reference that settings hold.
	Config string
	// At is where settings put the step there.
	At Position
}

// Condition decides, when the run comes to a step, whether the step runs.
type Condition interface {
	// Holds must be quick and change nothing; an error fails the step.
	Holds(run *Run) (bool, error)
	// String returns the source, for people and for the version of the pipeline.
	String() string
}

// Position is a place in the settings, from 1; the zero value is none: what
// stands there came with the program.
type Position struct{ Line, Column int }

// or returns the first position that is one.
func (p Position) or(others ...Position) Position {
	for _, other := range others {
		if p == (Position{}) {
			p = other
		}
	}
	return p
}

// Named returns the uses of library steps of these names.
func Named(names ...string) []Use {
	uses := make([]Use, len(names))
	for i, name := range names {
		uses[i] = Use{Name: name}
	}
	return uses
}

// Kind is the step's name in the library.
func (u *Use) Kind() string {
	if u.Step == "" {
		return u.Name
	}
	return u.Step
}

// Text writes the use for people: `check (http) when order.total >= 100`.
func (u *Use) Text() string {
	text := u.Name
	if u.Kind() != u.Name {
		text += " (" + u.Kind() + ")"
	}
	if u.When != nil {
		text += " when " + u.When.String()
	}
	return text
}

// identity is all that makes the use what it is.
func (u *Use) identity() string {
	parts := []string{u.Name, u.Kind(), u.Config}
	if u.When != nil {
		parts = append(parts, u.When.String())
	}
	return strings.Join(parts, "\x00")
}
