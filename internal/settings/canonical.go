package settings

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
)

// canonical writes a value in one line, the same for every way to write it down:
// keys sorted, text in quotes. A reference stays a reference, so no secret is in
// it. Nothing is "".
func (n *node) canonical() string {
	if n == nil {
		return ""
	}
	switch n.kind {
	case text:
		return strconv.Quote(n.text)
	case mapping:
		fields := slices.SortedFunc(slices.Values(n.fields), func(a, b field) int { return cmp.Compare(a.key, b.key) })
		parts := make([]string, len(fields))
		for i, f := range fields {
			parts[i] = f.key + ": " + f.value.canonical()
		}
		return "{" + strings.Join(parts, ", ") + "}"
	case sequence:
		parts := make([]string, len(n.items))
		for i, item := range n.items {
			parts[i] = item.canonical()
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case empty:
		return "null"
	case number, fraction, boolean, broken:
	}
	return n.text
}
