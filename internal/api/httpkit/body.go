package httpkit

import (
	"bytes"
	"errors"
	"net/http"
	"os"
	"sync"
)

const (
	// BodyMaxBytes is the cap on a body where a route sets none.
	BodyMaxBytes = 256 << 10
	// bufferKeepBytes is the largest buffer that is kept for the next request.
	bufferKeepBytes = 64 << 10
)

func newBufferPool() *sync.Pool {
	return &sync.Pool{New: func() any { return bytes.NewBuffer(make([]byte, 0, 4<<10)) }}
}

func (k *Kit) keepBuffer(buf *bytes.Buffer) {
	if buf.Cap() <= bufferKeepBytes {
		k.buffers.Put(buf)
	}
}

// ReadBody reads a whole body of at most maxBytes, within the server's
// ReadTimeout. It is for routes outside of the REST API; operations
// have theirs read already. The error is a *Problem: 413, 408 or 400.
func ReadBody(w http.ResponseWriter, r *http.Request, maxBytes int64) ([]byte, error) {
	var buf bytes.Buffer
	if p := readBody(&buf, w, r, maxBytes); p != nil {
		return nil, p
	}
	return buf.Bytes(), nil
}

// readBody refuses at once what says that it is too long, and else stops
// reading at the cap, so that a body without a length costs no more than one.
func readBody(buf *bytes.Buffer, w http.ResponseWriter, r *http.Request, maxBytes int64) *Problem {
	tooLarge := func() *Problem {
		w.Header().Set("Connection", "close") // don't wait for the rest of it
		return NewProblem(http.StatusRequestEntityTooLarge, CodeBodyTooLarge, "")
	}
	if r.ContentLength > maxBytes {
		return tooLarge()
	}
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead) // so that ReadFrom never grows it
	}
	_, err := buf.ReadFrom(http.MaxBytesReader(w, r.Body, maxBytes))
	var tooLong *http.MaxBytesError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &tooLong):
		return tooLarge()
	case errors.Is(err, os.ErrDeadlineExceeded):
		w.Header().Set("Connection", "close")
		return NewProblem(http.StatusRequestTimeout, CodeBodyTimeout, "")
	default:
		w.Header().Set("Connection", "close")
		return NewProblem(http.StatusBadRequest, CodeBodyIncomplete, "")
	}
}
