package httpkit_test

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

func TestEventsArriveOneByOne(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	events, beat := make(chan httpkit.Event), make(chan time.Time)
	ended := make(chan error, 1)
	httpkit.Register(k, httpkit.Route{Produces: httpkit.ContentEventStream, Operation: huma.Operation{OperationID: "s", Method: "GET", Path: "/stream"}},
		func(context.Context, *empty) (*huma.StreamResponse, error) {
			return httpkit.NewStream(func(ctx context.Context, s *httpkit.Stream) error {
				err := s.Run(ctx, events, beat)
				ended <- err
				return err
			}), nil
		})
	server := httptest.NewServer(k)
	defer server.Close()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/stream", nil)
	require.NoError(t, err)
	request.Header.Set("Accept", "text/event-stream")
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, "text/event-stream", response.Header.Get("Content-Type"))
	require.Equal(t, "no-store", response.Header.Get("Cache-Control"))

	lines := bufio.NewScanner(response.Body)
	read := func(n int) string {
		var got []string
		for range n {
			require.True(t, lines.Scan())
			got = append(got, lines.Text())
		}
		return strings.Join(got, "\n")
	}
	events <- httpkit.Event{ID: "1", Name: "status", Data: []byte("{\"a\":1}\r\n{\"b\":2}")}
	require.Equal(t, "id: 1\nevent: status\ndata: {\"a\":1}\ndata: {\"b\":2}\n", read(5), "flushed at once")
	beat <- noon
	require.Equal(t, ":\n", read(2))
	close(events)
	require.NoError(t, <-ended)
	require.False(t, lines.Scan(), "the stream ends with its events")
}

func TestStreamEndsWithItsReader(t *testing.T) {
	t.Parallel()
	ended := make(chan error, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s, err := httpkit.OpenStream(w)
		if err == nil {
			err = s.Run(r.Context(), nil, nil)
		}
		ended <- err
	}))
	defer server.Close()
	ctx, leave := context.WithCancel(t.Context())
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL, nil)
	require.NoError(t, err)
	response, err := server.Client().Do(request)
	require.NoError(t, err)
	leave()
	require.NoError(t, <-ended)
	_ = response.Body.Close()
}

func TestEventsCannotBeForged(t *testing.T) {
	t.Parallel()
	w := httptest.NewRecorder()
	s, err := httpkit.OpenStream(w)
	require.NoError(t, err)
	require.Error(t, s.Send(httpkit.Event{Name: "a\ndata: forged"}))
	require.Error(t, s.Send(httpkit.Event{ID: "a\r\nforged"}))
	require.NoError(t, s.Send(httpkit.Event{Data: []byte("x\revent: forged\n\ndata: forged")}))
	require.Equal(t, "data: xevent: forged\ndata: \ndata: data: forged\n\n", w.Body.String())
}
