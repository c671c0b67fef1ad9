package moments

import (
	"fmt"
	"io"
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

// ShowPipelines writes what runs for every method of every store: as lists, or
// as a Markdown page of Mermaid charts.
func (s *Service) ShowPipelines(w io.Writer, mermaid bool) error {
	var b strings.Builder
	for _, m := range s.Pipelines("") {
		title := fmt.Sprintf("store %s, method %s (gateway %s)\n\n", m.Store, m.Method, m.Gateway)
		if mermaid {
			title = "## " + title
		}
		b.WriteString(title)
		for _, p := range m.Pipelines {
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
