package settings

import (
	"errors"
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/when"
)

// use reads a step as it is to stand in a pipeline: its name in the library,
// which stands at key, and the keys as, when and with. It returns false where not
// even the name is one.
func (l *loader) use(n *node, key string) (pipeline.Use, bool) {
	use := pipeline.Use{At: l.position(n), When: l.condition(n.get("when"))}
	kind := n.get(key)
	if kind == nil {
		l.report(n, "needs the key %s: a step", key)
	}
	name, ok := l.stepName(kind)
	if ok {
		use.Name, use.Step = name, name
		use.Configured, use.Config = l.configured(name, n, kind)
	}
	if as := n.get("as"); as != nil {
		own, fine := l.stepName(as)
		if fine {
			use.Name = own
		}
		if fine && !ok {
			use.Configured, ok = stand{}, true
		}
	}
	return use, ok
}

// stepName reads the name of a step. It is a text of the file itself, since
// people see it.
func (l *loader) stepName(n *node) (string, bool) {
	if n == nil {
		return "", false
	}
	if n.kind != text {
		l.mistyped(n, "the name of a step")
		return "", false
	}
	if !nameShape.MatchString(n.text) {
		l.report(n, "the name of a step is 1 to 40 of a-z, 0-9 and -, and begins with a letter")
		return "", false
	}
	return n.text, true
}

// configured makes the step of this name with what stands below `with:`; it
// returns nil for a step of the library, which has no settings. Config is with
// in one line: its references, and not what they stand for.
func (l *loader) configured(name string, n, kind *node) (step pipeline.Step, config string) {
	own, known := n.get("with"), slices.Clone(l.deps.Pipelines.Steps)
	for _, maker := range l.deps.Pipelines.Makers {
		if maker.Name == name {
			return l.make(maker, n, own), own.canonical()
		}
		known = append(known, maker.Name)
	}
	if slices.Contains(l.deps.Pipelines.Steps, name) {
		if own != nil {
			l.report(own, "this step has no settings")
		}
		return nil, ""
	}
	slices.Sort(known)
	l.report(kind, "there is no step of this name; there are %s", strings.Join(known, ", "))
	return stand{}, ""
}

// make makes a step of its settings, and reports what it says is wrong with them.
func (l *loader) make(maker pipeline.Maker, n, own *node) pipeline.Step {
	before, asked := len(l.problems), false
	step, err := maker.Make(func(target any) error {
		asked = true
		return l.decode(own, target)
	})
	switch {
	case len(l.problems) > before: // an error that decode returned comes back as err
		return stand{}
	case err != nil:
		l.refused(err, n, own, n.path+".with")
		return stand{}
	case !asked && own != nil:
		l.report(own, "this step has no settings")
	}
	return step
}

// condition reads `when:`; absent is always. It stands in the file itself and on
// one line: people read it in the version of a pipeline.
func (l *loader) condition(n *node) pipeline.Condition {
	if n == nil {
		return nil
	}
	if n.kind != text {
		l.mistyped(n, "text")
		return nil
	}
	source := strings.TrimSpace(n.text)
	if strings.Contains(source, "\n") {
		l.report(n, "must be one line; where it is too long, >- folds several into one")
		return nil
	}
	condition, err := when.Compile(source)
	if wrong, ok := errors.AsType[*when.Error](err); ok && n.begin > 0 {
		at := &node{line: n.line, column: n.begin + wrong.Column - 1, path: n.path}
		l.report(at, "%s", wrong.Message)
		return nil
	}
	if err != nil {
		l.report(n, "%s", err)
		return nil
	}
	return condition
}

// stand stands for a step that cannot be made, while the rest is checked.
type stand struct{}

func (stand) Name() string           { return "" }
func (stand) Do(*pipeline.Run) error { return errors.New("this step was not made") }
