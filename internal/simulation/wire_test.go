package simulation

import (
	"context"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"time"
)

// wire is the connection of an instance to the database, as the driver sees it.
// What the driver writes is carried when it waits for the answer: that is the
// gate. The answer is read as a whole, so that no two statements are under way.
type wire struct {
	h  *history
	at *instance
	// who uses it now; the tracer of the store says.
	who string

	mu      sync.Mutex
	backend *backend
	out     []byte // written and not carried yet
	in      []byte // answered and not read yet
	broken  error
	given   chan struct{} // closed once a deadline is over
}

// dial connects an instance to the database.
func (i *instance) dial(_ context.Context, _, _ string) (net.Conn, error) {
	if i.isDead() {
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	w := &wire{h: i.h, at: i, given: make(chan struct{})}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.wires = append(i.wires, w)
	return w, nil
}

// Write implements net.Conn.
func (w *wire) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken != nil {
		return 0, w.broken
	}
	w.out = append(w.out, b...)
	return len(b), nil
}

// Read implements net.Conn.
func (w *wire) Read(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.in) == 0 && w.broken == nil {
		w.exchange()
	}
	if len(w.in) > 0 {
		n := copy(b, w.in)
		w.in = w.in[n:]
		return n, nil
	}
	if w.broken == nil {
		return 0, io.ErrNoProgress
	}
	return 0, w.broken
}

// exchange carries what was written, and makes what comes back, or breaks.
func (w *wire) exchange() {
	out := w.out
	w.out = nil
	if w.backend == nil { // the first words of a session
		b, err := w.h.db.lend(out)
		if err != nil {
			w.broken = err
			return
		}
		w.backend, w.in = b, b.greeting
		return
	}
	sent, err := messages(out)
	if err != nil || len(sent) == 0 {
		w.fail(io.ErrUnexpectedEOF)
		return
	}
	switch {
	case sent[0].typ() == msgLeave:
		w.fail(io.EOF)
	case sent[0].typ() == msgQuery && sent[0].text(1)[0] == "-- ping":
		w.in = append([]byte{'I', 0, 0, 0, 4}, msgReady, 0, 0, 0, 5, w.backend.status)
	case onlyPrepares(sent):
		w.prepare(sent)
	default:
		w.carry(out, sent)
	}
}

// onlyPrepares tells of messages that ask what statements look like, or forget
// them. They are no step: how many there are depends on what a connection was used
// for before.
func onlyPrepares(sent []message) bool {
	for _, m := range sent {
		switch m.typ() {
		case msgParse, msgDescribe, msgClose, msgSync, msgFlush:
		default:
			return false
		}
	}
	return true
}

func (w *wire) prepare(sent []message) {
	for _, m := range sent {
		switch m.typ() {
		case msgParse:
			answer, err := w.h.db.describe(w.backend, m)
			if err != nil {
				w.fail(err)
				return
			}
			w.in = append(w.in, answer...)
		case msgClose: // the server keeps it for the next
			w.in = append(w.in, '3', 0, 0, 0, 4)
		case msgSync:
			w.in = append(w.in, msgReady, 0, 0, 0, 5, w.backend.status)
		}
	}
}

// carry is the gate in front of the database.
func (w *wire) carry(out []byte, sent []message) {
	statements, syncs := w.statements(sent)
	text := strings.Join(statements, "; ")
	g := &gate{who: w.who, what: "sql " + text, at: w.at, faults: []fault{cutBefore, cutAfter, stalled}}
	if strings.HasSuffix(text, "commit") {
		g.faults = []fault{cutBefore, lostCommit, lostCommit, stalled}
	}
	given := w.given
	w.mu.Unlock()
	f := w.h.sched.pass(g, given)
	if f == stalled {
		time.Sleep(w.h.stall())
	}
	w.mu.Lock()
	select {
	case <-given:
		w.fail(os.ErrDeadlineExceeded)
		return
	default:
	}
	if w.broken != nil { // the instance is dead
		return
	}
	if f == cutBefore || f == died {
		w.h.count.cuts++
		w.fail(syscall.ECONNRESET)
		return
	}
	for _, m := range sent {
		if m.typ() == msgBind {
			if err := w.h.db.prepare(w.backend, m.text(2)[1]); err != nil {
				w.fail(err)
				return
			}
		}
	}
	answer, err := w.backend.send(out, syncs)
	switch {
	case err != nil:
		w.fail(err)
	case f == lostCommit:
		w.h.count.lostCommits++
		w.fail(io.EOF)
	case f == cutAfter:
		w.h.count.cuts++
		w.fail(io.EOF)
	default:
		w.in = answer
	}
}

// statements says what messages ask for, in short, and how often they wait.
func (w *wire) statements(sent []message) (all []string, syncs int) {
	for _, m := range sent {
		switch m.typ() {
		case msgSync:
			syncs++
		case msgQuery:
			syncs++
			all = append(all, inShort(m.text(1)[0]))
		case msgParse:
			all = append(all, inShort(m.text(2)[1]))
		case msgBind:
			if name := m.text(2)[1]; name != "" {
				w.h.db.mu.Lock()
				all = append(all, inShort(w.h.db.parsed[name].text(2)[1]))
				w.h.db.mu.Unlock()
			}
		}
	}
	return all, syncs
}

var tables = regexp.MustCompile(`(?i)\b(insert into|update|delete from|from)\s+([a-z_]+)`)

// inShort is what a statement does, and to which table.
func inShort(sql string) string {
	verb, _, _ := strings.Cut(strings.TrimSpace(sql), " ")
	if strings.EqualFold(verb, "with") {
		verb = "lease"
	}
	for _, m := range tables.FindAllStringSubmatch(sql, -1) {
		if m[2] != "due" && m[2] != "skip" {
			return verb + " " + m[2]
		}
	}
	return verb
}

// fail breaks the connection. What its transaction had begun is undone by then.
func (w *wire) fail(err error) {
	w.broken, w.in = err, nil
	if w.backend != nil {
		w.h.db.take(w.backend)
		w.backend = nil
	}
}

// Close implements net.Conn.
func (w *wire) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.broken == nil {
		w.fail(net.ErrClosed)
	}
	return nil
}

// SetDeadline implements net.Conn. The driver uses it to give up a wait: any
// other deadline is far away, and nothing real takes time here.
func (w *wire) SetDeadline(t time.Time) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case t.IsZero():
		w.given = make(chan struct{})
	case !t.After(time.Now()):
		close(w.given)
	}
	return nil
}

// SetReadDeadline implements net.Conn.
func (w *wire) SetReadDeadline(t time.Time) error { return w.SetDeadline(t) }

// SetWriteDeadline implements net.Conn.
func (*wire) SetWriteDeadline(time.Time) error { return nil }

// LocalAddr implements net.Conn.
func (*wire) LocalAddr() net.Addr { return &net.UnixAddr{Net: "unix"} }

// RemoteAddr implements net.Conn.
func (*wire) RemoteAddr() net.Addr { return &net.UnixAddr{Net: "unix"} }
