package mail

import (
	"fmt"
	"io"
)

const redacted = "***"

// Password is the password of a mail server. Whoever prints, formats, logs or
// encodes it gets ***. It is kept in a closure: package fmt prints the fields of
// a struct past all methods.
type Password struct{ reveal func() string }

// NewPassword returns the password; "" is none.
func NewPassword(plain string) Password {
	if plain == "" {
		return Password{}
	}
	return Password{reveal: func() string { return plain }}
}

// Reveal returns the plain text, for the login and nothing else.
func (p Password) Reveal() string {
	if p.reveal == nil {
		return ""
	}
	return p.reveal()
}

// String implements fmt.Stringer.
func (Password) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Password) GoString() string { return redacted }

// Format implements fmt.Formatter, so that no verb prints the plain text.
func (Password) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, redacted) // the writer of fmt keeps its own error
}

// MarshalText implements encoding.TextMarshaler: for JSON, YAML, zerolog and slog.
func (Password) MarshalText() ([]byte, error) { return []byte(redacted), nil }
