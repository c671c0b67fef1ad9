// Package when reads the conditions of steps: expressions in the grammar of
// expr-lang over a fixed vocabulary (see names.go).
//
// Only the parser of expr-lang is used. Its numbers are floats and its machine
// has loops; here a condition becomes a tree of small functions, each kind of
// node is allowed by name, every number is an exact decimal, and nothing can loop
// or grow. So whatever a later version of the language brings is refused until
// somebody allows it.
package when

import (
	"fmt"
	"unicode/utf8"

	"github.com/expr-lang/expr/conf"
	"github.com/expr-lang/expr/parser"

	"github.com/paysvc/paysvc/internal/pipeline"
)

// The bounds of a condition.
const (
	sourceMaxBytes = 1000
	nodesMax       = 200
)

// Error is what is wrong with a condition. It names the place and words of the
// vocabulary, and repeats nothing else of the source.
type Error struct {
	Line, Column int // from 1, in characters
	Message      string
}

func (e *Error) Error() string {
	if e.Line > 1 {
		return fmt.Sprintf("line %d, column %d: %s", e.Line, e.Column, e.Message)
	}
	return fmt.Sprintf("column %d: %s", e.Column, e.Message)
}

// Compile checks a condition and makes it ready to be asked. The error is an
// *Error.
func Compile(source string) (compiled pipeline.Condition, err error) {
	c := &compiler{source: source}
	switch {
	case len(source) > sourceMaxBytes:
		return nil, c.problemAt(0, "the condition is longer than %d bytes", sourceMaxBytes)
	case !utf8.ValidString(source):
		return nil, c.problemAt(0, "the condition is not UTF-8")
	}
	defer func() {
		if p := recover(); p != nil { // a bug of the parser must not stop the service that reloads its settings
			compiled, err = nil, c.problemAt(0, "the condition cannot be read")
		}
	}()
	config := conf.CreateNew()
	config.MaxNodes = nodesMax
	tree, err := parser.ParseWithConfig(source, config)
	if err != nil {
		return nil, c.unreadable(err)
	}
	e, err := c.expression(tree.Node)
	if err != nil {
		return nil, err
	}
	if e.kind != truth {
		return nil, c.problem(tree.Node, "a condition is true or false; this is %s: compare it with something", e.kind)
	}
	return &condition{source: source, truth: e.truth, attributes: c.attributes}, nil
}

// condition is a compiled condition. It keeps nothing between two runs.
type condition struct {
	source     string
	truth      func(*scope) bool
	attributes bool
}

var _ interface {
	pipeline.Condition
	pipeline.AttributeReader
} = (*condition)(nil)

// Holds decides the condition for a run. An error is an attribute of another
// kind than the condition works with, or a text too long to be matched.
func (c *condition) Holds(run *pipeline.Run) (bool, error) {
	s := scope{run: run}
	holds := c.truth(&s)
	return holds && s.err == nil, s.err
}

// String returns the source.
func (c *condition) String() string { return c.source }

// ReadsAttributes tells whether the order must be opened with its attributes.
func (c *condition) ReadsAttributes() bool { return c.attributes }

// scope is a run that a condition is decided for.
type scope struct {
	run *pipeline.Run
	err error // the first, if any
}

// fail makes the condition fail, and is what an expression does that has no
// value.
func (s *scope) fail(err error) {
	if s.err == nil {
		s.err = err
	}
}
