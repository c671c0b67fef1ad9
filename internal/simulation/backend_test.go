package simulation

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
)

// backend is a real connection to PostgreSQL. It outlives the simulated ones that
// it serves, one after the other: starting a server process for each would take
// longer than all else.
type backend struct {
	conn     net.Conn
	read     *bufio.Reader
	greeting []byte // what the server said first, up to its first ReadyForQuery
	prepared map[string]bool
	status   byte // of the transaction: I none, T open, E failed
}

// The types of messages that matter here.
const (
	msgParse    = 'P'
	msgDescribe = 'D'
	msgBind     = 'B'
	msgSync     = 'S'
	msgClose    = 'C'
	msgQuery    = 'Q'
	msgFlush    = 'H'
	msgLeave    = 'X'
	msgReady    = 'Z'
	msgRow      = 'D'
	msgError    = 'E'
)

// message is one message of the protocol, its type first.
type message []byte

func (m message) typ() byte { return m[0] }

// text returns the zero-terminated strings that the message begins with.
func (m message) text(n int) []string {
	return strings.SplitN(string(m[5:]), "\x00", n+1)[:n]
}

// messages cuts what a client sent into its messages.
func messages(b []byte) ([]message, error) {
	var all []message
	for len(b) > 0 {
		if len(b) < 5 {
			return nil, io.ErrUnexpectedEOF
		}
		n := 1 + int(binary.BigEndian.Uint32(b[1:]))
		if len(b) < n {
			return nil, io.ErrUnexpectedEOF
		}
		all = append(all, message(b[:n]))
		b = b[n:]
	}
	return all, nil
}

// greet starts a session with what a client said first.
func greet(conn net.Conn, startup []byte) (*backend, error) {
	b := &backend{conn: conn, read: bufio.NewReaderSize(conn, 32<<10), prepared: map[string]bool{}, status: 'I'}
	if _, err := conn.Write(startup); err != nil {
		return nil, err
	}
	var err error
	b.greeting, err = b.answers(1)
	return b, err
}

// send sends messages and reads all that comes back.
func (b *backend) send(out []byte, syncs int) ([]byte, error) {
	if _, err := b.conn.Write(out); err != nil {
		return nil, err
	}
	return b.answers(syncs)
}

// answers reads up to so many times ReadyForQuery.
func (b *backend) answers(syncs int) ([]byte, error) {
	var all []byte
	for syncs > 0 {
		head := make([]byte, 5)
		if _, err := io.ReadFull(b.read, head); err != nil {
			return nil, fmt.Errorf("the database is gone: %w", err)
		}
		n := int(binary.BigEndian.Uint32(head[1:])) - 4
		at := len(all)
		all = append(all, head...)
		all = append(all, make([]byte, n)...)
		if _, err := io.ReadFull(b.read, all[at+5:]); err != nil {
			return nil, fmt.Errorf("the database is gone: %w", err)
		}
		if head[0] == msgReady {
			b.status = all[at+5]
			syncs--
		}
	}
	return all, nil
}

// query carries out plain SQL and returns the rows of the last statement that has
// any, as text.
func (b *backend) query(sql string) ([][]string, error) {
	out := binary.BigEndian.AppendUint32([]byte{msgQuery}, uint32(4+len(sql)+1))
	answer, err := b.send(append(append(out, sql...), 0), 1)
	if err != nil {
		return nil, err
	}
	all, err := messages(answer)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, m := range all {
		switch m.typ() {
		case msgError:
			return nil, errors.New(strings.ReplaceAll(string(m[5:]), "\x00", " "))
		case msgRow:
			rows = append(rows, m.row())
		}
	}
	return rows, nil
}

func (m message) row() []string {
	fields := make([]string, binary.BigEndian.Uint16(m[5:]))
	rest := m[7:]
	for i := range fields {
		n := int32(binary.BigEndian.Uint32(rest))
		rest = rest[4:]
		if n > 0 {
			fields[i], rest = string(rest[:n]), rest[n:]
		}
	}
	return fields
}

// leave ends what a client that is gone had begun, as the server would.
func (b *backend) leave() error {
	if b.status == 'I' {
		return nil
	}
	_, err := b.query("rollback")
	return err
}
