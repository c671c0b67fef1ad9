package main

import (
	"bufio"
	"context"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// What may become of a COMMIT on its way.
const (
	cutNever  = ""
	cutBefore = "cut before COMMIT"
	cutAfter  = "cut after COMMIT"         // the server has committed, and nobody hears of it
	cutDuring = "cut during COMMIT"        // forwarded and cut at once: either may be
	heldBack  = "COMMIT answers held back" // for longer than the PSP's word takes to be final
	cutAny    = "cut anywhere"
	blackHole = "black holes"
)

// proxy stands between the service and its database and knows the protocol well
// enough to see a COMMIT.
type proxy struct {
	listener net.Listener
	target   atomic.Value // string: the server's address, which a restart may change
	// fate says what becomes of the next COMMIT.
	fate  func() string
	tally *tally
	done  sync.WaitGroup

	mu       sync.Mutex
	sessions map[*session]bool
	closed   bool
}

func newProxy(ctx context.Context, target string, fate func() string, t *tally) (*proxy, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &proxy{listener: listener, fate: fate, tally: t, sessions: map[*session]bool{}}
	p.target.Store(target)
	p.done.Go(p.accept)
	return p, nil
}

func (p *proxy) address() string { return p.listener.Addr().String() }

func (p *proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.done.Go(func() { p.serve(client) })
	}
}

const dialMax = 2 * time.Second

func (p *proxy) serve(client net.Conn) {
	address, _ := p.target.Load().(string)
	server, err := net.DialTimeout("tcp", address, dialMax)
	if err != nil {
		_ = client.Close() // the server is down, and so is its address
		return
	}
	s := &session{proxy: p, client: client, server: server, gone: make(chan struct{})}
	if !p.add(s) {
		s.cut(false)
		return
	}
	defer p.remove(s)
	var both sync.WaitGroup
	both.Go(func() { s.forward(); s.cut(false) })
	both.Go(func() { s.backward(); s.cut(false) })
	both.Wait()
}

func (p *proxy) add(s *session) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.sessions[s] = true
	}
	return !p.closed
}

func (p *proxy) remove(s *session) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.sessions, s)
}

// some picks each session with a chance.
func (p *proxy) some(d *dice, percent float64) []*session {
	p.mu.Lock()
	defer p.mu.Unlock()
	var picked []*session
	for s := range p.sessions {
		if d.chance(percent) {
			picked = append(picked, s)
		}
	}
	return picked
}

// cutSome resets connections, wherever they are in their dialogue.
func (p *proxy) cutSome(d *dice, percent float64) {
	for _, s := range p.some(d, percent) {
		p.tally.add(cutAny)
		s.cut(true)
	}
}

// swallowSome lets connections live and carries nothing for a while. Then they
// are cut.
func (p *proxy) swallowSome(d *dice, percent float64, length time.Duration) {
	for _, s := range p.some(d, percent) {
		p.tally.add(blackHole)
		s.hole.Store(true)
		time.AfterFunc(length, func() { s.cut(true) })
	}
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	p.closed = true
	for s := range p.sessions {
		s.cut(false)
	}
	p.mu.Unlock()
	p.done.Wait()
}

// session is one connection of the service, and ours to the server.
type session struct {
	proxy          *proxy
	client, server net.Conn
	once           sync.Once
	gone           chan struct{}
	hole           atomic.Bool // nothing is carried any more
	swallow        atomic.Bool // nothing is carried back any more; the next COMMIT ends it
	late           atomic.Bool // the answer to the next COMMIT is held back
}

// cut ends both connections; with reset what was sent and not read is lost.
func (s *session) cut(reset bool) {
	s.once.Do(func() {
		close(s.gone)
		for _, conn := range []net.Conn{s.client, s.server} {
			if tcp, ok := conn.(*net.TCPConn); ok && reset {
				_ = tcp.SetLinger(0) // what cannot be reset is closed
			}
			_ = conn.Close()
		}
	})
}

// held waits for the end of the session if it is in a black hole.
func (s *session) held() bool {
	if !s.hole.Load() {
		return false
	}
	<-s.gone
	return true
}

// forward carries the client's messages until the session ends.
func (s *session) forward() {
	in, out := bufio.NewReader(s.client), bufio.NewWriter(s.server)
	if !s.open(in, out) {
		return
	}
	d := newDialogue()
	for {
		m, err := readMessage(in)
		if err != nil || s.held() {
			return
		}
		if d.commits(m) && s.strike(m, out) {
			return
		}
		if _, err := out.Write(m.raw); err != nil {
			return
		}
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}

// open carries what a client says before messages have types. Encryption is
// declined, as a server does that has none.
func (s *session) open(in *bufio.Reader, out *bufio.Writer) bool {
	for {
		m, err := readOpening(in)
		if err != nil {
			return false
		}
		switch code, err := m.code(); {
		case err != nil:
			return false
		case code == codeTLS, code == codeGSS:
			if _, err := s.client.Write([]byte{'N'}); err != nil {
				return false
			}
		default:
			if _, err := out.Write(m.raw); err != nil {
				return false
			}
			return out.Flush() == nil && code != codeCancel
		}
	}
}

// strike decides on a COMMIT, and tells whether the session is over. What came
// before it in its batch has reached the server by then.
func (s *session) strike(m message, out *bufio.Writer) (over bool) {
	fate := s.proxy.fate()
	switch fate {
	case cutBefore:
		_ = out.Flush() // the server may be gone
		s.proxy.tally.add(fate)
		return true
	case cutDuring:
		_, _ = out.Write(m.raw)
		_ = out.Flush()
		s.proxy.tally.add(fate)
		return true
	case cutAfter:
		s.swallow.Store(true)
	case heldBack:
		s.proxy.tally.add(fate)
		s.late.Store(true)
	}
	return false
}

// heldBackFor is long enough for others to act on what has been committed.
const heldBackFor = finality + 3*time.Second

// wait lets time pass, unless the session ends.
func (s *session) wait(length time.Duration) {
	timer := time.NewTimer(length)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-s.gone:
	}
}

// backward carries the server's messages until the session ends.
func (s *session) backward() {
	in, out := bufio.NewReader(s.server), bufio.NewWriter(s.client)
	for {
		m, err := readMessage(in)
		if err != nil || s.held() {
			return
		}
		if s.swallow.Load() {
			if committed(m) {
				s.proxy.tally.add(cutAfter)
			}
			if m.kind == 'Z' { // all that there is to say about it
				return
			}
			continue
		}
		if committed(m) && s.late.CompareAndSwap(true, false) {
			s.wait(heldBackFor)
		}
		if _, err := out.Write(m.raw); err != nil {
			return
		}
		if in.Buffered() == 0 && out.Flush() != nil {
			return
		}
	}
}
