package sandbox_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/sandbox"
)

func TestTransportCarriesRequestAndAnswer(t *testing.T) {
	t.Parallel()
	client := &http.Client{Transport: sandbox.Transport(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Saw", r.Method+" "+r.Host+" "+r.RequestURI+" "+r.Header.Get("X-Mine")+" "+string(body))
		r.Header.Set("X-Mine", "changed")
		w.WriteHeader(http.StatusTeapot)
		w.WriteHeader(http.StatusOK) // too late, as on a socket
		_, _ = io.WriteString(w, "hello")
	}))}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://psp.test/a/b?c=d", strings.NewReader("body"))
	require.NoError(t, err)
	req.Header.Set("X-Mine", "me")
	resp, err := client.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	require.NoError(t, err)
	require.Equal(t, "418 I'm a teapot", resp.Status)
	require.Equal(t, "POST psp.test /a/b?c=d me body", resp.Header.Get("X-Saw"))
	require.Equal(t, "hello", string(body))
	require.EqualValues(t, 5, resp.ContentLength)
	require.Equal(t, "me", req.Header.Get("X-Mine"), "the caller's request is left alone")
}

func TestTransportBreaksWhenTheHandlerPanics(t *testing.T) {
	t.Parallel()
	for _, reason := range []any{http.ErrAbortHandler, "a bug"} {
		client := &http.Client{Transport: sandbox.Transport(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = io.WriteString(w, "half an ans")
			panic(reason)
		}))}
		for _, ctx := range []context.Context{t.Context(), context.Background()} {
			req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://psp.test/", nil)
			require.NoError(t, err)
			_, err = client.Do(req)
			require.ErrorIs(t, err, io.ErrUnexpectedEOF)
		}
	}
}

func TestTransportLetsACallerLeave(t *testing.T) {
	t.Parallel()
	reached, release := make(chan struct{}), make(chan struct{})
	defer close(release)
	client := &http.Client{Transport: sandbox.Transport(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		close(reached)
		<-release // deaf to cancellation
	}))}
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-reached; cancel() }()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://psp.test/", nil)
	require.NoError(t, err)
	_, err = client.Do(req)
	require.ErrorIs(t, err, context.Canceled)
	_, err = client.Do(req.Clone(ctx))
	require.ErrorIs(t, err, context.Canceled, "not even begun")
}

// A gateway calls in-process from inside a handler of our own API: the routing
// state in that request's context must not reach the simulator's router.
func TestTransportHidesTheCallersContextValues(t *testing.T) {
	t.Parallel()
	inner := chi.NewRouter()
	inner.Get("/inner", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "inner") })
	client := &http.Client{Transport: sandbox.Transport(inner)}
	api := chi.NewRouter()
	api.Get("/outer/{id}", func(w http.ResponseWriter, r *http.Request) {
		req, _ := http.NewRequestWithContext(r.Context(), http.MethodGet, "http://psp.test/inner", nil)
		resp, err := client.Do(req)
		if err == nil {
			_, _ = io.Copy(w, resp.Body)
			_ = resp.Body.Close()
		}
	})
	outer := chi.NewRouter()
	outer.Mount("/v1", api)
	w := httptest.NewRecorder()
	outer.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/v1/outer/1", nil))
	require.Equal(t, "inner", w.Body.String())
}

func BenchmarkPayInProcess(b *testing.B) {
	sim, err := sandbox.New(config(http.NotFoundHandler()))
	require.NoError(b, err)
	defer func() { _ = sim.Close() }()
	rt := sandbox.Transport(sim.Handler())
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		body := strings.NewReader(`{"reference":"r` + strings.Repeat("x", i%8) + `","amount":"1.00","currency":"EUR"}`)
		req, _ := http.NewRequestWithContext(b.Context(), http.MethodPost, "http://psp.test/sandbox/v1/payments", body)
		req.Header.Set("Authorization", "Bearer "+shopKey)
		resp, err := rt.RoundTrip(req)
		require.NoError(b, err)
		_, _ = io.Copy(io.Discard, resp.Body)
	}
}

func BenchmarkTransport(b *testing.B) {
	rt := sandbox.Transport(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ok") }))
	req := httptest.NewRequestWithContext(b.Context(), http.MethodGet, "http://psp.test/", nil)
	b.ReportAllocs()
	for b.Loop() {
		resp, err := rt.RoundTrip(req)
		require.NoError(b, err)
		_ = resp.Body.Close()
	}
}
