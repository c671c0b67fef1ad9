package settings

import (
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// Pipelines is what the key pipelines of a store and of a method is read with.
// The zero value knows no pipeline, so that none can be edited.
type Pipelines struct {
	// Names are the pipelines that there are.
	Names []string
	// Steps are the steps without settings of their own, and Makers those that
	// settings configure by `with:`.
	Steps  []string
	Makers []pipeline.Maker
	// Check tells what is wrong with the pipelines of a method, or with none those
	// of the store's orders without one. What is in a pipeline.Problems is reported
	// at the place that each of them names.
	Check func(*Store, *Method) error
}

// stepsMax bounds what one key pipelines may hold, so that a file with many
// methods is checked in no time.
const stepsMax = 200

// pipelines reads the edits below the key pipelines, in the order of the file.
// Where something is wrong with an edit, as much of it as possible is returned:
// the pipelines are checked all the same, and a step that is missing only because
// its condition is wrong would be a second problem that is none.
func (l *loader) pipelines(n *node) []pipeline.Edit {
	if n == nil {
		return nil
	}
	if n.kind != mapping {
		l.mistyped(n, "pipelines by name, with what to change below them")
		return nil
	}
	var edits []pipeline.Edit
	for _, f := range n.fields {
		switch {
		case !slices.Contains(l.deps.Pipelines.Names, f.key):
			l.report(f.at, "there is no pipeline of this name; there are %s", strings.Join(l.deps.Pipelines.Names, ", "))
		case f.value.kind == sequence:
			edits = append(edits, l.edits(f)...)
		case slices.ContainsFunc(operations(), func(op operation) bool { return f.value.get(op.key) != nil }):
			l.report(f.at, "edits are a list: each begins with a dash, such as - append: STEP")
		case f.value.kind == mapping:
			edits = append(edits, l.replacement(f))
		default:
			l.mistyped(f.value, "a list of edits, or the three lists pre, steps and post")
		}
	}
	if count := stepsOf(edits); count > stepsMax {
		l.report(n, "holds %d steps and edits; %d are allowed", count, stepsMax)
		return nil
	}
	return edits
}

func stepsOf(edits []pipeline.Edit) int {
	count := len(edits)
	for _, e := range edits {
		count += len(e.With.Pre) + len(e.With.Steps) + len(e.With.Post)
	}
	return count
}

// replacement reads the three lists of a pipeline. All three must be there: one
// that was forgotten would go silently.
func (l *loader) replacement(f field) pipeline.Edit {
	e := pipeline.Edit{Pipeline: f.key, Op: pipeline.ReplaceAll, At: l.position(f.at)}
	if !l.fields(f.value, "pre", "steps", "post") {
		return e
	}
	for _, list := range []struct {
		name string
		uses *[]pipeline.Use
	}{{"pre", &e.With.Pre}, {"steps", &e.With.Steps}, {"post", &e.With.Post}} {
		n := f.value.get(list.name)
		if n == nil {
			l.report(f.at, "needs the key %s; a list without steps is []", list.name)
		}
		for _, item := range l.list(n) {
			if use, ok := l.item(item); ok {
				*list.uses = append(*list.uses, use)
			}
		}
	}
	return e
}

// item reads one step of a list: its name, or keys that say more.
func (l *loader) item(item *node) (pipeline.Use, bool) {
	if item.kind != mapping {
		bare := &node{line: item.line, column: item.column, path: item.path, fields: []field{{key: "step", at: item, value: item}}}
		return l.use(bare, "step")
	}
	l.fields(item, "step", "as", "when", "with")
	return l.use(item, "step")
}

// position remembers the key path of a place, since the engine knows line and
// column only.
func (l *loader) position(n *node) pipeline.Position {
	at := pipeline.Position{Line: n.line, Column: n.column}
	if l.paths == nil {
		l.paths = make(map[pipeline.Position]string)
	}
	l.paths[at] = n.path
	return at
}
