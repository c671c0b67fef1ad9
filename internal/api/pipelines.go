package api

import (
	"context"
	"slices"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// methodPipelinesView is what runs for orders that are paid with a method.
type methodPipelinesView struct {
	Store     string         `json:"store"`
	Method    string         `json:"method"`
	Gateway   string         `json:"gateway"`
	Pipelines []pipelineView `json:"pipelines"`
}

type pipelineView struct {
	Name    string    `json:"name"`
	Version string    `json:"version" doc:"The hash that runs are journaled with."`
	Pre     []string  `json:"pre"`
	Steps   []string  `json:"steps"`
	Post    []string  `json:"post"`
	Uses    []useView `json:"uses,omitempty" doc:"The steps that are more than their name: conditional, configured or renamed."`
	Mermaid string    `json:"mermaid" doc:"The pipeline and all that it branches to, as a Mermaid chart."`
}

type useView struct {
	Name string `json:"name" doc:"What the step is called in this pipeline."`
	Step string `json:"step" example:"http"`
	When string `json:"when,omitempty" doc:"The condition under which it runs."`
	With string `json:"with,omitempty" doc:"What it is configured with, secrets as the references that settings hold."`
}

func (a *API) listPipelines(ctx context.Context, in *struct {
	Method string `query:"method" maxLength:"64"`
}) (*listOutput[methodPipelinesView], error) {
	var found []moments.MethodPipelines
	for _, m := range a.Books.Pipelines.Pipelines(storeOf(ctx)) {
		if in.Method == "" || in.Method == m.Method {
			found = append(found, m)
		}
	}
	return listed(found, "", viewMethodPipelines), nil
}

func viewMethodPipelines(m moments.MethodPipelines) methodPipelinesView {
	v := methodPipelinesView{Store: m.Store, Method: m.Method, Gateway: m.Gateway, Pipelines: make([]pipelineView, len(m.Pipelines))}
	for i, p := range m.Pipelines {
		v.Pipelines[i] = viewPipeline(p)
	}
	return v
}

func viewPipeline(p *pipeline.Pipeline) pipelineView {
	return pipelineView{
		Name: p.Name, Version: p.Version, Pre: namesOf(p.Pre), Steps: namesOf(p.Steps), Post: namesOf(p.Post),
		Uses: viewUses(p), Mermaid: p.Mermaid(),
	}
}

func namesOf(uses []pipeline.Use) []string {
	names := make([]string, len(uses))
	for i, use := range uses {
		names[i] = use.Name
	}
	return names
}

func viewUses(p *pipeline.Pipeline) (views []useView) {
	for _, use := range slices.Concat(p.Pre, p.Steps, p.Post) {
		v := useView{Name: use.Name, Step: use.Kind(), With: use.Config}
		if use.When != nil {
			v.When = use.When.String()
		}
		if v != (useView{Name: use.Name, Step: use.Name}) {
			views = append(views, v)
		}
	}
	return views
}
