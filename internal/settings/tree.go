package settings

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// kind is what a node of the file is.
type kind int

const (
	empty kind = iota
	text
	number   // a whole number
	fraction // a number with a point
	boolean
	mapping
	sequence
	broken // reported already
)

// node is one value of the file with the place where it stands. Scalars keep
// their source text, so that an amount never passes through a float.
type node struct {
	line, column int
	path         string
	kind         kind
	text         string
	// begin is the column where a text begins, 0 where it does not stand in its
	// line as it is: folded, escaped, a block.
	begin  int
	fields []field // of a mapping, in the order of the file
	items  []*node // of a sequence
}

// field is one key of a mapping with its value; at is the place of the key.
type field struct {
	key   string
	at    *node
	value *node
}

// get returns the value of a key, or nil; nil has no keys.
func (n *node) get(key string) *node {
	f, _ := n.field(key)
	return f.value
}

// field returns a key with its value.
func (n *node) field(key string) (f field, ok bool) {
	if n != nil {
		for _, f := range n.fields {
			if f.key == key {
				return f, true
			}
		}
	}
	return field{}, false
}

// below returns the nodes directly below n.
func (n *node) below() []*node {
	if n == nil {
		return nil
	}
	nodes := slices.Clone(n.items)
	for _, f := range n.fields {
		nodes = append(nodes, f.value)
	}
	return nodes
}

// find returns the node of this path at or below n, or nil.
func (n *node) find(path string) *node {
	if n != nil && n.path == path {
		return n
	}
	for _, child := range n.below() {
		if found := child.find(path); found != nil {
			return found
		}
	}
	return nil
}

// texts returns every scalar at or below n.
func (n *node) texts() []string {
	if n == nil {
		return nil
	}
	texts := []string{n.text}
	for _, child := range n.below() {
		texts = append(texts, child.texts()...)
	}
	return texts
}

// tree makes nodes of the parser's tree and reports keys that stand twice.
func (l *loader) tree(from ast.Node, path string, depth int) *node {
	n := place(from.GetToken(), path)
	if depth > depthMax {
		l.report(n, "is nested too deeply")
		n.kind = broken
		return n
	}
	switch from := from.(type) {
	case *ast.MappingNode:
		l.mapping(n, from.Values, from.IsFlowStyle, depth)
	case *ast.MappingValueNode:
		l.mapping(n, []*ast.MappingValueNode{from}, from.IsFlowStyle, depth)
	case *ast.SequenceNode:
		n.kind = sequence
		for i, item := range from.Values {
			n.items = append(n.items, l.tree(item, fmt.Sprintf("%s[%d]", path, i), depth+1))
		}
	case *ast.LiteralNode:
		n.kind, n.text = text, from.Value.Value
	case *ast.StringNode:
		n.kind, n.text, n.begin = text, from.Value, begin(from.GetToken())
	case *ast.IntegerNode:
		n.kind, n.text = number, from.GetToken().Value
	case *ast.FloatNode:
		n.kind, n.text = fraction, from.GetToken().Value
	case *ast.BoolNode:
		n.kind, n.text = boolean, from.GetToken().Value
	case *ast.NullNode:
		n.kind = empty
	default: // .inf, .nan and what parse has refused already
		l.report(n, "is a kind of value that settings do not use")
		n.kind = broken
	}
	return n
}

func (l *loader) mapping(n *node, values []*ast.MappingValueNode, inBraces bool, depth int) {
	n.kind = mapping
	seen := make(map[string]bool, len(values))
	for i, v := range values {
		tk := v.Key.GetToken()
		if i == 0 && !inBraces { // the parser places it at the first colon
			n.line, n.column = tk.Position.Line, tk.Position.Column
		}
		path := join(n.path, tk.Value)
		at := place(tk, path)
		if seen[tk.Value] {
			l.report(at, "stands here a second time")
			continue
		}
		seen[tk.Value] = true
		value := l.tree(v.Value, path, depth+1)
		if value.kind == empty { // the parser places it somewhere behind the colon
			value.line, value.column = at.line, at.column
		}
		n.fields = append(n.fields, field{key: tk.Value, at: at, value: value})
	}
}

// begin returns the column of the first character of a text, 0 where the text is
// not in its line as it is.
func begin(tk *token.Token) int {
	switch {
	case !strings.Contains(tk.Origin, tk.Value):
		return 0
	case tk.Type == token.SingleQuoteType || tk.Type == token.DoubleQuoteType:
		return tk.Position.Column + 1
	}
	return tk.Position.Column
}

func place(tk *token.Token, path string) *node {
	return &node{line: tk.Position.Line, column: tk.Position.Column, path: path}
}

// keyShape is what a key looks like that may be repeated in a problem. Another
// one may be a secret that slipped into the place of a key.
var keyShape = regexp.MustCompile(`^([a-z][a-z0-9_-]{0,39}|[A-Z]{2,3})$`)

func join(path, key string) string {
	if !keyShape.MatchString(key) {
		key = "?"
	}
	if path == "" {
		return key
	}
	return path + "." + key
}
