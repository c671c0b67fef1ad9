package api

import (
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paysvc/paysvc/internal/api/httpkit"
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
			op.Tags = []string{s.tag}
			op.Description = d.text + "\n\nScopes: `" + strings.Join(op.Security[0]["bearer"], "`, `") + "`."
			d.explainAnswers(op)
			if example := examples[d.id]; example != nil {
				op.RequestBody.Content["application/json"].Example = example
			}
		}
	}
}

func (d described) explainAnswers(op *huma.Operation) {
	otherwise := op.Responses["default"]
	otherwise.Description = "Any other problem: see the introduction."
	for status, text := range d.problems {
		content := maps.Clone(otherwise.Content)
		for mediaType, c := range content {
			content[mediaType] = &huma.MediaType{Schema: c.Schema, Example: exampleOf(status, text)}
		}
		op.Responses[strconv.Itoa(status)] = &huma.Response{Description: text, Content: content}
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

// exampleOf is a problem of the code that a text begins with.
func exampleOf(status int, text string) map[string]any {
	code, _, _ := strings.Cut(strings.TrimPrefix(text, "`"), "`")
	p := httpkit.NewProblem(status, code, "")
	example := map[string]any{
		"type": p.Type, "title": p.Title, "status": status, "code": code, "detail": "What happened, for people.",
		"errors": []any{}, "request_id": "5a1b6c0e9d2f4a7c8e3b1f0d6c5a4b39",
	}
	if status == http.StatusPaymentRequired {
		example["money_moved"] = httpkit.MoneyNo
		example["reason"] = map[string]any{"code": "insufficient_funds", "message": "Not enough money.", "decline": "soft"}
	}
	return example
}
