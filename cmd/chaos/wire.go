package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"
)

// What a client's message that has no type says in place of the protocol's version.
const (
	codeCancel = 80877102
	codeTLS    = 80877103
	codeGSS    = 80877104
)

const (
	headerBytes     = 5 // a type and a length, which counts itself
	messageMaxBytes = 64 << 20
)

// message is one message of PostgreSQL's protocol 3, as it came. Kind is 0 for
// the first ones of a client, which have no type.
type message struct {
	kind byte
	raw  []byte
}

func (m message) body() []byte {
	if m.kind == 0 {
		return m.raw[headerBytes-1:]
	}
	return m.raw[headerBytes:]
}

// readMessage reads a whole message with a type.
func readMessage(r *bufio.Reader) (message, error) {
	header, err := r.Peek(headerBytes)
	if err != nil {
		return message{}, err
	}
	raw, err := readSized(r, 1, binary.BigEndian.Uint32(header[1:]))
	return message{kind: header[0], raw: raw}, err
}

// readOpening reads a whole message of a client that has not been let in.
func readOpening(r *bufio.Reader) (message, error) {
	header, err := r.Peek(headerBytes - 1)
	if err != nil {
		return message{}, err
	}
	raw, err := readSized(r, 0, binary.BigEndian.Uint32(header))
	return message{raw: raw}, err
}

func readSized(r io.Reader, before int, size uint32) ([]byte, error) {
	if size < headerBytes-1 || size > messageMaxBytes {
		return nil, fmt.Errorf("a message of %d bytes", size)
	}
	raw := make([]byte, before+int(size))
	_, err := io.ReadFull(r, raw)
	return raw, err
}

// code is what an opening message asks for.
func (m message) code() (uint32, error) {
	if len(m.body()) < 4 {
		return 0, errors.New("an opening message without a code")
	}
	return binary.BigEndian.Uint32(m.body()), nil
}

// dialogue follows what a client prepares on one connection, so that it is known
// which message makes the server commit.
type dialogue struct {
	statements map[string]bool // by name: whether the statement is COMMIT
	portals    map[string]bool
}

func newDialogue() *dialogue {
	return &dialogue{statements: map[string]bool{}, portals: map[string]bool{}}
}

// commits tells whether m is the message at which the server commits: a query
// that says so, or the execution of a statement that was prepared for it,
// wherever in a batch.
func (d *dialogue) commits(m message) bool {
	name, rest := text(m.body())
	switch m.kind {
	case 'Q':
		for statement := range strings.SplitSeq(name, ";") {
			if isCommit(statement) {
				return true
			}
		}
	case 'P':
		query, _ := text(rest)
		d.statements[name] = isCommit(query)
	case 'B':
		statement, _ := text(rest)
		d.portals[name] = d.statements[statement]
	case 'E':
		return d.portals[name]
	case 'C':
		d.forget(name)
	}
	return false
}

// forget is told what a client closes: a letter for what it is, and its name.
func (d *dialogue) forget(what string) {
	switch {
	case strings.HasPrefix(what, "S"):
		delete(d.statements, what[1:])
	case strings.HasPrefix(what, "P"):
		delete(d.portals, what[1:])
	}
}

func isCommit(statement string) bool {
	words := strings.Fields(strings.ToLower(strings.TrimRight(strings.TrimSpace(statement), ";")))
	return len(words) > 0 && (words[0] == "commit" || words[0] == "end")
}

// committed tells whether the server says with m that it has committed.
func committed(m message) bool {
	tag, _ := text(m.body())
	return m.kind == 'C' && tag == "COMMIT"
}

// text splits a message at the end of its first text.
func text(body []byte) (first string, rest []byte) {
	head, rest, _ := bytes.Cut(body, []byte{0})
	return string(head), rest
}
