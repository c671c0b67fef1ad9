package httpkit

import (
	"errors"
	"io"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// EncodeJSON encodes as the API does: deterministic, maps sorted, nothing
// escaped that JSON does not ask for.
func EncodeJSON(v any) ([]byte, error) { return json.Marshal(v, json.Deterministic(true)) }

// jsonFormat is application/json for huma: strict in, deterministic out.
// Strict is: no duplicate, unknown or wrongly cased name, no invalid UTF-8,
// nothing after the value. Depth and NUL are refused before, by scanBody.
func jsonFormat() huma.Format {
	encode := json.JoinOptions(json.Deterministic(true))
	decode := json.JoinOptions(json.RejectUnknownMembers(true))
	return huma.Format{
		Marshal: func(w io.Writer, v any) error {
			if answer, ok := v.(*Answer); ok {
				_, err := w.Write(answer.Body)
				return err
			}
			return json.MarshalWrite(w, v, encode)
		},
		Unmarshal: func(data []byte, v any) error {
			if err := json.Unmarshal(data, v, decode); err != nil {
				return refusalOf(err)
			}
			return nil
		},
	}
}

// refusal is why a body was not decoded. Of a decoder's error huma keeps the
// text only, so the text is the code and the field, to be taken apart by
// parseRefusal. The library's own text repeats values of the body.
type refusal struct{ code, field string }

const refusalSeparator = "\x1f"

// Error is the wire form that parseRefusal reads.
func (r refusal) Error() string { return r.code + refusalSeparator + r.field }

func parseRefusal(text string) (refusal, bool) {
	code, field, found := strings.Cut(text, refusalSeparator)
	return refusal{code, field}, found
}

func refusalOf(err error) refusal {
	if syntactic, ok := errors.AsType[*jsontext.SyntacticError](err); ok {
		field := pointerField(syntactic.JSONPointer)
		switch {
		case errors.Is(err, jsontext.ErrDuplicateName):
			return refusal{fieldDuplicate, field}
		case strings.Contains(syntactic.Err.Error(), "UTF-8"):
			return refusal{fieldInvalidUTF8, field}
		case strings.Contains(syntactic.Err.Error(), "after top-level value"):
			return refusal{fieldTrailing, field}
		default:
			return refusal{fieldSyntax, field}
		}
	}
	if semantic, ok := errors.AsType[*json.SemanticError](err); ok {
		field := pointerField(semantic.JSONPointer)
		switch {
		case errors.Is(err, json.ErrUnknownName):
			return refusal{fieldUnknown, field}
		case errors.Is(err, errControl):
			return refusal{fieldControl, field}
		}
		return refusal{fieldType, field}
	}
	return refusal{fieldSyntax, ""}
}

// pointerField writes a JSON pointer as a field's path. A pointer does not
// tell an index from a member named by digits; it is taken for an index.
func pointerField(pointer jsontext.Pointer) string {
	var path []byte
	for token := range pointer.Tokens() {
		if token != "" && strings.Trim(token, "0123456789") == "" {
			path = append(append(append(path, '['), token...), ']')
			continue
		}
		path = appendName(path, token)
	}
	return string(path)
}

func appendName(path []byte, name string) []byte {
	if len(path) > 0 {
		path = append(path, '.')
	}
	return append(path, name...)
}
