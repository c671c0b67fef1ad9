package pipeline

import (
	"fmt"
	"io"
)

// Secret is a credential of a step or a gateway. Whoever prints, formats, logs or
// encodes it gets ***. Package fmt cannot call the methods of what is in an
// unexported field, and prints that as it is: whoever keeps a credential keeps it
// in a function's closure.
type Secret string

const redacted = "***"

// Reveal returns the plain text, for a signature or a header and nothing else.
func (s Secret) Reveal() string { return string(s) }

// String implements fmt.Stringer.
func (Secret) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Secret) GoString() string { return redacted }

// Format implements fmt.Formatter, so that no verb prints the plain text.
func (Secret) Format(w fmt.State, _ rune) {
	_, _ = io.WriteString(w, redacted) // the writer of fmt keeps its own error
}

// MarshalText implements encoding.TextMarshaler: for JSON, YAML, zerolog and slog.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }
