package e2e_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net/http"
	"strings"

	"github.com/stretchr/testify/require"
)

// stream is an open stream of an order's status.
type stream struct {
	s     *shop
	lines *bufio.Scanner
	body  io.Closer
}

// follow opens the stream of an order's status.
func (s *shop) follow(id string) *stream {
	s.t.Helper()
	req, err := http.NewRequest(http.MethodGet, s.base+"/v1/orders/"+id+"/status/stream", nil)
	require.NoError(s.t, err)
	req.Header.Set("Authorization", "Bearer "+s.key)
	resp, err := s.client.Do(req)
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = resp.Body.Close() })
	require.Equal(s.t, http.StatusOK, resp.StatusCode)
	require.Equal(s.t, "text/event-stream", resp.Header.Get("Content-Type"))
	return &stream{s: s, lines: bufio.NewScanner(resp.Body), body: resp.Body}
}

// next waits for the next event.
func (f *stream) next() (standing struct {
	Status        string
	PaymentStatus string `json:"payment_status"`
}) {
	f.s.t.Helper()
	for f.lines.Scan() {
		if data, ok := strings.CutPrefix(f.lines.Text(), "data: "); ok {
			require.NoError(f.s.t, json.Unmarshal([]byte(data), &standing))
			return standing
		}
	}
	require.Fail(f.s.t, "the stream ended", "%v", f.lines.Err())
	return standing
}
