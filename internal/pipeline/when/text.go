package when

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"

	"github.com/expr-lang/expr/ast"
)

// A pattern takes time by its size times the length of the text.
const (
	patternMaxBytes = 200
	patternSizeMax  = 500 // in instructions of the compiled pattern
	matchedMaxBytes = 4096
)

var errTooLong = errors.New("a text is too long to be matched with a pattern")

// within compiles contains, startsWith and endsWith.
func (c *compiler) within(n *ast.BinaryNode, left, right expression) (expression, error) {
	if left.kind == list {
		return left, c.problem(n, "%s looks into a text; write it the other way round, with in", n.Operator)
	}
	l, r, err := c.texts(n, left, right)
	if err != nil {
		return left, err
	}
	test := map[string]func(s, part string) bool{
		"contains": strings.Contains, "startsWith": strings.HasPrefix, "endsWith": strings.HasSuffix,
	}[n.Operator]
	return truthOf(func(s *scope) bool {
		a, there := l(s)
		b, too := r(s)
		return there && too && test(a, b)
	}), nil
}

func (c *compiler) texts(n *ast.BinaryNode, left, right expression) (l, r func(*scope) (string, bool), err error) {
	for _, e := range []expression{left, right} {
		if !isText(e) {
			return nil, nil, c.problem(n, "%s needs a text on both sides; here is %s", n.Operator, e.kind)
		}
	}
	return asText(left, true), asText(right, true), nil
}

// matches compiles a match with a pattern, which is read once.
func (c *compiler) matches(n *ast.BinaryNode, left, right expression) (expression, error) {
	l, _, err := c.texts(n, left, right)
	if err != nil {
		return left, err
	}
	if right.literal == nil {
		return right, c.problem(n, "the pattern after matches stands in quotes, in the condition itself")
	}
	pattern, err := c.pattern(n.Right, *right.literal)
	if err != nil {
		return right, err
	}
	return truthOf(func(s *scope) bool {
		v, there := l(s)
		if len(v) > matchedMaxBytes {
			s.fail(errTooLong)
			return false
		}
		return there && pattern.MatchString(v)
	}), nil
}

// pattern compiles a pattern that is small. One that repeats much is refused before
// it is unrolled: a thousand bytes can ask for a million instructions.
func (c *compiler) pattern(n ast.Node, source string) (*regexp.Regexp, error) {
	switch {
	case len(source) > patternMaxBytes:
		return nil, c.problem(n, "the pattern is longer than %d bytes", patternMaxBytes)
	case costly(source):
		return nil, c.problem(n, `the pattern holds \p, or (?i) with a range beyond ASCII, which are too large`)
	}
	parsed, err := syntax.Parse(source, syntax.Perl)
	if err != nil {
		return nil, c.problem(n, "the pattern is not a regular expression (RE2)")
	}
	if unrolled(parsed) > 2*patternSizeMax { // an estimate: what is near the bound is measured
		return nil, c.problem(n, "the pattern is too large: it repeats too much")
	}
	program, err := syntax.Compile(parsed.Simplify())
	if err != nil || len(program.Inst) > patternSizeMax {
		return nil, c.problem(n, "the pattern is too large: it repeats too much")
	}
	pattern, err := regexp.Compile(source)
	if err != nil {
		return nil, c.problem(n, "the pattern is not a regular expression (RE2)")
	}
	return pattern, nil
}

var (
	foldsCase   = regexp.MustCompile(`\(\?[a-zA-Z-]*i`)
	beyondASCII = regexp.MustCompile(`\\x\{|[^\x00-\x7f]`)
)

// costly tells of what takes the parser milliseconds for a few bytes: the tables of
// Unicode, and each character of a range on its own. Whoever may try pipelines could
// keep the service busy for minutes with one request.
func costly(source string) bool {
	return strings.Contains(source, `\p`) || strings.Contains(source, `\P`) ||
		strings.Contains(source, "-") && foldsCase.MatchString(source) && beyondASCII.MatchString(source)
}

// unrolled estimates how many instructions a pattern compiles to. The parser lets
// repetitions multiply to a thousand, so it cannot overflow.
func unrolled(re *syntax.Regexp) int {
	size := max(1, len(re.Sub))
	if re.Op == syntax.OpLiteral {
		size = len(re.Rune)
	}
	for _, sub := range re.Sub {
		size += unrolled(sub)
	}
	if re.Op == syntax.OpRepeat {
		size *= max(1, re.Min, re.Max)
	}
	return size
}

// oneOf compiles in with values that are written in the condition.
func (c *compiler) oneOf(left expression, values *ast.ArrayNode) (expression, error) {
	tests := make([]func(*scope) bool, len(values.Nodes))
	for i, node := range values.Nodes {
		value, err := c.expression(node)
		if err != nil {
			return value, err
		}
		if value.kind == nothing {
			return value, c.problem(node, "nil cannot stand in a list: compare it with ==")
		}
		if tests[i] = equalTo(left, value); tests[i] == nil {
			return value, c.problem(node, "in compares %s with %s, which are never the same", left.kind, value.kind)
		}
	}
	return truthOf(func(s *scope) bool {
		return slices.ContainsFunc(tests, func(test func(*scope) bool) bool { return test(s) })
	}), nil
}

// member compiles in with a list of the order, or with its metadata or
// attributes, of which it asks for a key.
func (c *compiler) member(n *ast.BinaryNode, left, right expression) (expression, error) {
	if !isText(left) {
		return left, c.problem(n, "in looks for a text here; this is %s", left.kind)
	}
	l := asText(left, true)
	var has func(s *scope, value string) bool
	switch right.kind {
	case list:
		has = func(s *scope, value string) bool { return slices.Contains(right.list(s), value) }
	case keyed:
		has = right.has
	case truth, text, number, attribute, nothing:
		return right, c.problem(n, `in needs a list after it, such as ["EUR", "CHF"]; this is %s`, right.kind)
	}
	return truthOf(func(s *scope) bool {
		v, there := l(s)
		return there && has(s, v)
	}), nil
}
