package pipeline

import (
	"errors"
	"fmt"
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
	lists   []List // the list of each
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
	c := compiler{definitions: definitions, library: library, set: make(Set, len(definitions))}
	for name := range definitions {
		c.compile(name, nil)
	}
	return c.set, errors.Join(c.problems...)
}

type compiler struct {
	definitions Definitions
	library     Library
	set         Set
	problems    []error
}

func (c *compiler) compile(name string, path []string) *Pipeline {
	if slices.Contains(path, name) {
		c.problem(path[0], "branches in a cycle: %v → %s", path, name)
		return nil
	}
	if len(path) >= depthMax {
		c.problem(path[0], "branches more than %d deep: %v", depthMax, path)
		return nil
	}
	if p, ok := c.set[name]; ok {
		return p
	}
	p := &Pipeline{Definition: c.definitions[name], branch: make(map[string]*Pipeline)}
	inherited := provided[rootOf(name, path)]
	for _, list := range []struct {
		list  List
		steps []string
	}{{Pre, p.Pre}, {Main, p.Steps}, {Post, p.Post}} {
		for i, stepName := range list.steps {
			step := c.step(name, list.list, i, stepName, inherited)
			if step == nil {
				continue
			}
			if slices.Contains(p.steps, step) {
				c.problem(name, "%s[%d]: step %q stands in the pipeline twice", list.list, i, stepName)
			}
			p.steps, p.lists = append(p.steps, step), append(p.lists, list.list)
			c.branches(p, step, append(slices.Clone(path), name))
		}
	}
	p.Version = p.Hash(c.reachable(p)...)
	c.set[name] = p
	return p
}

// step finds a step and checks that the pipeline hands it what it needs.
func (c *compiler) step(pipeline string, list List, i int, name string, inputs []Input) Step {
	step, ok := c.library[name]
	if !ok {
		c.problem(pipeline, "%s[%d]: there is no step %q", list, i, name)
		return nil
	}
	if r, ok := step.(Requirer); ok {
		for _, input := range r.Requires() {
			if !slices.Contains(inputs, input) {
				c.problem(pipeline, "%s[%d]: step %q needs a %s, which this pipeline does not have", list, i, name, input)
			}
		}
	}
	return step
}

func (c *compiler) branches(p *Pipeline, step Step, path []string) {
	b, ok := step.(Brancher)
	if !ok {
		return
	}
	for _, name := range b.Branches() {
		if _, ok := c.definitions[name]; !ok {
			c.problem(p.Name, "step %q branches to %q, which does not exist", step.Name(), name)
			continue
		}
		p.branch[name] = c.compile(name, path)
	}
}

// reachable returns the definitions of all pipelines that p may branch to.
func (c *compiler) reachable(p *Pipeline) []Definition {
	var all []Definition
	for _, name := range sortedKeys(p.branch) {
		if child := p.branch[name]; child != nil {
			all = append(all, child.Definition)
			all = append(all, c.reachable(child)...)
		}
	}
	return all
}

func (c *compiler) problem(pipeline, format string, args ...any) {
	c.problems = append(c.problems, fmt.Errorf("pipeline %q: "+format, append([]any{pipeline}, args...)...))
}

// rootOf names the pipeline whose inputs a pipeline has: its own, or those of
// the one that branches into it.
func rootOf(name string, path []string) string {
	if len(path) == 0 {
		switch name {
		case StatusOK, StatusCancel, StatusPending:
			return Confirm
		}
		return name
	}
	return path[0]
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
