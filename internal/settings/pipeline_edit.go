package settings

import (
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// operation is a way to change a pipeline: the key that says so, the keys that
// may stand beside it, and how they are read. Read returns false where nothing
// can be made of them.
type operation struct {
	key    string
	others []string
	read   func(l *loader, n *node, e *pipeline.Edit) bool
}

func operations() []operation {
	return []operation{
		{"insert", []string{"as", "before", "after", "when", "with"}, (*loader).insert},
		{"append", []string{"as", "to", "when", "with"}, (*loader).append},
		{"remove", nil, (*loader).remove},
		{"move", []string{"before", "after"}, (*loader).move},
		{"replace", []string{"by", "as", "when", "with"}, (*loader).replace},
		{"change", []string{"when"}, (*loader).change},
	}
}

// edits reads the list of edits of one pipeline.
func (l *loader) edits(f field) []pipeline.Edit {
	var edits []pipeline.Edit
	for _, item := range f.value.items {
		op, ok := l.operation(item)
		if !ok {
			continue
		}
		l.fields(item, append([]string{op.key}, op.others...)...)
		e := pipeline.Edit{Pipeline: f.key, At: l.position(item)}
		if op.read(l, item, &e) {
			edits = append(edits, e)
		}
	}
	return edits
}

// operation finds the one operation that an edit names.
func (l *loader) operation(n *node) (found operation, ok bool) {
	var known, named []string
	for _, op := range operations() {
		known = append(known, op.key)
		if n.get(op.key) != nil {
			named, found = append(named, op.key), op
		}
	}
	switch {
	case n.kind != mapping:
		l.mistyped(n, "an edit, such as remove: send-order-mail")
		return found, false
	case len(named) == 0:
		l.report(n, "says nothing to do; an edit has one of the keys %s", strings.Join(known, ", "))
		return found, false
	case len(named) > 1:
		l.report(n, "has the keys %s; an edit has one of them", strings.Join(named, ", "))
		return found, false
	}
	return found, true
}

func (l *loader) insert(n *node, e *pipeline.Edit) (ok bool) {
	if e.Step, ok = l.use(n, "insert"); !ok {
		return false
	}
	if e.Op, e.Target, ok = l.beside(n, pipeline.InsertBefore, pipeline.InsertAfter); !ok {
		e.Op = pipeline.Append // so that later edits find the step
	}
	return true
}

func (l *loader) append(n *node, e *pipeline.Edit) (ok bool) {
	e.Op, e.List = pipeline.Append, pipeline.Main
	if to := n.get("to"); to != nil {
		e.List = pipeline.List(to.text)
		if to.kind != text || !slices.Contains([]pipeline.List{pipeline.Pre, pipeline.Main, pipeline.Post}, e.List) {
			l.mistyped(to, "pre, steps or post")
			e.List = pipeline.Main
		}
	}
	e.Step, ok = l.use(n, "append")
	return ok
}

func (l *loader) remove(n *node, e *pipeline.Edit) (ok bool) {
	e.Op = pipeline.Remove
	e.Step.Name, ok = l.stepName(n.get("remove"))
	return ok
}

func (l *loader) move(n *node, e *pipeline.Edit) bool {
	var named, placed bool
	e.Step.Name, named = l.stepName(n.get("move"))
	e.Op, e.Target, placed = l.beside(n, pipeline.MoveBefore, pipeline.MoveAfter)
	return named && placed
}

func (l *loader) replace(n *node, e *pipeline.Edit) bool {
	e.Op = pipeline.Replace
	var named, used bool
	e.Target, named = l.stepName(n.get("replace"))
	e.Step, used = l.use(n, "by")
	return named && used
}

// change gives a step that stands in the pipeline a condition.
func (l *loader) change(n *node, e *pipeline.Edit) (ok bool) {
	e.Op = pipeline.ChangeWhen
	e.Target, ok = l.stepName(n.get("change"))
	if n.get("when") == nil {
		l.report(n, "needs the key when: what may be changed of a step is its condition")
	}
	e.Step.When = l.condition(n.get("when"))
	return ok
}

// beside reads which step to stand before or after.
func (l *loader) beside(n *node, before, after pipeline.Op) (op pipeline.Op, target string, ok bool) {
	first, second := n.get("before"), n.get("after")
	switch {
	case first != nil && second != nil:
		l.report(n, "has both keys before and after; one of them says where")
		return "", "", false
	case first != nil:
		target, ok = l.stepName(first)
		return before, target, ok
	case second != nil:
		target, ok = l.stepName(second)
		return after, target, ok
	}
	l.report(n, "needs the key before or after: the step to stand beside")
	return "", "", false
}
