package when

import (
	"errors"
	"fmt"
	"strings"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/file"
	"github.com/shopspring/decimal"
)

// compiler turns nodes into functions. A node that it does not name is refused.
type compiler struct {
	source     string
	attributes bool // the condition reads some
}

func (c *compiler) expression(n ast.Node) (expression, error) {
	switch n := n.(type) {
	case *ast.NilNode:
		return expression{kind: nothing}, nil
	case *ast.BoolNode:
		return truthOf(func(*scope) bool { return n.Value }), nil
	case *ast.StringNode:
		return literalText(n.Value), nil
	case *ast.IntegerNode:
		return c.number(n, fmt.Sprint(n.Value))
	case *ast.FloatNode:
		return c.number(n, c.text(n))
	case *ast.IdentifierNode, *ast.MemberNode:
		return c.name(n)
	case *ast.UnaryNode:
		return c.unary(n)
	case *ast.BinaryNode:
		return c.binary(n)
	case *ast.BuiltinNode:
		return c.function(n, n.Name, n.Arguments)
	case *ast.CallNode:
		return expression{}, c.problem(n, "there is no such function; there are %s", functionNames)
	case *ast.ArrayNode:
		return expression{}, c.problem(n, "a list can only stand after in")
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		return expression{}, c.problem(n, "a condition is one expression, without let and ;")
	case *ast.ConditionalNode:
		return expression{}, c.problem(n, "there is no if and no ?: write it with and, or, not")
	case *ast.ChainNode:
		return expression{}, c.problem(n, "write . for ?. : what is not there is nil anyway")
	}
	return expression{}, c.problem(n, "this is not allowed in a condition")
}

func (c *compiler) number(n ast.Node, source string) (expression, error) {
	value, ok := literal(source)
	if !ok {
		return expression{}, c.problem(n, "a number has at most %d characters and %d places on each side",
			numberMaxBytes, exponentMax)
	}
	return literalNumber(value), nil
}

// name finds a name of the vocabulary.
func (c *compiler) name(n ast.Node) (expression, error) {
	prefix := ""
	parts, err := c.parts(n)
	if err != nil {
		return expression{}, err
	}
	for i, part := range parts {
		e, known := names[prefix+part.name]
		c.attributes = c.attributes || prefix+part.name == "order.attributes"
		switch last := i == len(parts)-1; {
		case strings.Contains(part.name, "."), !known && len(below(prefix+part.name+".")) == 0:
			return expression{}, c.unknown(part.node, prefix)
		case !known && last:
			return expression{}, c.problem(part.node, "%s is not a value itself; it has %s", prefix+part.name,
				strings.Join(below(prefix+part.name+"."), ", "))
		case known && last:
			return e, nil
		case known && e.kind == keyed && i == len(parts)-2:
			return e.at(parts[i+1].name), nil
		case known:
			return expression{}, c.problem(parts[i+1].node, "%s has nothing inside that a condition can reach", prefix+part.name)
		}
		prefix += part.name + "."
	}
	return expression{}, c.problem(n, "this is not allowed in a condition")
}

func (c *compiler) unknown(n ast.Node, prefix string) error {
	if prefix == "" {
		return c.problem(n, "there is no such name; there are %s (a text stands in quotes)", strings.Join(below(""), ", "))
	}
	return c.problem(n, "%s has no such name; it has %s", strings.TrimSuffix(prefix, "."), strings.Join(below(prefix), ", "))
}

// part is one word of a name, and where it stands.
type part struct {
	name string
	node ast.Node
}

// parts splits order.metadata["gift"] into its words.
func (c *compiler) parts(n ast.Node) ([]part, error) {
	switch n := n.(type) {
	case *ast.IdentifierNode:
		return []part{{n.Value, n}}, nil
	case *ast.MemberNode:
		property, ok := n.Property.(*ast.StringNode)
		if !ok || n.Method {
			return nil, c.problem(n, "between brackets stands a key in quotes")
		}
		parts, err := c.parts(n.Node)
		return append(parts, part{property.Value, property}), err
	}
	return nil, c.problem(n, "only a name can stand before a dot or a bracket")
}

func (c *compiler) unary(n *ast.UnaryNode) (expression, error) {
	e, err := c.expression(n.Node)
	if err != nil {
		return e, err
	}
	switch n.Operator {
	case "not", "!":
		if e.kind != truth {
			return e, c.problem(n, "%s needs true or false; this is %s", n.Operator, e.kind)
		}
		return truthOf(func(s *scope) bool { return !e.truth(s) }), nil
	case "-", "+":
		if !isNumber(e) {
			return e, c.problem(n, "%s needs a number; this is %s", n.Operator, e.kind)
		}
		value := asNumber(e, true)
		if n.Operator == "+" {
			return numberOf(value), nil
		}
		return numberOf(func(s *scope) (decimal.Decimal, bool) {
			v, ok := value(s)
			return v.Neg(), ok
		}), nil
	}
	return e, c.problem(n, "this operator is not allowed in a condition")
}

// problem is an error at a node.
func (c *compiler) problem(n ast.Node, format string, args ...any) error {
	if n == nil {
		return c.problemAt(0, format, args...)
	}
	return c.problemAt(n.Location().From, format, args...)
}

// problemAt is an error at an offset in characters.
func (c *compiler) problemAt(offset int, format string, args ...any) error {
	e := &Error{Line: 1, Column: 1, Message: fmt.Sprintf(format, args...)}
	for i, r := range []rune(c.source) {
		if i == offset {
			break
		}
		if e.Column++; r == '\n' {
			e.Line, e.Column = e.Line+1, 1
		}
	}
	return e
}

// unreadable translates an error of the parser, whose own text repeats the
// source.
func (c *compiler) unreadable(err error) error {
	place, ok := errors.AsType[*file.Error](err)
	switch {
	case !ok:
		return c.problemAt(0, "the condition cannot be read")
	case strings.TrimSpace(c.source) == "":
		return c.problemAt(0, "the condition is empty")
	case strings.Contains(place.Message, "maximum allowed nodes"):
		return c.problemAt(0, "the condition has more than %d parts", nodesMax)
	}
	return c.problemAt(place.From, "the condition cannot be read from here on: "+
		"look for an open quote or bracket, = for ==, or an operator without a value")
}

// text is what stands in the source at a node.
func (c *compiler) text(n ast.Node) string {
	runes := []rune(c.source)
	at := n.Location()
	if at.From < 0 || at.From > at.To || at.To > len(runes) {
		return ""
	}
	return string(runes[at.From:at.To])
}
