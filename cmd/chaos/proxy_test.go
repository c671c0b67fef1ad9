package main

import (
	"bufio"
	"io"
	"net"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeServer answers messages and keeps them.
type fakeServer struct {
	listener net.Listener
	received chan message // closed with the connection
}

// serveOnce plays a server for one connection: it commits when it is told so.
func serveOnce(t *testing.T) *fakeServer {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = listener.Close() })
	f := &fakeServer{listener: listener, received: make(chan message, 100)}
	go func() {
		defer close(f.received)
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		in := bufio.NewReader(conn)
		if _, err := readOpening(in); err != nil {
			return
		}
		d := newDialogue()
		for {
			m, err := readMessage(in)
			if err != nil {
				return
			}
			f.received <- m
			tag := "INSERT 0 1\x00"
			if d.commits(m) {
				tag = "COMMIT\x00"
			}
			_, _ = conn.Write(append(packet('C', tag), packet('Z', "I")...))
		}
	}()
	return f
}

// dial connects through a proxy with the given fate of each COMMIT.
func dial(t *testing.T, f *fakeServer, fate string) (net.Conn, *bufio.Reader, *proxy) {
	t.Helper()
	p, err := newProxy(t.Context(), f.listener.Addr().String(), func() string { return fate }, newTally())
	require.NoError(t, err)
	t.Cleanup(p.close)
	conn, err := net.Dial("tcp", p.address())
	require.NoError(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	require.NoError(t, conn.SetDeadline(time.Now().Add(10*time.Second))) // a proxy that does not cut fails, and does not hang
	_, err = conn.Write(packet(0, "\x00\x03\x00\x00user\x00paysvc\x00\x00"))
	require.NoError(t, err)
	return conn, bufio.NewReader(conn), p
}

func query(text string) []byte { return packet('Q', text+"\x00") }

func (f *fakeServer) all() (queries []string) {
	for m := range f.received {
		q, _ := text(m.body())
		queries = append(queries, q)
	}
	return queries
}

func TestTheProxyCarriesEverythingWhereNothingIsToHappen(t *testing.T) {
	t.Parallel()
	f := serveOnce(t)
	conn, in, p := dial(t, f, cutNever)
	for _, q := range []string{"insert", "commit"} {
		_, err := conn.Write(query(q))
		require.NoError(t, err)
		m, err := readMessage(in)
		require.NoError(t, err)
		require.Equal(t, q == "commit", committed(m))
		_, err = readMessage(in)
		require.NoError(t, err)
	}
	p.close()
	require.Equal(t, []string{"insert", "commit"}, f.all())
}

func TestACutBeforeCommitKeepsItFromTheServer(t *testing.T) {
	t.Parallel()
	f := serveOnce(t)
	conn, in, p := dial(t, f, cutBefore)
	_, err := conn.Write(append(query("insert"), query("commit")...))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, in) // until it is cut
	require.Equal(t, []string{"insert"}, f.all(), "what came before it arrived")
	require.Equal(t, 1, p.tally.of(cutBefore))
}

func TestACutAfterCommitSwallowsTheAnswer(t *testing.T) {
	t.Parallel()
	f := serveOnce(t)
	conn, in, p := dial(t, f, cutAfter)
	_, err := conn.Write(query("commit"))
	require.NoError(t, err)
	heard, _ := io.ReadAll(in)
	require.Empty(t, heard)
	require.Equal(t, []string{"commit"}, f.all())
	require.Equal(t, 1, p.tally.of(cutAfter))
}

func TestAnAnswerToCommitIsHeldBack(t *testing.T) {
	t.Parallel()
	f := serveOnce(t)
	conn, _, p := dial(t, f, heldBack)
	_, err := conn.Write(query("commit"))
	require.NoError(t, err)
	require.Equal(t, "commit\x00", string((<-f.received).body()), "the server has it")
	p.close()
	heard, _ := io.ReadAll(conn)
	require.Empty(t, heard)
	require.Equal(t, 1, p.tally.of(heldBack))
}

func TestACutDuringCommitLetsItLeave(t *testing.T) {
	t.Parallel()
	f := serveOnce(t)
	conn, in, _ := dial(t, f, cutDuring)
	_, err := conn.Write(query("commit"))
	require.NoError(t, err)
	_, _ = io.Copy(io.Discard, in)
	require.Equal(t, []string{"commit"}, f.all())
}

func TestABlackHoleCarriesNothingUntilItIsCut(t *testing.T) {
	t.Parallel()
	f := serveOnce(t)
	conn, in, p := dial(t, f, cutNever)
	_, err := conn.Write(query("insert"))
	require.NoError(t, err)
	for range 2 {
		_, err = readMessage(in)
		require.NoError(t, err)
	}
	p.swallowSome(newDice(1, 1), 100, 0)
	_, _ = conn.Write(query("lost"))
	_, _ = io.Copy(io.Discard, in)
	require.Equal(t, []string{"insert"}, f.all())
	require.Equal(t, 1, p.tally.of(blackHole))
}
