package httpkit_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/go-chi/chi/v5"
	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

// typicalBody is about 1.5 KB: an order of eight lines.
func typicalBody() string {
	line := `{"sku":"A-1","name":"Lamp with a name of some length","quantity":2,"unit_price":"60.00","total":"120.00"}`
	return `{"number":"10001","currency":"EUR","total":"129.95","lines":[` +
		strings.TrimSuffix(strings.Repeat(line+",", 8), ",") +
		`],"customer":{"id":"c-77","email":"a@example.org"},` +
		`"metadata":{"campaign":"autumn","source":"newsletter","note":"` + strings.Repeat("text ", 60) + `"}}`
}

// nullWriter costs nothing, so that the figures are the kit's.
type nullWriter struct{ header http.Header }

func (w *nullWriter) Header() http.Header         { return w.header }
func (w *nullWriter) Write(b []byte) (int, error) { return len(b), nil }
func (w *nullWriter) WriteHeader(int)             {}

func benchmark(b *testing.B, handler http.Handler, path string, body []byte) {
	b.Helper()
	r := httptest.NewRequest(http.MethodPost, path, nil)
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json")
	r.Header.Set("Authorization", "Bearer paysk_test_demo")
	r.Header.Set("Idempotency-Key", "k-1")
	r.ContentLength = int64(len(body))
	reader := bytes.NewReader(body)
	w := &nullWriter{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		reader.Reset(body)
		r.Body = io.NopCloser(reader)
		clear(w.header)
		handler.ServeHTTP(w, r)
	}
}

func benchKit(b *testing.B) *httpkit.Kit {
	k, _ := newKit(b, func(c *httpkit.Config) {
		c.Log = zerolog.New(io.Discard)
		c.Now = time.Now
		c.Limits = httpkit.RateLimits{PerIP: 1e9, PerKey: 1e9, Window: time.Minute}
		c.Authenticate = func(ctx context.Context, _ *http.Request, _ *huma.Operation) (context.Context, string, error) {
			return ctx, "key_1", nil
		}
	})
	createOrder(k, httpkit.Route{MovesMoney: true, NeedsKey: true})
	k.Router.Post("/bare", func(w http.ResponseWriter, r *http.Request) {})
	return k
}

// BenchmarkTypicalPost is the whole way of a 1.5 KB order through the kit.
func BenchmarkTypicalPost(b *testing.B) {
	benchmark(b, benchKit(b), "/v1/orders", []byte(typicalBody()))
}

// BenchmarkMiddlewares is the middlewares alone.
func BenchmarkMiddlewares(b *testing.B) { benchmark(b, benchKit(b), "/bare", nil) }

// BenchmarkBareChi is what BenchmarkMiddlewares stands on.
func BenchmarkBareChi(b *testing.B) {
	mux := chi.NewMux()
	mux.Post("/bare", func(w http.ResponseWriter, r *http.Request) {})
	benchmark(b, mux, "/bare", nil)
}

// BenchmarkScan is the look for cards and NULs.
func BenchmarkScan(b *testing.B) {
	body := []byte(typicalBody())
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if httpkit.ScanBody(body, nil) != nil {
			b.Fatal("refused")
		}
	}
}
