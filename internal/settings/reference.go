package settings

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"unicode/utf8"
)

// referenceMax bounds the value of a file or an environment variable, in bytes.
const referenceMax = 64 << 10

// isReference tells whether n is {env: NAME} or {file: path}.
func (n *node) isReference() bool {
	for _, f := range n.fields {
		if f.key != "env" && f.key != "file" {
			return false
		}
	}
	return n.kind == mapping && len(n.fields) > 0
}

// resolve returns the text behind a reference. It is never empty: an unset
// secret must not look like a secret.
func (l *loader) resolve(n *node) (string, bool) {
	if len(n.fields) != 1 {
		l.report(n, "must name either env or file, not both")
		return "", false
	}
	at := n.fields[0].value
	if at.kind != text || at.text == "" {
		l.report(at, "must be text")
		return "", false
	}
	var value, problem string
	if n.fields[0].key == "env" {
		value, problem = l.environment(at.text)
	} else {
		value, problem = l.content(at.text)
	}
	if problem == "" && len(value) > referenceMax {
		problem = "the value is too large"
	}
	if problem == "" && (!utf8.ValidString(value) || strings.Contains(value, "\x00")) {
		problem = "the value is not text"
	}
	if problem != "" {
		// Reported at the value's own path: the reader looks for what is missing.
		l.report(&node{line: at.line, column: at.column, path: n.path}, "%s", problem)
		return "", false
	}
	l.resolved = append(l.resolved, value)
	return value, true
}

// envShape is what the name of an environment variable looks like that is
// repeated in a problem. Anything else may be the secret itself, written where
// its name belongs.
var envShape = regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+){1,8}$`)

func (l *loader) environment(name string) (value, problem string) {
	shown := "the environment variable"
	if len(name) <= 64 && envShape.MatchString(name) {
		shown += " " + name
	}
	value, ok := l.deps.LookupEnv(name)
	switch {
	case !ok:
		return "", shown + " is not set"
	case value == "":
		return "", shown + " is empty"
	}
	return value, ""
}

// content reads a file without the line break at its end, which every editor
// leaves there.
func (l *loader) content(path string) (value, problem string) {
	data, err := l.deps.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return "", "the file does not exist"
	case errors.Is(err, fs.ErrPermission):
		return "", "the file may not be read"
	case err != nil:
		return "", "the file cannot be read"
	}
	value = strings.TrimRight(string(data), "\r\n")
	if value == "" {
		return "", "the file is empty"
	}
	return value, ""
}

// redact takes the values behind references, and those that stand in the
// settings themselves, out of a text that a gateway or a step made. Very short
// values are no secrets, and would garble the text.
func (l *loader) redact(s string, own *node) string {
	for _, value := range append(own.texts(), l.resolved...) {
		if len(value) >= 4 {
			s = strings.ReplaceAll(s, value, "***")
		}
	}
	return s
}
