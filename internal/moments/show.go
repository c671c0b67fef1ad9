package moments

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// MethodPipelines are the pipelines that orders run which are paid with a
// method, edited as its gateway and the settings say.
type MethodPipelines struct {
	Store     string
	Method    string
	Gateway   string
	Pipelines []*pipeline.Pipeline // in the order in which an order meets them
}

// Pipelines lists what runs, for each method of a store, or of every store for "".
func (s *Service) Pipelines(storeName string) []MethodPipelines {
	all := s.shops.Load()
	var shown []MethodPipelines
	for _, name := range slices.Sorted(maps.Keys(all.settings.Stores)) {
		if storeName != "" && storeName != name {
			continue
		}
		for _, m := range all.settings.Stores[name].Methods {
			shown = append(shown, MethodPipelines{
				Store: name, Method: m.Name, Gateway: m.Account.GatewayName, Pipelines: all.sets[owner{name, m.Name}].Sorted(),
			})
		}
	}
	return shown
}

// ShowPipelines writes what runs for every method of every store: as lists, or
// as a Markdown page of Mermaid charts. Methods with the same pipelines share an
// entry.
func (s *Service) ShowPipelines(w io.Writer, mermaid bool) error {
	var b strings.Builder
	for _, group := range grouped(s.Pipelines("")) {
		first := group[0]
		title := "store " + first.Store + ": " + methodList(group) + "\n\n"
		if mermaid {
			title = "## " + title
		}
		b.WriteString(title)
		for _, p := range first.Pipelines {
			if mermaid {
				fmt.Fprintf(&b, "### %s (%s)\n\n```mermaid\n%s```\n\n", p.Name, p.Version, p.Mermaid())
				continue
			}
			b.WriteString(p.Text())
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// grouped puts methods of a store together that run the same versions.
func grouped(methods []MethodPipelines) [][]MethodPipelines {
	var groups [][]MethodPipelines
	place := make(map[string]int)
	for _, m := range methods {
		key := m.Store
		for _, p := range m.Pipelines {
			key += " " + p.Version
		}
		i, ok := place[key]
		if !ok {
			i = len(groups)
			place[key] = i
			groups = append(groups, nil)
		}
		groups[i] = append(groups[i], m)
	}
	return groups
}

func methodList(group []MethodPipelines) string {
	names := make([]string, len(group))
	for i, m := range group {
		names[i] = m.Method + " (gateway " + m.Gateway + ")"
	}
	return "methods " + strings.Join(names, ", ")
}
