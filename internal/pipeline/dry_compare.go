package pipeline

import (
	"cmp"
	"slices"
	"strings"
)

// Difference is one way in which two trials of a pipeline differ.
type Difference struct {
	Kind DifferenceKind
	// Subject is the path of a step, or what is changed.
	Subject string
	// Before and After are what the two trials say of it; "" where it is not there.
	Before, After string
}

// DifferenceKind says what differs.
type DifferenceKind string

// The kinds of differences.
const (
	StepAdded   DifferenceKind = "step_added"
	StepRemoved DifferenceKind = "step_removed"
	StepMoved   DifferenceKind = "step_moved"
	StepResult  DifferenceKind = "step_result" // done, skipped, refused…
	Outcome     DifferenceKind = "outcome"     // why the run ends early, or that it does not
	ChangeDiff  DifferenceKind = "change"
)

// Compare lists how a trial decides otherwise than the one before: what became of
// its steps, how it ends, and what it changes. Two versions of a pipeline that do
// the same have no differences.
func Compare(before, after *Trial) []Difference {
	all := compareSteps(before.Steps, after.Steps)
	if b, a := ending(before), ending(after); b != a {
		all = append(all, Difference{Kind: Outcome, Subject: "run", Before: b, After: a})
	}
	return append(all, compareChanges(before.Changes, after.Changes)...)
}

// ending says how a run ends.
func ending(t *Trial) string {
	switch refusal := t.Refusal(); {
	case refusal != nil:
		return TrialRefused + ", " + refusal.Code + ": " + refusal.Message
	case t.Err != nil:
		return resultFailed + ", " + t.Err.Error()
	}
	return resultDone
}

// compareSteps follows the steps of both. Below a step that went another way
// there is nothing to compare: what ran there follows from that.
func compareSteps(before, after []TrialStep) []Difference {
	was, is := byPath(before), byPath(after)
	stayed := inOrder(before, after)
	var all []Difference
	var diverged []string
	below := func(path string) bool {
		return slices.ContainsFunc(diverged, func(d string) bool { return strings.HasPrefix(path, d+"/") })
	}
	for _, s := range before {
		now, there := is[s.Step]
		switch {
		case below(s.Step):
		case !there:
			all = append(all, Difference{Kind: StepRemoved, Subject: s.Step, Before: s.text()})
			diverged = append(diverged, s.Step)
		case now.Result != s.Result:
			all = append(all, Difference{Kind: StepResult, Subject: s.Step, Before: s.text(), After: now.text()})
			diverged = append(diverged, s.Step)
		}
	}
	for _, s := range after {
		_, there := was[s.Step]
		switch {
		case below(s.Step):
		case !there:
			all = append(all, Difference{Kind: StepAdded, Subject: s.Step, After: s.text()})
			diverged = append(diverged, s.Step)
		case !stayed[s.Step]:
			all = append(all, Difference{
				Kind: StepMoved, Subject: s.Step, Before: place(before, s.Step), After: place(after, s.Step),
			})
		}
	}
	return all
}

func byPath(steps []TrialStep) map[string]TrialStep {
	found := make(map[string]TrialStep, len(steps))
	for _, s := range steps {
		found[s.Step] = s
	}
	return found
}

// text says what became of the step: "skipped, does not hold: order.total >= 100".
func (s TrialStep) text() string {
	if s.Why == "" {
		return s.Result
	}
	return s.Result + ", " + s.Why
}

// place says where a step stands.
func place(steps []TrialStep, path string) string {
	i := slices.IndexFunc(steps, func(s TrialStep) bool { return s.Step == path })
	if i <= 0 {
		return "first"
	}
	return "after " + steps[i-1].Step
}

// inOrder returns the steps that need not be moved to come from one list to the
// other: the longest common subsequence of the two.
func inOrder(before, after []TrialStep) map[string]bool {
	n, m := len(before), len(after)
	longest := make([][]int, n+1) // of before[i:] and after[j:]
	for i := range longest {
		longest[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if before[i].Step == after[j].Step {
				longest[i][j] = longest[i+1][j+1] + 1
			} else {
				longest[i][j] = max(longest[i+1][j], longest[i][j+1])
			}
		}
	}
	kept := make(map[string]bool)
	for i, j := 0, 0; i < n && j < m; {
		switch {
		case before[i].Step == after[j].Step:
			kept[before[i].Step] = true
			i, j = i+1, j+1
		case longest[i+1][j] >= longest[i][j+1]:
			i++
		default:
			j++
		}
	}
	return kept
}

// compareChanges pairs changes of one subject, and reports what is left.
func compareChanges(before, after []TrialChange) []Difference {
	before, after = without(before, after), without(after, before)
	var all []Difference
	for _, was := range before {
		d := Difference{Kind: ChangeDiff, Subject: was.Name(), Before: was.value()}
		i := slices.IndexFunc(after, func(c TrialChange) bool { return c.Name() == was.Name() })
		if i >= 0 {
			d.After = after[i].value()
			after = slices.Delete(after, i, i+1)
		}
		all = append(all, d)
	}
	for _, c := range after {
		all = append(all, Difference{Kind: ChangeDiff, Subject: c.Name(), After: c.value()})
	}
	return all
}

// without returns the changes that others do not have, each counted as often as
// it occurs.
func without(changes, others []TrialChange) []TrialChange {
	others = slices.Clone(others)
	var left []TrialChange
	for _, c := range changes {
		if i := slices.Index(others, c); i >= 0 {
			others = slices.Delete(others, i, i+1)
			continue
		}
		left = append(left, c)
	}
	return left
}

// value is what the change comes to; "nothing" tells a change without a text from
// no change.
func (c TrialChange) value() string { return cmp.Or(c.To, "nothing") }
