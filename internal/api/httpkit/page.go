package httpkit

import (
	"encoding/base64"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-json-experiment/json"
)

// cursorMaxBytes is far above what a keyset position needs.
const cursorMaxBytes = 512

// Page is embedded in the input of every list.
type Page struct {
	Limit  int    `query:"limit" minimum:"1" maximum:"200" default:"50" doc:"How many, 1 to 200."`
	Cursor Cursor `query:"cursor" doc:"next_cursor of the answer before; leave out for the newest."`
}

// Cursor is a position in a list, opaque to callers. It is not signed: it may
// hold nothing but a position, and lists bind the store by themselves.
type Cursor string

// EncodeCursor makes a cursor of a small struct.
func EncodeCursor(position any) (Cursor, error) {
	raw, err := EncodeJSON(position)
	if err != nil {
		return "", err
	}
	return Cursor(base64.RawURLEncoding.EncodeToString(raw)), nil
}

// Decode reads a cursor into the struct that it was made of. The error is a
// *Problem with status 400. An empty cursor is an error: ask first.
func (c Cursor) Decode(position any) error {
	refused := NewFieldProblem(http.StatusBadRequest, CodeCursorInvalid, "query.cursor", "")
	if len(c) > cursorMaxBytes {
		return refused
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(string(c))
	if err != nil {
		return refused
	}
	if err := json.Unmarshal(raw, position, json.RejectUnknownMembers(true)); err != nil {
		return refused
	}
	return nil
}

// Schema serves huma.
func (Cursor) Schema(huma.Registry) *huma.Schema {
	longest := cursorMaxBytes
	return &huma.Schema{
		Type: huma.TypeString, MaxLength: &longest,
		Pattern: "^[A-Za-z0-9_-]*$", PatternDescription: "a cursor",
		Extensions: map[string]any{extensionErrorCode: CodeCursorInvalid},
	}
}
