package httpkit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humachi"
)

// ContentEventStream is what a route that streams Produces.
const ContentEventStream = "text/event-stream"

// streamWriteTimeout bounds each write: a reader that stopped reading is let
// go, however long the stream has lasted.
const streamWriteTimeout = 10 * time.Second

// Event is a server-sent event. Id and Name may be empty.
type Event struct {
	ID   string
	Name string
	Data []byte
}

// Stream is an open stream of server-sent events. It is not safe for
// concurrent use.
type Stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	buf     bytes.Buffer
}

// NewStream is the output of an operation that streams: serve gets the open
// stream and the request's context. Its error is dropped: the client is gone.
// What can be refused must be checked before.
func NewStream(serve func(ctx context.Context, s *Stream) error) *huma.StreamResponse {
	return &huma.StreamResponse{Body: func(ctx huma.Context) {
		_, w := humachi.Unwrap(ctx)
		s, err := OpenStream(w)
		if err != nil {
			return
		}
		_ = serve(ctx.Context(), s)
	}}
}

// OpenStream sends the head of a stream and takes the server's write deadline
// off: a stream lasts.
func OpenStream(w http.ResponseWriter) (*Stream, error) {
	s := &Stream{w: w, control: http.NewResponseController(w)}
	if err := s.control.SetWriteDeadline(time.Time{}); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return nil, fmt.Errorf("open stream: %w", err)
	}
	h := w.Header()
	h.Set("Content-Type", ContentEventStream)
	h.Set("X-Accel-Buffering", "no") // some proxies would collect the events
	w.WriteHeader(http.StatusOK)
	return s, s.flush()
}

// Send writes an event and flushes it.
func (s *Stream) Send(e Event) error {
	if strings.ContainsAny(e.ID, "\r\n\x00") || strings.ContainsAny(e.Name, "\r\n") {
		return errors.New("send event: line break in id or name")
	}
	if e.ID != "" {
		s.buf.WriteString("id: " + e.ID + "\n")
	}
	if e.Name != "" {
		s.buf.WriteString("event: " + e.Name + "\n")
	}
	for line := range bytes.Lines(bytes.ReplaceAll(e.Data, []byte("\r"), nil)) {
		s.buf.WriteString("data: ")
		s.buf.Write(bytes.TrimSuffix(line, []byte("\n")))
		s.buf.WriteByte('\n')
	}
	s.buf.WriteByte('\n')
	return s.flush()
}

// Heartbeat writes a comment, which keeps proxies from closing the connection
// and finds out that the client is gone.
func (s *Stream) Heartbeat() error {
	s.buf.WriteString(":\n\n")
	return s.flush()
}

// Run sends events until the channel is closed or ctx ends (no error), or the
// client is gone. beat is the channel of a ticker.
func (s *Stream) Run(ctx context.Context, events <-chan Event, beat <-chan time.Time) error {
	for {
		var err error
		select {
		case <-ctx.Done():
			return nil
		case e, open := <-events:
			if !open {
				return nil
			}
			err = s.Send(e)
		case <-beat:
			err = s.Heartbeat()
		}
		if err != nil {
			return err
		}
	}
}

// flush bounds the write with a timer, which needs no clock. If it fires, the
// stream is over; so it does no harm when it fires just after the write.
func (s *Stream) flush() error {
	defer s.buf.Reset()
	timer := time.AfterFunc(streamWriteTimeout, func() {
		_ = s.control.SetWriteDeadline(time.Unix(1, 0)) // long ago: ends the write
	})
	defer timer.Stop()
	if _, err := s.w.Write(s.buf.Bytes()); err != nil {
		return fmt.Errorf("stream: write: %w", err)
	}
	if err := s.control.Flush(); err != nil {
		return fmt.Errorf("stream: flush: %w", err)
	}
	return nil
}
