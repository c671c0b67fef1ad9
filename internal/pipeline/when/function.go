package when

import (
	"strings"
	"unicode/utf8"

	"github.com/expr-lang/expr/ast"
	"github.com/shopspring/decimal"
)

const functionNames = "abs, len, lower, max, min, trim, upper"

// function compiles one of the few functions. Those that take a predicate loop,
// and are refused like all others.
func (c *compiler) function(n ast.Node, name string, nodes []ast.Node) (expression, error) {
	arguments := make([]expression, len(nodes))
	switch name {
	case "len", "lower", "upper", "trim", "abs", "min", "max":
	default:
		return expression{}, c.problem(n, "this function is not allowed in a condition; allowed are %s", functionNames)
	}
	for i, node := range nodes {
		var err error
		if arguments[i], err = c.expression(node); err != nil {
			return expression{}, err
		}
	}
	switch {
	case name == "min" || name == "max":
		return c.extreme(n, name, arguments)
	case len(arguments) != 1:
		return expression{}, c.problem(n, "%s takes one value", name)
	case name == "len":
		return c.length(n, arguments[0])
	case name == "abs":
		if !isNumber(arguments[0]) {
			return expression{}, c.problem(n, "abs takes a number; this is %s", arguments[0].kind)
		}
		value := asNumber(arguments[0], true)
		return numberOf(func(s *scope) (decimal.Decimal, bool) {
			v, there := value(s)
			return v.Abs(), there
		}), nil
	}
	if !isText(arguments[0]) {
		return expression{}, c.problem(n, "%s takes a text; this is %s", name, arguments[0].kind)
	}
	value := asText(arguments[0], true)
	apply := map[string]func(string) string{
		"lower": strings.ToLower, "upper": strings.ToUpper, "trim": strings.TrimSpace,
	}[name]
	return textOf(func(s *scope) (string, bool) {
		v, there := value(s)
		return apply(v), there
	}), nil
}

// extreme compiles min and max.
func (c *compiler) extreme(n ast.Node, name string, arguments []expression) (expression, error) {
	if len(arguments) < 2 {
		return expression{}, c.problem(n, "%s takes two numbers or more", name)
	}
	pick := func(a, b decimal.Decimal) decimal.Decimal { return decimal.Min(a, b) }
	if name == "max" {
		pick = func(a, b decimal.Decimal) decimal.Decimal { return decimal.Max(a, b) }
	}
	for _, e := range arguments {
		if !isNumber(e) {
			return expression{}, c.problem(n, "%s takes numbers; here is %s", name, e.kind)
		}
	}
	result := numberOf(asNumber(arguments[0], true))
	for _, e := range arguments[1:] {
		result = combine(result.number, asNumber(e, true), pick)
	}
	return result, nil
}

// length counts the characters of a text or the entries of a list.
func (c *compiler) length(n ast.Node, e expression) (expression, error) {
	switch e.kind {
	case list:
		return numberOf(func(s *scope) (decimal.Decimal, bool) { return decimal.NewFromInt(int64(len(e.list(s)))), true }), nil
	case text, attribute:
		value := asText(e, true)
		return numberOf(func(s *scope) (decimal.Decimal, bool) {
			v, there := value(s)
			return decimal.NewFromInt(int64(utf8.RuneCountInString(v))), there
		}), nil
	case truth, number, keyed, nothing:
	}
	return expression{}, c.problem(n, "len takes a text or a list; this is %s", e.kind)
}
