package settings

import (
	"errors"
	"strings"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// misfit is something that is wrong with the pipelines that come of all edits.
// methods are those that have it; none stands for all.
type misfit struct {
	at      *node
	what    string
	methods []string
}

// check reports what is wrong with the pipelines of a store and of its methods.
// An edit of the store that does not fit one method, because its gateway or the
// method itself has edited the same pipeline, is reported with the method's name.
func (l *loader) check(st *Store, store field, methods map[*Method]field) {
	if l.deps.Pipelines.Check == nil {
		return
	}
	misfits := l.misfits(l.deps.Pipelines.Check(st, nil), store)
	for _, m := range st.Methods {
		if m.Account == nil || m.Account.Gateway == nil {
			continue // reported already; what its gateway edits is not known
		}
		for _, found := range l.misfits(l.deps.Pipelines.Check(st, m), methods[m], store) {
			if !strings.HasPrefix(found.at.path, methods[m].at.path) {
				found.methods = []string{m.Name}
			}
			misfits = found.among(misfits)
		}
	}
	for _, m := range misfits {
		l.report(m.at, "%s%s", theirs(m.methods), m.what)
	}
}

// misfits takes the error of a check apart. What no edit of the file is to blame
// for is placed at the first key pipelines that there is.
func (l *loader) misfits(err error, owners ...field) []*misfit {
	if err == nil {
		return nil
	}
	fallback := owners[0].at
	for _, owner := range owners {
		if f, ok := owner.value.field("pipelines"); ok {
			fallback = f.at
			break
		}
	}
	problems, ok := errors.AsType[pipeline.Problems](err)
	if !ok {
		return []*misfit{{at: fallback, what: err.Error()}}
	}
	found := make([]*misfit, len(problems))
	for i, p := range problems {
		found[i] = &misfit{at: fallback, what: p.Error()}
		if p.At != (pipeline.Position{}) {
			found[i].at = &node{line: p.At.Line, column: p.At.Column, path: l.paths[p.At]}
		}
	}
	return found
}

// among adds the misfit to those that are known, or its methods to the same one.
func (m *misfit) among(known []*misfit) []*misfit {
	for _, k := range known {
		if k.what != m.what || k.at.line != m.at.line || k.at.column != m.at.column {
			continue
		}
		if len(k.methods) > 0 {
			k.methods = append(k.methods, m.methods...)
		}
		return known
	}
	return append(known, m)
}

// theirs says which methods have a problem, "" for all.
func theirs(methods []string) string {
	var names []string
	for _, name := range methods {
		if keyShape.MatchString(name) { // see keyShape: others are not repeated
			names = append(names, name)
		}
	}
	switch len(names) {
	case 0:
		return ""
	case 1:
		return "for method " + names[0] + ": "
	}
	return "for methods " + strings.Join(names, ", ") + ": "
}
