package httpkit_test

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

// The operation of these tests looks like order creation, which is the route
// that takes the largest bodies from the most callers.
type (
	orderInput struct {
		Body orderBody
	}
	orderBody struct {
		Number   string                `json:"number" minLength:"1" maxLength:"64"`
		Currency string                `json:"currency" enum:"EUR,JPY,KWD"`
		Total    httpkit.Amount        `json:"total"`
		Lines    []orderLine           `json:"lines,omitempty" maxItems:"500"`
		Customer *orderCustomer        `json:"customer,omitempty"`
		Expires  *httpkit.Timestamp    `json:"expires_at,omitempty"`
		Data     json.RawMessage       `json:"data,omitempty"`
		Metadata map[string]string     `json:"metadata,omitempty"`
		Shipping *httpkit.Amount       `json:"shipping,omitempty"`
		Return   string                `json:"return_url,omitempty" format:"uri"`
		Flags    map[string]orderExtra `json:"flags,omitempty"`
	}
	orderExtra struct {
		Fee httpkit.Amount `json:"fee"`
	}
	orderLine struct {
		SKU       string         `json:"sku"`
		Name      string         `json:"name"`
		Quantity  int            `json:"quantity" minimum:"1" maximum:"100000"`
		UnitPrice httpkit.Amount `json:"unit_price"`
		Total     httpkit.Amount `json:"total"`
	}
	orderCustomer struct {
		ID    string `json:"id,omitempty"`
		Email string `json:"email,omitempty" format:"email"`
	}
	orderOutput struct {
		Body orderAnswer
	}
	orderAnswer struct {
		ID        string            `json:"id"`
		Total     httpkit.Amount    `json:"total"`
		Metadata  map[string]string `json:"metadata"`
		Lines     []orderLine       `json:"lines"`
		CreatedAt httpkit.Timestamp `json:"created_at"`
	}
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 123456789, time.UTC)

// syncBuffer takes log lines from any goroutine.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// newKit is a kit whose log can be read.
func newKit(t testing.TB, change func(*httpkit.Config)) (*httpkit.Kit, *syncBuffer) {
	t.Helper()
	logged := &syncBuffer{}
	config := httpkit.Config{
		Version: "test",
		Log:     zerolog.New(logged),
		Now:     func() time.Time { return noon },
		Random:  rand.Reader,
	}
	if change != nil {
		change(&config)
	}
	k, err := httpkit.New(config)
	require.NoError(t, err)
	return k, logged
}

// createOrder registers POST /v1/orders and echoes what it understood.
func createOrder(k *httpkit.Kit, route httpkit.Route) {
	route.Operation = huma.Operation{
		OperationID: "create-order", Method: http.MethodPost, Path: "/v1/orders",
		DefaultStatus: http.StatusCreated, MaxBodyBytes: route.MaxBodyBytes,
	}
	httpkit.Register(k, route, func(_ context.Context, in *orderInput) (*orderOutput, error) {
		return &orderOutput{Body: orderAnswer{
			ID: "ord_1", Total: in.Body.Total, Metadata: in.Body.Metadata, Lines: in.Body.Lines,
			CreatedAt: httpkit.NewTimestamp(noon),
		}}, nil
	})
}

func post(path, body string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func get(path string, header ...string) *http.Request {
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Add(header[i], header[i+1])
	}
	return r
}

func serve(k http.Handler, r *http.Request) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	k.ServeHTTP(w, r)
	return w
}

// problemOf checks that an answer is a problem of the promised form, and
// nothing but its members.
func problemOf(t testing.TB, w *httptest.ResponseRecorder) httpkit.Problem {
	t.Helper()
	require.Equal(t, "application/problem+json", w.Header().Get("Content-Type"), w.Body.String())
	var members map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &members), w.Body.String())
	for _, name := range []string{"type", "title", "status", "detail", "code", "errors", "request_id"} {
		require.Contains(t, members, name)
		delete(members, name)
	}
	for _, name := range []string{"money_moved", "reason", "max_amount", "why_not"} {
		delete(members, name)
	}
	require.Empty(t, members)

	var p httpkit.Problem
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &p))
	require.Equal(t, w.Code, p.Status)
	require.Equal(t, "urn:paysvc:problem:"+p.Code, p.Type)
	require.NotEmpty(t, p.Code)
	require.NotEmpty(t, p.Detail)
	require.NotNil(t, p.Errors)
	require.Equal(t, w.Header().Get("X-Request-Id"), p.RequestID)
	require.NotEmpty(t, p.RequestID)
	return p
}

func newLogger(w io.Writer) zerolog.Logger { return zerolog.New(w) }
