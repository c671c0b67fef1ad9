package pipeline

import (
	"fmt"
	"maps"
	"slices"
)

// depthMax bounds how deep pipelines may branch into pipelines.
const depthMax = 4

// Pipeline is a definition whose steps have been found and checked.
type Pipeline struct {
	Definition
	// Version is the hash of the definition and of all that it branches to.
	Version string
	steps   []boundStep // pre, steps and post in this order
	branch  map[string]*Pipeline
}

// boundStep is a use whose step has been found.
type boundStep struct {
	Use
	step Step
}

// Set holds the compiled pipelines of one method, by name.
type Set map[string]*Pipeline

// Library finds steps by name.
type Library map[string]Step

// NewLibrary returns a library of the steps; two of one name are an error.
func NewLibrary(steps ...Step) (Library, error) {
	library := make(Library, len(steps))
	for _, s := range steps {
		if _, ok := library[s.Name()]; ok {
			return nil, fmt.Errorf("two steps are named %q", s.Name())
		}
		library[s.Name()] = s
	}
	return library, nil
}

// Compile checks the definitions and finds their steps. The error is of type
// Problems and tells of each: unknown steps, missing inputs, names that stand
// twice in a pipeline, branches that do not exist, cycles and depth, changes of
// the order that no save-order makes last.
func Compile(definitions Definitions, library Library) (Set, error) {
	c := compiler{library: library, set: make(Set, len(definitions)), reported: make(map[string]bool)}
	names := sortedKeys(definitions)
	for _, name := range names {
		c.set[name] = &Pipeline{Definition: definitions[name], branch: make(map[string]*Pipeline)}
	}
	for _, name := range names {
		c.find(c.set[name])
	}
	for _, name := range names {
		c.follow(name, nil)
	}
	for _, name := range names {
		if inputs, begins := c.inputs(name); begins {
			c.supply(c.set[name], c.set[name], inputs, 0)
			c.saved(c.set[name], c.set[name], false, 0)
		}
	}
	if len(c.problems) > 0 {
		return nil, c.problems
	}
	for _, p := range c.set {
		p.Version = p.Hash(reachable(p)...)
	}
	return c.set, nil
}

type compiler struct {
	library  Library
	set      Set
	problems Problems
	reported map[string]bool
}

// find finds the steps of a pipeline, and the pipelines that they branch to.
func (c *compiler) find(p *Pipeline) {
	seen := make(map[string]bool)
	for _, list := range p.lists() {
		for _, use := range list.uses {
			step := use.Configured
			if step == nil {
				step = c.library[use.Kind()]
			}
			if step == nil {
				c.problem(p, use.At, "%s: there is no step %q", list.name, use.Kind())
				continue
			}
			if seen[use.Name] {
				c.problem(p, use.At, "%s: step %q stands in the pipeline twice; give one of them another name", list.name, use.Name)
			}
			seen[use.Name] = true
			p.steps = append(p.steps, boundStep{Use: use, step: step})
			for _, branch := range branchesOf(step) {
				if c.set[branch] == nil {
					c.problem(p, use.At, "step %q branches to %q, which does not exist", use.Name, branch)
					continue
				}
				p.branch[branch] = c.set[branch]
			}
		}
	}
}

// follow looks for cycles and depth on every way that begins at a pipeline. A
// cycle is reported once, where its first name begins it.
func (c *compiler) follow(name string, path []string) {
	if slices.Contains(path, name) {
		if path[0] == name && slices.Min(path) == name {
			c.problem(c.set[name], c.blame(path), "branches in a cycle: %v → %s", path, name)
		}
		return
	}
	path = append(slices.Clone(path), name)
	if len(path) > depthMax {
		c.problem(c.set[path[0]], c.blame(path), "branches more than %d deep: %v", depthMax, path)
		return
	}
	for _, branch := range sortedKeys(c.set[name].branch) {
		c.follow(branch, path)
	}
}

// blame returns the place of an edit of one of the pipelines.
func (c *compiler) blame(path []string) (at Position) {
	for _, name := range path {
		at = at.or(c.set[name].At)
	}
	return at
}

// inputs returns what a pipeline hands to its steps, and whether runs begin with
// it: those that are only branched to have what leads to them has.
func (c *compiler) inputs(name string) (inputs []Input, begins bool) {
	begins = slices.Contains(Roots(), name)
	if !begins {
		for _, p := range c.set {
			if p.branch[name] != nil && p.Name != name {
				return nil, false
			}
		}
	}
	if isBranch(name) {
		name = Confirm
	}
	return provided[name], true
}

// supply checks that steps get what they need in a run that begins with root.
func (c *compiler) supply(p, root *Pipeline, inputs []Input, depth int) {
	if depth > depthMax {
		return // reported as such
	}
	whose := "this pipeline"
	if p != root {
		whose = fmt.Sprintf("pipeline %q", root.Name)
	}
	for _, s := range p.steps {
		needy, ok := s.step.(Requirer)
		if !ok {
			continue
		}
		for _, input := range needy.Requires() {
			if !slices.Contains(inputs, input) {
				c.problem(p, s.At.or(root.At), "step %q needs %s, which %s does not have", s.Name, input, whose)
			}
		}
	}
	for _, name := range sortedKeys(p.branch) {
		c.supply(p.branch[name], root, inputs, depth+1)
	}
}

// saved checks, from the end, that what steps change on the order lasts: that a
// save-order surely follows. later tells whether one follows p.
func (c *compiler) saved(p, root *Pipeline, later bool, depth int) {
	if depth > depthMax {
		return // reported as such
	}
	for _, s := range slices.Backward(p.steps) {
		switch s.step.(type) {
		case Saver:
			later = later || s.When == nil
		case Mover:
			if !later {
				c.problem(p, s.At.or(p.At, root.At), "step %q changes the order, and no save-order without a condition follows it", s.Name)
			}
		}
		for _, branch := range branchesOf(s.step) {
			if child := p.branch[branch]; child != nil {
				c.saved(child, root, later, depth+1)
			}
		}
	}
}

// reachable returns the definitions of all pipelines that p may branch to.
func reachable(p *Pipeline) []Definition {
	var all []Definition
	for _, name := range sortedKeys(p.branch) {
		all = append(all, p.branch[name].Definition)
		all = append(all, reachable(p.branch[name])...)
	}
	return all
}

// problem reports something once; where the step that it is about came with the
// program, whatever edited its pipeline is to blame.
func (c *compiler) problem(p *Pipeline, at Position, format string, args ...any) {
	found := &Problem{Pipeline: p.Name, At: at.or(p.At), What: fmt.Sprintf(format, args...)}
	if !c.reported[found.Error()] {
		c.reported[found.Error()] = true
		c.problems = append(c.problems, found)
	}
}

func branchesOf(step Step) []string {
	if b, ok := step.(Brancher); ok {
		return b.Branches()
	}
	return nil
}

// isBranch tells whether a pipeline is one that confirm branches to.
func isBranch(name string) bool {
	return name == StatusOK || name == StatusCancel || name == StatusPending
}

// ReadsAttributes tells whether a run of one of the pipelines may look at the
// order's attributes, which are loaded only then.
func (s Set) ReadsAttributes() bool {
	for _, p := range s {
		for _, b := range p.steps {
			for _, part := range []any{b.step, b.When} {
				if reader, ok := part.(AttributeReader); ok && reader.ReadsAttributes() {
					return true
				}
			}
		}
	}
	return false
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
