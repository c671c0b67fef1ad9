package settings

import (
	"bytes"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// The bounds of a file. The parser takes quadratic time over keys and more
// over brackets; within these bounds it takes less than a second.
const (
	sourceMax = 256 << 10 // bytes
	tokensMax = 20_000
	depthMax  = 16
)

// parse returns the file as a tree, or nil when it cannot be read as YAML.
func (l *loader) parse(source []byte) (root *node) {
	top := &node{line: 1, column: 1}
	if !l.plain(top, source) {
		return nil
	}
	// The parser has panicked on odd files before (goccy/go-yaml #274, #479); a
	// reload must not end the service over one.
	defer func() {
		if recover() != nil {
			l.report(top, "is not valid YAML")
			root = nil
		}
	}()
	tokens := lexer.Tokenize(string(bytes.TrimPrefix(source, []byte("\ufeff"))))
	if !l.plainTokens(top, tokens) {
		return nil
	}
	file, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		l.syntax(top, err)
		return nil
	}
	return l.document(top, file)
}

// document returns the tree of the one document that the file may have.
func (l *loader) document(top *node, file *ast.File) *node {
	var docs []*ast.DocumentNode
	for _, doc := range file.Docs {
		if doc.Body != nil {
			docs = append(docs, doc)
		}
	}
	if len(docs) == 0 {
		l.report(top, "is empty")
		return nil
	}
	if len(docs) > 1 {
		begin := docs[1].Body.GetToken()
		if docs[1].Start != nil {
			begin = docs[1].Start
		}
		l.report(place(begin, ""), "a second document begins here; there may be one")
		return nil
	}
	return l.tree(docs[0].Body, "", 0)
}

// plain checks the bytes: text of a bounded size without control characters.
func (l *loader) plain(top *node, source []byte) bool {
	if len(source) > sourceMax {
		l.report(top, "is larger than %d KiB", sourceMax>>10)
		return false
	}
	for i, line := range bytes.Split(source, []byte("\n")) {
		line = bytes.TrimSuffix(line, []byte("\r"))
		bad := bytes.IndexFunc(line, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f || r == utf8.RuneError })
		if bad >= 0 {
			column := utf8.RuneCount(line[:bad]) + 1
			l.report(&node{line: i + 1, column: column}, "has a character here that is not printable UTF-8")
			return false
		}
	}
	return true
}

// forbidden are the features of YAML that make one text mean more than it shows.
var forbidden = map[token.Type]string{
	token.AnchorType:     "anchors and aliases are not supported",
	token.AliasType:      "anchors and aliases are not supported",
	token.MergeKeyType:   "merge keys are not supported",
	token.TagType:        "tags are not supported",
	token.DirectiveType:  "directives are not supported",
	token.MappingKeyType: "keys of this form are not supported; write key: value",
}

// plainTokens reports what settings do not use, before the parser spends time
// on it.
func (l *loader) plainTokens(top *node, tokens token.Tokens) bool {
	if len(tokens) > tokensMax {
		l.report(top, "is too large")
		return false
	}
	before, open, dashes := len(l.problems), 0, 0
	dashLine, colonLine := 0, 0
	for _, tk := range tokens {
		if what, ok := forbidden[tk.Type]; ok {
			l.report(place(tk, ""), "%s", what)
		}
		switch tk.Type {
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType:
			if dashLine != tk.Position.Line {
				dashLine, dashes = tk.Position.Line, 0
			}
			dashes++
		case token.MappingValueType:
			if open <= 0 && colonLine == tk.Position.Line {
				l.report(place(tk, ""), "a second key on one line; quote text that holds a colon")
				return false
			}
			colonLine = tk.Position.Line
		}
		if open > depthMax || dashes > depthMax {
			l.report(place(tk, ""), "is nested too deeply")
			return false
		}
	}
	return len(l.problems) == before
}

// syntax reports an error of the parser without what it quotes from the file.
func (l *loader) syntax(top *node, err error) {
	var located interface {
		GetToken() *token.Token
		GetMessage() string
	}
	if !errors.As(err, &located) || located.GetToken() == nil || located.GetToken().Position == nil {
		l.report(top, "is not valid YAML")
		return
	}
	what, _, _ := strings.Cut(located.GetMessage(), `"`)
	l.report(place(located.GetToken(), ""), "is not valid YAML: %s", strings.TrimRight(what, ": "))
}
