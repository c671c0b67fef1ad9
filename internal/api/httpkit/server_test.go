package httpkit_test

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

// pipeListener serves connections made in memory, so that deadlines pass in
// the virtual time of synctest.
type pipeListener struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (l *pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}
func (l *pipeListener) Close() error   { close(l.closed); return nil }
func (l *pipeListener) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)} }

// virtualServer runs test against a real server in virtual time.
func virtualServer(t *testing.T, prepare func(*httpkit.Kit), test func(t *testing.T, dial func() net.Conn)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		k, logged := newKit(t, func(c *httpkit.Config) { c.Now = time.Now })
		prepare(k)
		listener := &pipeListener{conns: make(chan net.Conn), closed: make(chan struct{})}
		server := httpkit.NewServer(k, newLogger(logged))
		go func() { _ = server.Serve(listener) }()
		test(t, func() net.Conn {
			client, other := net.Pipe()
			listener.conns <- other
			return client
		})
		require.NoError(t, server.Close())
		time.Sleep(time.Second) // virtual: net/http lingers on refused connections
		synctest.Wait()
	})
}

func TestSlowHeadersAreCutAfterFiveSeconds(t *testing.T) {
	t.Parallel()
	virtualServer(t, func(*httpkit.Kit) {}, func(t *testing.T, dial func() net.Conn) {
		conn, began := dial(), time.Now()
		_, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ")
		require.NoError(t, err)
		_, err = io.ReadAll(conn)
		require.NoError(t, err)
		require.Equal(t, httpkit.HeaderReadTimeout, time.Since(began))
	})
}

func TestSlowBodyIsRefusedAfterTenSeconds(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/v1/orders", "/unread"} {
		virtualServer(t, func(k *httpkit.Kit) {
			createOrder(k, httpkit.Route{})
			k.Router.Post("/unread", func(http.ResponseWriter, *http.Request) {})
		}, func(t *testing.T, dial func() net.Conn) {
			conn, began := dial(), time.Now()
			_, err := io.WriteString(conn, "POST "+path+" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{")
			require.NoError(t, err)
			answer, err := io.ReadAll(conn)
			require.NoError(t, err)
			require.Equal(t, httpkit.ReadTimeout, time.Since(began), "cut at the deadline, also where no handler reads")
			if path == "/v1/orders" {
				require.Contains(t, string(answer), "408 Request Timeout")
				require.Contains(t, string(answer), `"code":"body_timeout"`)
			}
		})
	}
}

// TestLongWorkIsNotCutByTheBodysDeadline holds the reason for taking the
// deadline off: it would cancel the context of a payment under way.
func TestLongWorkIsNotCutByTheBodysDeadline(t *testing.T) {
	t.Parallel()
	virtualServer(t, func(k *httpkit.Kit) {
		httpkit.Register(k, httpkit.Route{Operation: huma.Operation{OperationID: "x", Method: "POST", Path: "/x"}},
			func(ctx context.Context, _ *orderInput) (*empty, error) {
				select {
				case <-ctx.Done():
					return nil, ctx.Err()
				case <-time.After(30 * time.Second):
					return nil, nil
				}
			})
		k.Router.Get("/y", func(w http.ResponseWriter, r *http.Request) {
			select {
			case <-r.Context().Done():
			case <-time.After(30 * time.Second):
				w.WriteHeader(http.StatusNoContent)
			}
		})
	}, func(t *testing.T, dial func() net.Conn) {
		body := order()
		for _, request := range []string{
			"POST /x HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked(body),
			"GET /y HTTP/1.1\r\nHost: x\r\n\r\n",
		} {
			conn := dial()
			_, err := io.WriteString(conn, request)
			require.NoError(t, err)
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err)
			require.Equal(t, http.StatusNoContent, response.StatusCode)
			require.NoError(t, conn.Close())
		}
	})
}

func TestReaderWhoStopsReadingLosesTheStream(t *testing.T) {
	t.Parallel()
	var ended chan time.Duration
	virtualServer(t, func(k *httpkit.Kit) {
		ended = make(chan time.Duration, 1) // in here: it belongs to the virtual time
		k.Router.Get("/stream", func(w http.ResponseWriter, r *http.Request) {
			s, err := httpkit.OpenStream(w)
			for began := time.Now(); ; time.Sleep(time.Minute) {
				if err != nil {
					ended <- time.Since(began)
					return
				}
				err = s.Heartbeat()
			}
		})
	}, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		_, err := io.WriteString(conn, "GET /stream HTTP/1.1\r\nHost: x\r\n\r\n")
		require.NoError(t, err)
		reader := bufio.NewReader(conn)
		for beats := 0; beats < 5; {
			line, err := reader.ReadString('\n')
			require.NoError(t, err)
			if strings.HasPrefix(line, ":") {
				beats++
			}
		}
		require.Less(t, 4*time.Minute, <-ended, "longer than any timeout of the server, until the reader stopped")
	})
}

func TestHugeHeadersAreRefused(t *testing.T) {
	t.Parallel()
	virtualServer(t, func(*httpkit.Kit) {}, func(t *testing.T, dial func() net.Conn) {
		conn := dial()
		go func() {
			_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\nX-Huge: "+strings.Repeat("x", 100<<10)+"\r\n\r\n")
		}()
		response, err := http.ReadResponse(bufio.NewReader(conn), nil)
		require.NoError(t, err)
		require.Equal(t, http.StatusRequestHeaderFieldsTooLarge, response.StatusCode)
		require.NoError(t, conn.Close())
	})
}

func TestAmbiguousFramingIsRefused(t *testing.T) {
	t.Parallel()
	for name, head := range map[string]string{
		"two lengths":      "Content-Length: 1\r\nContent-Length: 2\r\n",
		"unknown transfer": "Transfer-Encoding: gzip, chunked\r\n",
		"space in name":    "Content-Length : 1\r\n",
		"folded":           "X-A: b\r\n c: d\r\n Transfer-Encoding: chunked\r\n\x00",
		"negative length":  "Content-Length: -1\r\n",
	} {
		virtualServer(t, func(*httpkit.Kit) {}, func(t *testing.T, dial func() net.Conn) {
			conn := dial()
			go func() { _, _ = io.WriteString(conn, "POST / HTTP/1.1\r\nHost: x\r\n"+head+"\r\n") }()
			response, err := http.ReadResponse(bufio.NewReader(conn), nil)
			require.NoError(t, err, name)
			require.Contains(t, []int{400, 501}, response.StatusCode, name)
			require.NoError(t, conn.Close())
		})
	}
}

func chunked(body string) string {
	const hex = "0123456789abcdef"
	size := ""
	for n := len(body); n > 0; n /= 16 {
		size = string(hex[n%16]) + size
	}
	return size + "\r\n" + body + "\r\n0\r\n\r\n"
}
