package moments

import (
	"fmt"
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
	for _, name := range sortedNames(all.settings.Stores) {
		if storeName != "" && storeName != name {
			continue
		}
		for _, m := range all.settings.Stores[name].Methods {
			shown = append(shown, MethodPipelines{
				Store: name, Method: m.Name, Gateway: m.Account.GatewayName, Pipelines: all.sets[m].Sorted(),
			})
		}
	}
	return shown
}

// Text writes the pipelines as lists, for people.
func (m MethodPipelines) Text() string {
	var b strings.Builder
	fmt.Fprintf(&b, "store %s, method %s (gateway %s)\n\n", m.Store, m.Method, m.Gateway)
	for _, p := range m.Pipelines {
		b.WriteString(p.Text())
		b.WriteByte('\n')
	}
	return b.String()
}

// Mermaid writes each pipeline as a chart in a Markdown page.
func (m MethodPipelines) Mermaid() string {
	var b strings.Builder
	fmt.Fprintf(&b, "## Store %s, method %s (gateway %s)\n\n", m.Store, m.Method, m.Gateway)
	for _, p := range m.Pipelines {
		fmt.Fprintf(&b, "### %s (%s)\n\n```mermaid\n%s```\n\n", p.Name, p.Version, p.Mermaid())
	}
	return b.String()
}
