package outbound_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/paysvc/paysvc/internal/outbound"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // of the specification's examples

var loopback = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}

// at is when every message of these tests is sent.
var at = time.Unix(1_774_958_400, 0)

func clientOf(t *testing.T, c outbound.Config) *outbound.Client {
	t.Helper()
	c.Now = func() time.Time { return at }
	client := outbound.New(c)
	t.Cleanup(client.Close)
	return client
}

// local may reach this machine.
func local(t *testing.T) *outbound.Client {
	t.Helper()
	return clientOf(t, outbound.Config{Allowed: loopback, Timeout: 30 * time.Second})
}

func message(url string) outbound.Message {
	return outbound.Message{ID: "evt_1", URL: url, Secrets: []string{secret}, Body: []byte(`{"test": 2432232314}`)}
}

// serve answers with a handler.
func serve(t *testing.T, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// raw reads a request from each connection, and lets answer do the rest.
func raw(t *testing.T, answer func(ctx context.Context, w io.Writer)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(context.Background())
	var open sync.WaitGroup
	open.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			open.Go(func() {
				defer conn.Close()
				stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
				defer stop()
				if req, err := http.ReadRequest(bufio.NewReader(conn)); err == nil {
					_, _ = io.Copy(io.Discard, req.Body)
					answer(ctx, conn)
				}
			})
		}
	})
	t.Cleanup(func() {
		cancel()
		_ = l.Close()
		open.Wait()
	})
	return "http://" + l.Addr().String()
}

// names is a resolver: each look-up of a name takes its next answer, and the last
// one stays.
type names struct {
	mu    sync.Mutex
	known map[string][][]string
	asked int
}

func (n *names) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.asked++
	answers := n.known[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	if len(answers) > 1 {
		n.known[host] = answers[1:]
	}
	var found []netip.Addr
	for _, a := range answers[0] {
		found = append(found, netip.MustParseAddr(a))
	}
	return found, nil
}

func (n *names) lookups() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.asked
}

// requireFailure checks the reason of an error, and that it tells nothing of the message.
func requireFailure(t *testing.T, why outbound.Why, err error) {
	t.Helper()
	var f *outbound.Failure
	require.ErrorAs(t, err, &f)
	require.Equal(t, why, f.Why)
	require.NotEmpty(t, f.Error())
}
