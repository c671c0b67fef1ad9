package pipeline

import (
	"fmt"
	"slices"
	"strings"
)

// moments are the pipelines in the order in which an order meets them.
var moments = [...]string{Internal, PreProcess, Confirm, StatusOK, StatusCancel, StatusPending, PostProcess, Cancel,
	Capture, Refund, Void, Increase, MarkPaid, MarkAuthorized, Complete}

// Roots names the pipelines that runs begin with; others are branched to.
func Roots() []string {
	return slices.DeleteFunc(slices.Clone(moments[:]), isBranch)
}

// Sorted returns the pipelines in the order in which an order meets them; those
// that the defaults do not know follow by name.
func (s Set) Sorted() []*Pipeline {
	sorted := make([]*Pipeline, 0, len(s))
	for _, name := range moments {
		if p := s[name]; p != nil {
			sorted = append(sorted, p)
		}
	}
	for _, name := range sortedKeys(s) {
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
		if s.Name == step {
			return branchesOf(s.step)
		}
	}
	return nil
}

// Text writes the pipeline as its three lists, for people, and below each list
// what there is to say about its steps.
func (p *Pipeline) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)\n", p.Name, p.Version)
	for _, list := range p.lists() {
		fmt.Fprintf(&b, "  %-6s %s\n", list.name, listText(list.uses))
		for _, use := range list.uses {
			if detail := use.detail(); detail != "" {
				fmt.Fprintf(&b, "         %s: %s\n", use.Name, detail)
			}
			for _, branch := range p.Branches(use.Name) {
				fmt.Fprintf(&b, "         %s → %s\n", use.Name, branch)
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
	for _, list := range p.lists() {
		for _, use := range list.uses {
			id := node(prefix + "/" + use.Name)
			fmt.Fprintf(b, "%s  %s[%s]\n", indent, id, quoted(label(list.name, use)))
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
	for _, list := range p.lists() {
		for _, use := range list.uses {
			for _, name := range p.Branches(use.Name) {
				if child := p.branch[name]; child != nil {
					to := child.chart(b, prefix+"/"+name, indent)
					fmt.Fprintf(b, "%s%s -. %q .-> %s\n", indent, node(prefix+"/"+use.Name), name, to)
				}
			}
		}
	}
	return first
}

func listText(uses []Use) string {
	if len(uses) == 0 {
		return "–"
	}
	texts := make([]string, len(uses))
	for i := range uses {
		texts[i] = uses[i].Name
	}
	return strings.Join(texts, ", ")
}

// detail is all but the name: `note when order.total >= 1000 with {…}`.
func (u *Use) detail() string {
	var parts []string
	if u.Kind() != u.Name {
		parts = append(parts, u.Kind())
	}
	if u.When != nil {
		parts = append(parts, "when "+u.When.String())
	}
	if u.Config != "" {
		parts = append(parts, "with "+u.Config)
	}
	return strings.Join(parts, " ")
}

func label(list List, use Use) string {
	if list == Main {
		return use.Text()
	}
	return string(list) + ": " + use.Text()
}

// quoted makes a label of Mermaid's: it knows no backslash, and # begins an entity.
func quoted(text string) string {
	return `"` + strings.NewReplacer("#", "#35;", `"`, "#quot;", "<", "#lt;", ">", "#gt;").Replace(text) + `"`
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
