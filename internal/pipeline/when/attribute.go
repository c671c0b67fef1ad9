package when

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/shopspring/decimal"
)

var (
	errUnread    = errors.New("the attributes of the order were not loaded")
	errOtherKind = errors.New("an attribute is of another kind than the condition needs")
)

// scalar is what an attribute holds: nothing where there is none, a list for
// JSON that is more than one value, which equals nothing.
type scalar struct {
	kind   kind
	text   string
	number decimal.Decimal
	truth  bool
}

// attributeAt reads an attribute only when the condition comes to it.
func attributeAt(key string) expression {
	return expression{kind: attribute, attribute: func(s *scope) scalar {
		if s.run.Order.Attributes == nil {
			s.fail(errUnread)
		}
		return scalarOf(s.run.Order.Attributes[key].Value)
	}}
}

func hasAttribute(s *scope, key string) bool {
	if s.run.Order.Attributes == nil {
		s.fail(errUnread)
	}
	_, ok := s.run.Order.Attributes[key]
	return ok
}

func scalarOf(value []byte) scalar {
	value = bytes.TrimSpace(value)
	if len(value) == 0 {
		return scalar{kind: nothing}
	}
	switch value[0] {
	case 'n':
		return scalar{kind: nothing}
	case 't', 'f':
		return scalar{kind: truth, truth: value[0] == 't'}
	case '"':
		var v string
		if json.Unmarshal(value, &v) == nil {
			return scalar{kind: text, text: v}
		}
	case '{', '[':
	default:
		if v, ok := parseNumber(string(value)); ok {
			return scalar{kind: number, number: v}
		}
	}
	return scalar{kind: list}
}

// What may be a number, or a text: of its own kind, or as an attribute that holds
// one.
func isNumber(e expression) bool { return e.kind == number || e.kind == attribute }
func isText(e expression) bool   { return e.kind == text || e.kind == attribute }

// The functions below look at an expression as one of a kind, which must be its
// own or an attribute's. What an attribute holds is known only when it is read:
// if strict, one of another kind fails the condition; otherwise it is as if it
// was not there.

func asNumber(e expression, strict bool) func(*scope) (decimal.Decimal, bool) {
	if e.kind != attribute {
		return e.number
	}
	return func(s *scope) (decimal.Decimal, bool) {
		v := read(s, e, number, strict)
		return v.number, v.kind == number
	}
}

func asText(e expression, strict bool) func(*scope) (string, bool) {
	if e.kind != attribute {
		return e.text
	}
	return func(s *scope) (string, bool) {
		v := read(s, e, text, strict)
		return v.text, v.kind == text
	}
}

func asTruth(e expression) func(*scope) (holds, known bool) {
	if e.kind != attribute {
		return func(s *scope) (bool, bool) { return e.truth(s), true }
	}
	return func(s *scope) (bool, bool) {
		v := read(s, e, truth, false)
		return v.truth, v.kind == truth
	}
}

func read(s *scope, e expression, as kind, strict bool) scalar {
	v := e.attribute(s)
	if strict && v.kind != as && v.kind != nothing {
		s.fail(errOtherKind)
	}
	return v
}
