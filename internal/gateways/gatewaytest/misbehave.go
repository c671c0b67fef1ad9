package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// misbehave runs the test with PSPs of which, after a request has arrived,
// nothing can be learnt.
func (s *suite) misbehave(t *testing.T, test func(t *testing.T, r *rig)) {
	t.Helper()
	for name, psp := range slow() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s.connectFor(t, shortTimeout, psp))
		})
	}
	for name, psp := range misbehaviours(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, s.connect(t, psp))
		})
	}
}

// slow are PSPs that only a time-out ends.
func slow() map[string]http.HandlerFunc {
	return map[string]http.HandlerFunc{"silence": hang, "drop by drop": drip}
}

// misbehaviours are the others. Redirecting ones point at a server that fails
// the test when asked.
func misbehaviours(t *testing.T) map[string]http.HandlerFunc {
	t.Helper()
	psps := map[string]http.HandlerFunc{
		"cut before a byte":  func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"cut in the headers": raw("HTTP/1.1 200 OK\r\nContent-Ty"),
		"cut in the body":    raw("HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n{\"id\":"),
		"not HTTP":           raw("220 " + canary + " ESMTP\r\n"),
		"switched protocol":  raw("HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: " + canary + "\r\n\r\n"),
		"endless body":       endless("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n", "                "),
		"endless headers":    endless("HTTP/1.1 200 OK\r\n", "X-"+canary+": "+canary+"\r\n"),
		"compressed unasked": compressed,
	}
	for name, body := range map[string]string{
		"nothing": "", "HTML": "<html>" + canary + "</html>", "no JSON": canary, "NUL": "{\"id\":\"\x00\"}",
		"cut JSON": `{"id":"` + canary, "null": "null", "list": "[]", "number": "1e400", "empty object": "{}",
		"invalid UTF-8": "{\"id\":\"\xff\"}", "deep": strings.Repeat("[", 100_000), "success only": `{"success":true,"status":"paid"}`,
	} {
		psps["200 with "+name] = status(http.StatusOK, body)
	}
	for _, code := range []int{500, 501, 502, 503, 504, 599, 400, 401, 403, 404, 409, 418, 422} {
		psps[fmt.Sprintf("%d by a proxy", code)] = status(code, "<html>"+canary+"</html>")
	}
	elsewhere := trap(t)
	for _, code := range []int{301, 302, 303, 307, 308} {
		psps[fmt.Sprintf("%d elsewhere", code)] = func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere, code)
		}
	}
	return psps
}

// trap returns the address of a server that nobody may call.
func trap(t *testing.T) string {
	t.Helper()
	var calls atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { calls.Add(1) }))
	t.Cleanup(func() {
		server.Close()
		require.Zero(t, calls.Load(), "a redirect was followed")
	})
	return server.URL
}

// hang says nothing until the gateway leaves.
func hang(_ http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body) // only then the server notices the leaving
	<-r.Context().Done()
}

func status(code int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(code)
		_, _ = io.WriteString(w, body)
	}
}

// raw writes bytes and closes the connection.
func raw(bytes string) http.HandlerFunc { return endless(bytes, "") }

// endless writes bytes, and then more until nobody reads them.
func endless(bytes, more string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_, err = io.WriteString(conn, bytes)
		if more == "" {
			return
		}
		for more = strings.Repeat(more, 1000); err == nil; {
			_, err = io.WriteString(conn, more)
		}
	}
}

// drip never stops sending, slowly.
func drip(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	drops := time.NewTicker(time.Millisecond)
	defer drops.Stop()
	for {
		select {
		case <-r.Context().Done():
			return
		case <-drops.C:
			_, _ = io.WriteString(w, " ")
			_ = http.NewResponseController(w).Flush()
		}
	}
}

func compressed(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Encoding", "gzip")
	_, _ = io.WriteString(w, "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\xff\xabV*\xce\x28\xcd")
}
