package when

import (
	"github.com/expr-lang/expr/ast"
	"github.com/shopspring/decimal"
)

// binary compiles an operator between two expressions.
func (c *compiler) binary(n *ast.BinaryNode) (expression, error) {
	left, err := c.expression(n.Left)
	if err != nil {
		return left, err
	}
	if values, ok := n.Right.(*ast.ArrayNode); ok && n.Operator == "in" {
		return c.oneOf(left, values)
	}
	right, err := c.expression(n.Right)
	if err != nil {
		return right, err
	}
	switch n.Operator {
	case "and", "&&", "or", "||":
		return c.logic(n, left, right)
	case "==", "!=":
		return c.equality(n, left, right)
	case "<", "<=", ">", ">=":
		return c.ordering(n, left, right)
	case "+", "-", "*":
		return c.arithmetic(n, left, right)
	case "contains", "startsWith", "endsWith":
		return c.within(n, left, right)
	case "matches":
		return c.matches(n, left, right)
	case "in":
		return c.member(n, left, right)
	case "/", "%", "^", "**":
		return expression{}, c.problem(n, "there is no division and no power: their results are not exact")
	case "..":
		return expression{}, c.problem(n, "there are no ranges: compare with < and >")
	}
	return expression{}, c.problem(n, "this operator is not allowed in a condition")
}

func (c *compiler) logic(n *ast.BinaryNode, left, right expression) (expression, error) {
	for _, e := range []expression{left, right} {
		if e.kind != truth {
			return e, c.problem(n, "%s needs true or false on both sides; here is %s", n.Operator, e.kind)
		}
	}
	l, r := left.truth, right.truth
	if n.Operator == "and" || n.Operator == "&&" {
		return truthOf(func(s *scope) bool { return l(s) && r(s) }), nil
	}
	return truthOf(func(s *scope) bool { return l(s) || r(s) }), nil
}

func (c *compiler) equality(n *ast.BinaryNode, left, right expression) (expression, error) {
	equal := equalTo(left, right)
	if equal == nil {
		return left, c.problem(n, "%s compares %s with %s, which are never the same", n.Operator, left.kind, right.kind)
	}
	if n.Operator == "!=" {
		return truthOf(func(s *scope) bool { return !equal(s) }), nil
	}
	return truthOf(equal), nil
}

// equalTo compares two expressions; nil where no values of them are ever equal.
func equalTo(left, right expression) func(*scope) bool {
	if left.kind == nothing || left.kind == attribute && right.kind != nothing {
		left, right = right, left // so that the kind to compare as stands left
	}
	same := left.kind == right.kind || right.kind == attribute
	switch {
	case right.kind == nothing:
		return absent(left)
	case left.kind == number && same:
		l, r := left.number, asNumber(right, false)
		return func(s *scope) bool {
			a, there := l(s)
			b, too := r(s)
			return there && too && a.Equal(b)
		}
	case left.kind == text && same:
		l, r := left.text, asText(right, false)
		return func(s *scope) bool {
			a, there := l(s)
			b, too := r(s)
			return there && too && a == b
		}
	case left.kind == truth && same:
		l, r := left.truth, asTruth(right)
		return func(s *scope) bool {
			b, known := r(s)
			return known && l(s) == b
		}
	case left.kind == attribute && same:
		l, r := left.attribute, right.attribute
		return func(s *scope) bool { return l(s).equal(r(s)) }
	}
	return nil
}

func (v scalar) equal(w scalar) bool {
	return v.kind == w.kind && v.kind != list && v.text == w.text && v.truth == w.truth && v.number.Equal(w.number)
}

// absent tells whether there is no value; nil for what is always there.
func absent(e expression) func(*scope) bool {
	switch e.kind {
	case text:
		return func(s *scope) bool { _, there := e.text(s); return !there }
	case number:
		return func(s *scope) bool { _, there := e.number(s); return !there }
	case attribute:
		return func(s *scope) bool { return e.attribute(s).kind == nothing }
	case truth, list, keyed, nothing:
	}
	return nil
}

func (c *compiler) numbers(n *ast.BinaryNode, left, right expression) (l, r func(*scope) (decimal.Decimal, bool), err error) {
	for _, e := range []expression{left, right} {
		if !isNumber(e) {
			return nil, nil, c.problem(n, "%s needs a number on both sides; here is %s", n.Operator, e.kind)
		}
	}
	return asNumber(left, true), asNumber(right, true), nil
}

func (c *compiler) ordering(n *ast.BinaryNode, left, right expression) (expression, error) {
	l, r, err := c.numbers(n, left, right)
	if err != nil {
		return left, err
	}
	fits := map[string]func(sign int) bool{
		"<": func(sign int) bool { return sign < 0 }, "<=": func(sign int) bool { return sign <= 0 },
		">": func(sign int) bool { return sign > 0 }, ">=": func(sign int) bool { return sign >= 0 },
	}[n.Operator]
	return truthOf(func(s *scope) bool {
		a, there := l(s)
		b, too := r(s)
		return there && too && fits(a.Cmp(b))
	}), nil
}

func (c *compiler) arithmetic(n *ast.BinaryNode, left, right expression) (expression, error) {
	l, r, err := c.numbers(n, left, right)
	if err != nil {
		return left, err
	}
	apply := map[string]func(a, b decimal.Decimal) decimal.Decimal{
		"+": decimal.Decimal.Add, "-": decimal.Decimal.Sub, "*": decimal.Decimal.Mul,
	}[n.Operator]
	return combine(l, r, apply), nil
}

// combine makes one number of two, where both are there.
func combine(
	l, r func(*scope) (decimal.Decimal, bool), apply func(a, b decimal.Decimal) decimal.Decimal,
) expression {
	return numberOf(func(s *scope) (decimal.Decimal, bool) {
		a, there := l(s)
		b, too := r(s)
		if !there || !too {
			return decimal.Decimal{}, false
		}
		return apply(a, b), true
	})
}
