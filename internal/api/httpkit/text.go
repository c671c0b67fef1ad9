package httpkit

import (
	"errors"
	"strings"
	"unicode"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
)

// Text is what somebody typed for people to read, in one line or several. It holds no
// control characters, and no marks that change the direction of what follows: shown
// in a page, a terminal or a mail it looks like what it is. Letters of any script
// are fine, with the joiners that some need. Anything else is answered with 422 and
// the field. It is for what people type into operations, not for data of orders,
// which a shop has as it has it.
type Text string

// Line is a Text of one line.
type Line string

// extensionControl is the OpenAPI extension that tells what a text may not hold.
const extensionControl = "x-control-characters"

// Schema serves huma.
func (Text) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{
		Type:       huma.TypeString,
		Extensions: map[string]any{extensionControl: "none but line breaks and tabs; none of direction"},
	}
}

// Schema serves huma.
func (Line) Schema(huma.Registry) *huma.Schema {
	return &huma.Schema{Type: huma.TypeString, Extensions: map[string]any{extensionControl: "none"}}
}

// UnmarshalJSON implements json.Unmarshaler.
func (t *Text) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	breaks := strings.NewReplacer("\r\n", "", "\n", "", "\t", "") // forms send the first
	if strings.ContainsFunc(breaks.Replace(s), controls) {
		return errControl
	}
	*t = Text(s)
	return nil
}

// UnmarshalJSON implements json.Unmarshaler.
func (l *Line) UnmarshalJSON(text []byte) error {
	var s string
	if err := json.Unmarshal(text, &s); err != nil {
		return err
	}
	if strings.ContainsFunc(s, controls) || strings.ContainsFunc(s, separates) {
		return errControl
	}
	*l = Line(s)
	return nil
}

// errControl repeats nothing of the text.
var errControl = errors.New("a text holds a control character")

// controls tells whether a character does something to what it stands in: C0, DEL
// and C1, which terminals obey, and what turns the direction of all that follows. The
// joiners U+200C and U+200D are none of it, nor are the marks U+200E, U+200F and U+061C
// that keyboards of Hebrew and Arabic send: they turn nothing but their neighbours.
func controls(r rune) bool {
	return unicode.IsControl(r) || '\u202a' <= r && r <= '\u202e' || '\u2066' <= r && r <= '\u2069'
}

// separates tells whether a character ends a line or a paragraph, beside controls.
func separates(r rune) bool { return unicode.In(r, unicode.Zl, unicode.Zp) }
