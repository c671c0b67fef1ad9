package api

import (
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"
)

// explain adds to the document what is said for people: what belongs together,
// what an operation does, and what its problems mean.
func (a *API) explain() {
	document := a.kit.API.OpenAPI()
	operations := map[string]*huma.Operation{}
	for _, item := range document.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Put, item.Post, item.Delete, item.Patch} {
			if op != nil {
				operations[op.OperationID] = op
			}
		}
	}
	for _, s := range sections {
		document.Tags = append(document.Tags, &huma.Tag{Name: s.tag, Description: s.about})
		for _, d := range s.operations {
			op := operations[d.id]
			if op == nil {
				panic("api: the document describes " + d.id + ", which is no operation")
			}
			op.Tags, op.Description = []string{s.tag}, d.text
			d.explainAnswers(op)
		}
	}
}

func (d described) explainAnswers(op *huma.Operation) {
	otherwise := op.Responses["default"]
	otherwise.Description = "Any other problem: see the introduction."
	for status, text := range d.problems {
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: text, Content: otherwise.Content}
	}
	for _, later := range []string{"202", "503"} {
		if r := op.Responses[later]; r != nil {
			r.Headers = map[string]*huma.Param{"Retry-After": {
				Description: "In how many seconds asking again may tell more.", Schema: &huma.Schema{Type: huma.TypeInteger},
			}}
		}
	}
	if slices.Contains(op.Security[0]["bearer"], string(publishable)) {
		op.Parameters = append(op.Parameters, &huma.Param{
			Name: "X-Order-Token", In: "header", Description: "The order's `client_token`. Publishable keys need it.",
			Schema: &huma.Schema{Type: huma.TypeString},
		})
	}
}
