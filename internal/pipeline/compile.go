package pipeline

import (
	"errors"
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
	steps   []Step // pre, steps and post in this order
	branch  map[string]*Pipeline
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

// Compile checks the definitions and finds their steps. Every problem is
// reported: unknown steps, missing inputs, steps that stand twice in a pipeline,
// branches that do not exist, cycles and depth.
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
			c.supply(c.set[name], name, inputs, 0)
		}
	}
	if len(c.problems) > 0 {
		return nil, errors.Join(c.problems...)
	}
	for _, p := range c.set {
		p.Version = p.Hash(reachable(p)...)
	}
	return c.set, nil
}

type compiler struct {
	library  Library
	set      Set
	problems []error
	reported map[string]bool
}

// find finds the steps of a pipeline, and the pipelines that they branch to.
func (c *compiler) find(p *Pipeline) {
	seen := make(map[string]bool)
	for _, list := range p.all() {
		for i, name := range list.steps {
			step, ok := c.library[name]
			if !ok {
				c.problem(p.Name, "%s[%d]: there is no step %q", list.name, i, name)
				continue
			}
			if seen[name] {
				c.problem(p.Name, "%s[%d]: step %q stands in the pipeline twice", list.name, i, name)
			}
			seen[name] = true
			p.steps = append(p.steps, step)
			for _, branch := range branchesOf(step) {
				if c.set[branch] == nil {
					c.problem(p.Name, "step %q branches to %q, which does not exist", name, branch)
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
			c.problem(name, "branches in a cycle: %v → %s", path, name)
		}
		return
	}
	path = append(slices.Clone(path), name)
	if len(path) > depthMax {
		c.problem(path[0], "branches more than %d deep: %v", depthMax, path)
		return
	}
	for _, branch := range sortedKeys(c.set[name].branch) {
		c.follow(branch, path)
	}
}

// inputs returns what a pipeline hands to its steps, and whether runs begin with
// it: those that are only branched to have what leads to them has.
func (c *compiler) inputs(name string) (inputs []Input, begins bool) {
	begins = slices.Contains(moments[:], name) && !isBranch(name)
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
func (c *compiler) supply(p *Pipeline, root string, inputs []Input, depth int) {
	if depth > depthMax {
		return // reported as such
	}
	whose := "this pipeline"
	if p.Name != root {
		whose = fmt.Sprintf("pipeline %q", root)
	}
	for _, list := range p.all() {
		for i, name := range list.steps {
			needy, ok := c.library[name].(Requirer)
			if !ok {
				continue
			}
			for _, input := range needy.Requires() {
				if !slices.Contains(inputs, input) {
					c.problem(p.Name, "%s[%d]: step %q needs a %s, which %s does not have", list.name, i, name, input, whose)
				}
			}
		}
	}
	for _, name := range sortedKeys(p.branch) {
		c.supply(p.branch[name], root, inputs, depth+1)
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

func (c *compiler) problem(pipeline, format string, args ...any) {
	err := fmt.Errorf("pipeline %q: "+format, append([]any{pipeline}, args...)...)
	if !c.reported[err.Error()] {
		c.reported[err.Error()] = true
		c.problems = append(c.problems, err)
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

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
