package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// loader reads one file and collects what is wrong with it.
type loader struct {
	file     string
	deps     Deps
	problems Problems
	// resolved are the values behind references; none may get into a problem.
	resolved []string
	// paths are the key paths of the places that edits of pipelines have.
	paths map[pipeline.Position]string
}

func (l *loader) report(n *node, format string, args ...any) {
	l.problems = append(l.problems, Problem{
		File: l.file, Line: n.line, Column: n.column, Path: n.path, What: fmt.Sprintf(format, args...),
	})
}

// fields checks that n is a mapping of the known keys; it returns false where
// it is none at all.
func (l *loader) fields(n *node, known ...string) bool {
	if n.kind != mapping {
		l.mistyped(n, "keys with values")
		return false
	}
	for _, f := range n.fields {
		if !slices.Contains(known, f.key) {
			l.report(f.at, "unknown key; known here: %s", strings.Join(known, ", "))
		}
	}
	return true
}

// nameShape is what stores, accounts and methods may be called: names stand in
// URLs and in tables.
var nameShape = regexp.MustCompile(`^[a-z][a-z0-9-]{0,39}$`)

// named returns the fields of a mapping from names of one's own choice. Absent
// is none.
func (l *loader) named(n *node) []field {
	if n == nil {
		return nil
	}
	if n.kind != mapping {
		l.mistyped(n, "names with keys below them")
		return nil
	}
	for _, f := range n.fields {
		if !nameShape.MatchString(f.key) {
			l.report(f.at, "a name is 1 to 40 of a-z, 0-9 and -, and begins with a letter")
		}
	}
	return n.fields
}

// list returns the items of a list; absent is none.
func (l *loader) list(n *node) []*node {
	if n == nil {
		return nil
	}
	if n.kind != sequence {
		l.mistyped(n, "a list")
		return nil
	}
	return n.items
}

// text returns a line of text of at most 200 characters. Control characters
// are refused because titles and senders go into mail headers.
func (l *loader) text(n *node) (string, bool) {
	value, ok := l.scalar(n, "text", text)
	if !ok {
		return "", false
	}
	if value == "" || len([]rune(value)) > 200 || strings.ContainsFunc(value, unicode.IsControl) {
		l.report(n, "must be one line of 1 to 200 characters")
		return "", false
	}
	return value, true
}

// flag returns true or false; absent is fallback.
func (l *loader) flag(n *node, fallback bool) bool {
	if n == nil {
		return fallback
	}
	value, ok := l.scalar(n, "true or false", boolean)
	if !ok {
		return fallback
	}
	switch strings.ToLower(value) {
	case "true":
		return true
	case "false":
		return false
	}
	l.report(n, "must be true or false")
	return fallback
}

// whole returns a whole number between the bounds; absent is 0.
func (l *loader) whole(n *node, least, most int64) int64 {
	if n == nil {
		return 0
	}
	value, ok := l.scalar(n, "a whole number", number)
	if !ok {
		return 0
	}
	i, err := strconv.ParseInt(value, 10, 64)
	if err != nil || i < least || i > most {
		l.report(n, "must be a whole number from %d to %d", least, most)
		return 0
	}
	return i
}

// scalar returns the source text of a value that is one of the kinds, or the
// text behind a reference.
func (l *loader) scalar(n *node, what string, kinds ...kind) (string, bool) {
	switch {
	case n == nil:
		return "", false
	case n.isReference():
		return l.resolve(n)
	case !slices.Contains(kinds, n.kind):
		l.mistyped(n, what)
		return "", false
	}
	return n.text, true
}

// mistyped reports a value that is not of the type that belongs there.
func (l *loader) mistyped(n *node, what string) {
	switch {
	case n.kind == broken:
	case n.kind == empty:
		l.report(n, "is empty; must be %s", what)
	case what == "text" && (n.kind == number || n.kind == fraction || n.kind == boolean):
		l.report(n, "must be text; put it in quotes")
	default:
		l.report(n, "must be %s", what)
	}
}
