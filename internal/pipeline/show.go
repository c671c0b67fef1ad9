package pipeline

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// moments are the pipelines in the order in which an order meets them.
var moments = [...]string{Internal, PreProcess, Confirm, StatusOK, StatusCancel, StatusPending, PostProcess, Cancel}

// Sorted returns the pipelines in the order in which an order meets them; those
// that the defaults do not know follow by name.
func (s Set) Sorted() []*Pipeline {
	sorted := make([]*Pipeline, 0, len(s))
	for _, name := range moments {
		if p := s[name]; p != nil {
			sorted = append(sorted, p)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(s)) {
		if p := s[name]; p != nil && !slices.Contains(moments[:], name) {
			sorted = append(sorted, p)
		}
	}
	return sorted
}

// Branches names the pipelines that a step of this one may go on in, nil for a
// step that does not branch.
func (p *Pipeline) Branches(step string) []string {
	for _, s := range p.steps {
		if b, ok := s.(Brancher); ok && s.Name() == step {
			return b.Branches()
		}
	}
	return nil
}

// Text writes the pipeline as its three lists, for people.
func (p *Pipeline) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", p.Name, p.Version)
	for _, list := range p.all() {
		fmt.Fprintf(&b, "  %-6s %s\n", list.name, listText(list.steps))
		for _, step := range list.steps {
			for _, branch := range p.Branches(step) {
				fmt.Fprintf(&b, "         %s → %s\n", step, branch)
			}
		}
	}
	return b.String()
}

// Mermaid writes the pipeline as a flow chart: its steps in a row, and at the end
// of dashed arrows the pipelines that it branches to.
func (p *Pipeline) Mermaid() string {
	var b strings.Builder
	b.WriteString("flowchart LR\n")
	p.chart(&b, p.Name, "  ")
	return b.String()
}

// chart draws the pipeline; prefix keeps the nodes of pipelines apart. It returns
// its first node.
func (p *Pipeline) chart(b *strings.Builder, prefix, indent string) (first string) {
	fmt.Fprintf(b, "%ssubgraph %s[%q]\n", indent, node(prefix), p.Name)
	var before string
	for _, list := range p.all() {
		for _, step := range list.steps {
			id := node(prefix + "/" + step)
			fmt.Fprintf(b, "%s  %s[%q]\n", indent, id, label(list.name, step))
			if before != "" {
				fmt.Fprintf(b, "%s  %s --> %s\n", indent, before, id)
			} else {
				first = id
			}
			before = id
		}
	}
	if first == "" {
		first = node(prefix + "/nothing")
		fmt.Fprintf(b, "%s  %s[\"nothing\"]\n", indent, first)
	}
	fmt.Fprintf(b, "%send\n", indent)
	for _, list := range p.all() {
		for _, step := range list.steps {
			for _, name := range p.Branches(step) {
				if child := p.branch[name]; child != nil {
					to := child.chart(b, prefix+"/"+name, indent)
					fmt.Fprintf(b, "%s%s -. %q .-> %s\n", indent, node(prefix+"/"+step), name, to)
				}
			}
		}
	}
	return first
}

type namedList struct {
	name  List
	steps []string
}

func (p *Pipeline) all() [3]namedList {
	return [3]namedList{{Pre, p.Pre}, {Main, p.Steps}, {Post, p.Post}}
}

func listText(steps []string) string {
	if len(steps) == 0 {
		return "–"
	}
	return strings.Join(steps, ", ")
}

func label(list List, step string) string {
	if list == Main {
		return step
	}
	return string(list) + ": " + step
}

// node makes an id that Mermaid takes of a path of names; the prefix keeps it from
// being one of Mermaid's own words.
func node(path string) string {
	return "p_" + strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '_'
	}, strings.ToLower(path))
}
