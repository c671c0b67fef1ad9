package settings

import (
	"errors"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// standIn takes the place of every reference in what ParsePipelines reads. It has
// the shape of a webhook secret, so that steps which check theirs take it.
const standIn = "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

// ParsePipelines reads edits of pipelines as they stand below a key pipelines: YAML
// or JSON, for a trial and not for use. Whoever sends them may not know what the
// service can read, so references are not looked up: a stand-in takes their place.
// check tells what is wrong with the pipelines that come of the edits. The error
// is of type Problems; its paths begin below pipelines: "confirm[0].when".
func ParsePipelines(source []byte, known Pipelines, check func([]pipeline.Edit) error) ([]pipeline.Edit, error) {
	l := &loader{deps: Deps{
		Pipelines: known,
		LookupEnv: func(string) (string, bool) { return standIn, true },
		ReadFile:  func(string) ([]byte, error) { return []byte(standIn), nil },
	}}
	root := l.parse(source)
	if root == nil {
		return nil, l.problems.sorted()
	}
	edits := l.pipelines(root)
	if len(l.problems) > 0 {
		return nil, l.problems.sorted()
	}
	err := check(edits)
	if err == nil {
		return edits, nil
	}
	problems, ok := errors.AsType[pipeline.Problems](err)
	if !ok {
		return nil, err
	}
	for _, p := range problems {
		l.report(&node{line: p.At.Line, column: p.At.Column, path: l.paths[p.At]}, "%s", p.Error())
	}
	return nil, l.problems.sorted()
}
