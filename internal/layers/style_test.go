package layers_test

import (
	"go/ast"
	"path"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
)

const (
	fileLinesMax     = 500
	functionLinesMax = 80
)

// handedIn are calls that would hide an input: below a program, the clock, the environment and the context come
// in as arguments, so that a test can choose them.
var handedIn = map[string][]string{
	"time":    {"Now", "Since", "Until"},
	"os":      {"Getenv", "LookupEnv", "Environ", "ExpandEnv"},
	"context": {"Background", "TODO"},
}

func TestClockEnvironmentAndContextAreHandedIn(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		if f.test || in(f.folder, programs...) || in(f.folder, forTests...) {
			continue
		}
		names := importNames(f)
		ast.Inspect(f.tree, func(n ast.Node) bool {
			selector, ok := n.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			left, ok := selector.X.(*ast.Ident)
			if !ok {
				return true
			}
			for _, hidden := range handedIn[names[left.Name]] {
				assert.NotEqual(t, hidden, selector.Sel.Name, "%s:%d uses %s.%s",
					f.path, f.set.Position(n.Pos()).Line, left.Name, hidden)
			}
			return true
		})
	}
}

// importNames are the names under which a file knows its imports.
func importNames(f file) map[string]string {
	names := map[string]string{}
	for i, spec := range f.tree.Imports {
		name := path.Base(f.imports[i])
		if spec.Name != nil {
			name = spec.Name.Name
		}
		names[name] = f.imports[i]
	}
	return names
}

func TestFilesAndFunctionsFitInAHead(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		if f.test {
			continue
		}
		assert.LessOrEqual(t, f.lines, fileLinesMax, "%s is too long", f.path)
		for _, declaration := range f.tree.Decls {
			fn, ok := declaration.(*ast.FuncDecl)
			if !ok {
				continue
			}
			lines := f.set.Position(fn.End()).Line - f.set.Position(fn.Pos()).Line + 1
			assert.LessOrEqual(t, lines, functionLinesMax, "%s: %s is too long", f.path, fn.Name.Name)
		}
	}
}

func TestNothingHappensAtImport(t *testing.T) {
	t.Parallel()
	for _, f := range files(t) {
		for _, declaration := range f.tree.Decls {
			fn, ok := declaration.(*ast.FuncDecl)
			assert.False(t, ok && fn.Recv == nil && fn.Name.Name == "init", "%s has an init function", f.path)
		}
	}
}

func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	for _, f := range files(t) {
		if f.test {
			continue
		}
		said[f.folder] = said[f.folder] || strings.TrimSpace(f.tree.Doc.Text()) != ""
	}
	for folder, yes := range said {
		assert.True(t, yes, "%s has no package comment", folder)
	}
}
