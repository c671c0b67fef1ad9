package api

import (
	"context"

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
	Name    string   `json:"name"`
	Version string   `json:"version" doc:"The hash that runs are journaled with."`
	Pre     []string `json:"pre"`
	Steps   []string `json:"steps"`
	Post    []string `json:"post"`
	Mermaid string   `json:"mermaid" doc:"The pipeline and all that it branches to, as a Mermaid chart."`
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
		Name: p.Name, Version: p.Version, Pre: orEmpty(p.Pre), Steps: orEmpty(p.Steps), Post: orEmpty(p.Post), Mermaid: p.Mermaid(),
	}
}
