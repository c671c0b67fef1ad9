package sandbox

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
)

// Transport carries requests to a handler of the same process, without a
// socket. A cancelled request returns at once, whatever the handler does; a
// handler that panics, with http.ErrAbortHandler or otherwise, is a connection
// that broke (io.ErrUnexpectedEOF). Answers are delivered whole, not streamed.
func Transport(h http.Handler) http.RoundTripper { return inProcess{h} }

type inProcess struct{ handler http.Handler }

// RoundTrip implements http.RoundTripper.
func (t inProcess) RoundTrip(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	if err := context.Cause(ctx); err != nil {
		closeBody(req)
		return nil, err
	}
	x := &exchange{header: make(http.Header, 4)}
	if ctx.Done() == nil {
		return x.answer(req, x.serve(t.handler, incoming(ctx, req)))
	}
	served := make(chan error, 1)
	go func() { served <- x.serve(t.handler, incoming(ctx, req)) }()
	select {
	case err := <-served:
		if gone := context.Cause(ctx); err != nil && gone != nil {
			return nil, gone // the handler broke off because the caller left
		}
		return x.answer(req, err)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// incoming is the request as a server would have it.
func incoming(ctx context.Context, req *http.Request) *http.Request {
	in := req.WithContext(wire{ctx})
	in.Header = req.Header.Clone()
	in.RequestURI = req.URL.RequestURI()
	in.RemoteAddr = "127.0.0.1:0"
	if in.Host == "" {
		in.Host = req.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	return in
}

// wire lets cancellation through and keeps values back, as a connection does:
// a router must not find the caller's routing state in its request.
type wire struct{ context.Context }

// Value implements context.Context.
func (wire) Value(any) any { return nil }

// exchange is one request's ResponseWriter, and the answer made of it.
type exchange struct {
	header http.Header
	status int
	body   bytes.Buffer
	reader bytes.Reader
}

// serve runs the handler; its panic becomes the caller's broken connection.
func (x *exchange) serve(h http.Handler, in *http.Request) (err error) {
	defer closeBody(in)
	defer func() {
		switch v := recover(); v {
		case nil:
		case http.ErrAbortHandler:
			err = io.ErrUnexpectedEOF
		default:
			err = fmt.Errorf("%w: handler panicked: %v", io.ErrUnexpectedEOF, v)
		}
	}()
	h.ServeHTTP(x, in)
	x.WriteHeader(http.StatusOK)
	return nil
}

// Header implements http.ResponseWriter.
func (x *exchange) Header() http.Header { return x.header }

// WriteHeader implements http.ResponseWriter.
func (x *exchange) WriteHeader(status int) {
	if x.status == 0 && status >= http.StatusOK {
		x.status = status
	}
}

// Write implements http.ResponseWriter.
func (x *exchange) Write(b []byte) (int, error) {
	x.WriteHeader(http.StatusOK)
	return x.body.Write(b)
}

func (x *exchange) answer(req *http.Request, err error) (*http.Response, error) {
	if err != nil {
		return nil, err
	}
	x.reader.Reset(x.body.Bytes())
	return &http.Response{
		Status: strconv.Itoa(x.status) + " " + http.StatusText(x.status), StatusCode: x.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: x.header, Body: io.NopCloser(&x.reader), ContentLength: int64(x.body.Len()), Request: req,
	}, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		_ = req.Body.Close()
	}
}
