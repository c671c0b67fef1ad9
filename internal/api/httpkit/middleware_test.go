package httpkit_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

func TestRequestID(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	var seen string
	k.Router.Get("/id", func(_ http.ResponseWriter, r *http.Request) { seen = httpkit.RequestID(r.Context()) })

	for id, taken := range map[string]bool{
		"abc-1.2_Z": true, strings.Repeat("a", 64): true, strings.Repeat("a", 65): false, "a b": false, "a\tb": false,
		"": false, "é": false, `"x"`: false, testPAN: false,
	} {
		w := serve(k, get("/id", "X-Request-Id", id))
		require.Equal(t, seen, w.Header().Get("X-Request-Id"))
		require.Equal(t, taken, seen == id, "%q", id)
		if !taken {
			require.Regexp(t, "^[0-9a-f]{32}$", seen)
		}
	}
	serve(k, get("/id", "X-Request-Id", "one", "X-Request-Id", "two"))
	require.Regexp(t, "^[0-9a-f]{32}$", seen, "two ids are none")
	require.Empty(t, httpkit.RequestID(t.Context()))

	broken, _ := newKit(t, func(c *httpkit.Config) { c.Random = strings.NewReader("") })
	require.Equal(t, "unavailable", serve(broken, get("/id")).Header().Get("X-Request-Id"))
}

func TestAccessLogSaysWhatHappenedAndNoMore(t *testing.T) {
	t.Parallel()
	k, logged := newKit(t, func(c *httpkit.Config) {
		c.Authenticate = func(ctx context.Context, _ *http.Request, _ *huma.Operation) (context.Context, string, error) {
			return ctx, "key_7", nil
		}
	})
	createOrder(k, httpkit.Route{})
	k.Router.Get("/order-submit/{token}", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) })

	lineOf := func(r *http.Request) map[string]any {
		before := len(logged.String())
		serve(k, r)
		lines := strings.Split(strings.TrimSpace(logged.String()[before:]), "\n")
		require.Len(t, lines, 1, "one line per request")
		var line map[string]any
		require.NoError(t, json.Unmarshal([]byte(lines[0]), &line))
		return line
	}
	line := lineOf(post("/v1/orders", order("Lamp", "canary"), "X-Request-Id", "r1"))
	require.Equal(t, "info", line["level"])
	require.Equal(t, "POST", line["method"])
	require.Equal(t, "/v1/orders", line["route"])
	require.EqualValues(t, 201, line["status"])
	require.Positive(t, line["bytes"])
	require.Contains(t, line, "took")
	require.Equal(t, "r1", line["request_id"])
	require.Equal(t, "key_7", line["key_id"])

	line = lineOf(get("/order-submit/canary?q=canary", "User-Agent", "canary\n", "Authorization", "Bearer canary"))
	require.Equal(t, "/order-submit/{token}", line["route"])
	require.Equal(t, "warn", line["level"])
	require.NotContains(t, line, "key_id")
	require.Equal(t, "unmatched", lineOf(get("/canary"))["route"])
	require.NotContains(t, logged.String(), "canary")
}

func TestSecurityHeadersAreOnEveryAnswer(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	k.Router.Get("/cached", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Cache-Control", "max-age=1") })
	for _, r := range []*http.Request{post("/v1/orders", order()), post("/v1/orders", "{"), get("/nothing"), get("/openapi.json")} {
		w := serve(k, r)
		require.Equal(t, "no-store", w.Header().Get("Cache-Control"))
		require.Equal(t, "nosniff", w.Header().Get("X-Content-Type-Options"))
		require.Equal(t, "DENY", w.Header().Get("X-Frame-Options"))
		require.Equal(t, "no-referrer", w.Header().Get("Referrer-Policy"))
		require.Contains(t, w.Header().Get("Content-Security-Policy"), "default-src 'none'")
	}
	require.Equal(t, "max-age=1", serve(k, get("/cached")).Header().Get("Cache-Control"))
	require.Equal(t, "no-store", serve(k, get("/nothing")).Header().Get("Cache-Control"), "the shared slices are not changed")
}

func TestClientIPBelievesTrustedProxiesOnly(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, func(c *httpkit.Config) {
		c.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	})
	var seen netip.Addr
	k.Router.Get("/ip", func(_ http.ResponseWriter, r *http.Request) { seen = httpkit.ClientIP(r.Context()) })
	for _, row := range []struct {
		remote    string
		forwarded []string
		want      string
	}{
		{"203.0.113.9:1", nil, "203.0.113.9"},
		{"203.0.113.9:1", []string{"1.2.3.4"}, "203.0.113.9"},
		{"10.0.0.1:1", nil, "10.0.0.1"},
		{"10.0.0.1:1", []string{"1.2.3.4"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6, 1.2.3.4"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6, 1.2.3.4, 10.0.0.2"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6", "1.2.3.4", "10.0.0.2"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"6.6.6.6, nonsense, 10.0.0.2"}, "10.0.0.2"},
		{"10.0.0.1:1", []string{"10.0.0.3,10.0.0.2"}, "10.0.0.3"},
		{"10.0.0.1:1", []string{"1.2.3.4:5678"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{"::ffff:1.2.3.4"}, "1.2.3.4"},
		{"10.0.0.1:1", []string{strings.Repeat("10.0.0.2,", 100) + "10.0.0.2"}, "10.0.0.2"},
		{"[::ffff:10.0.0.1]:1", []string{"1.2.3.4"}, "1.2.3.4"},
		{"[fd00::1%eth0]:1", []string{"2001:db8::1"}, "2001:db8::1"},
	} {
		r := get("/ip")
		r.RemoteAddr = row.remote
		r.Header["X-Forwarded-For"] = row.forwarded
		serve(k, r)
		require.Equal(t, row.want, seen.String(), "%v", row)
	}
	require.False(t, httpkit.ClientIP(t.Context()).IsValid())
}

func TestRateLimits(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, func(c *httpkit.Config) {
		c.Limits = httpkit.RateLimits{PerIP: 4, PerKey: 2, Window: time.Hour}
		c.Authenticate = func(ctx context.Context, r *http.Request, _ *huma.Operation) (context.Context, string, error) {
			return ctx, r.Header.Get("Authorization"), nil
		}
	})
	createOrder(k, httpkit.Route{})
	k.Router.With(k.LimitByIP).Get("/page", func(http.ResponseWriter, *http.Request) {})
	k.Router.Post("/confirm", func(http.ResponseWriter, *http.Request) {})
	call := func(ip, key string) *httptest.ResponseRecorder {
		r := post("/v1/orders", order(), "Authorization", key)
		r.RemoteAddr = ip
		return serve(k, r)
	}
	require.Equal(t, 201, call("192.0.2.1:1", "a").Code)
	require.Equal(t, 201, call("192.0.2.2:1", "a").Code)
	limited := call("192.0.2.3:1", "a")
	require.Equal(t, http.StatusTooManyRequests, limited.Code)
	require.Equal(t, "rate_limited", problemOf(t, limited).Code)
	require.Equal(t, "3600", limited.Header().Get("Retry-After"))
	require.Equal(t, 201, call("192.0.2.3:1", "b").Code, "another key has its own limit")

	for _, ip := range []string{"[2001:db8::1]:1", "[2001:db8::2]:1", "[2001:db8::3]:1", "[2001:db8::4]:1"} {
		call(ip, "ip"+ip)
	}
	require.Equal(t, http.StatusTooManyRequests, call("[2001:db8::5]:1", "fresh").Code, "one /64 is one client")
	page := get("/page")
	page.RemoteAddr = "[2001:db8::6]:1"
	require.Equal(t, "rate_limited", problemOf(t, serve(k, page)).Code)
	confirm := post("/confirm", "")
	confirm.RemoteAddr = "[2001:db8::6]:1"
	require.Equal(t, http.StatusOK, serve(k, confirm).Code, "notifications have no limit per address")
}

func TestBodyCap(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{Operation: huma.Operation{MaxBodyBytes: 1000}})
	k.Router.Post("/confirm", func(w http.ResponseWriter, r *http.Request) {
		raw, err := httpkit.ReadBody(w, r, 10)
		if err != nil {
			httpkit.WriteProblem(w, r, err.(*httpkit.Problem)) //nolint:errorlint // what ReadBody returns, unwrapped
			return
		}
		_, _ = w.Write(raw)
	})
	fill := func(size int) string { return order() + strings.Repeat(" ", size-len(order())) }

	require.Equal(t, 201, serve(k, post("/v1/orders", fill(1000))).Code, "the limit itself is allowed")
	for name, r := range map[string]*http.Request{
		"with a length":    post("/v1/orders", fill(1001)),
		"without a length": withoutLength(post("/v1/orders", fill(1001))),
	} {
		w := serve(k, r)
		require.Equal(t, http.StatusRequestEntityTooLarge, w.Code, name)
		require.Equal(t, "body_too_large", problemOf(t, w).Code)
		require.Equal(t, "close", w.Header().Get("Connection"))
	}
	early := post("/v1/orders", "")
	early.ContentLength, early.Body = 1<<40, io.NopCloser(unreadable{t})
	require.Equal(t, "body_too_large", problemOf(t, serve(k, early)).Code)

	require.Equal(t, "0123456789", serve(k, post("/confirm", "0123456789")).Body.String())
	require.Equal(t, 413, serve(k, withoutLength(post("/confirm", "0123456789a"))).Code)

	cut := withoutLength(post("/v1/orders", ""))
	cut.Body = io.NopCloser(io.MultiReader(strings.NewReader("{"), errReader{io.ErrUnexpectedEOF}))
	require.Equal(t, "body_incomplete", problemOf(t, serve(k, cut)).Code)

	k2, _ := newKit(t, nil)
	createOrder(k2, httpkit.Route{})
	require.Equal(t, 201, serve(k2, post("/v1/orders", fill(httpkit.BodyMaxBytes))).Code)
	require.Equal(t, 413, serve(k2, post("/v1/orders", fill(httpkit.BodyMaxBytes+1))).Code)
}

func withoutLength(r *http.Request) *http.Request {
	r.ContentLength = -1
	return r
}

type unreadable struct{ t *testing.T }

func (u unreadable) Read([]byte) (int, error) {
	u.t.Error("a body that is known to be too long was read")
	return 0, io.EOF
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestMediaTypes(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	createOrder(k, httpkit.Route{})
	for contentType, status := range map[string]int{
		"application/json": 201, "application/json; charset=utf-8": 201, "Application/JSON;charset=UTF-8": 201,
		"": 415, "text/plain": 415, "application/x-www-form-urlencoded": 415, "multipart/form-data; boundary=x": 415,
		"application/problem+json": 415, "application/json; charset=latin1": 415, "application/json, text/plain": 415,
		"application/json; a=b": 415, "application/json; a=utf-8": 415, "application/json;;": 415, "text/json": 415, "application/xml": 415,
	} {
		for _, r := range []*http.Request{post("/v1/orders", order()), withoutLength(post("/v1/orders", order()))} {
			r.Header.Set("Content-Type", contentType)
			if contentType == "" {
				r.Header.Del("Content-Type")
			}
			w := serve(k, r)
			require.Equal(t, status, w.Code, "%q", contentType)
			if status == 415 {
				require.Equal(t, "unsupported_media_type", problemOf(t, w).Code)
			}
		}
	}
	require.Equal(t, 415, serve(k, post("/v1/orders", order(), "Content-Encoding", "gzip")).Code)
	require.Equal(t, 415, serve(k, post("/v1/orders", order(), "Content-Type", "text/plain")).Code, "two types are none")

	for accept, status := range map[string]int{
		"*/*": 201, "application/json": 201, "application/*": 201, "text/html, application/json;q=0.5": 201, "text/html,*/*;q=0.1": 201,
		"text/html": 406, "application/xml": 406, "application/json;q=0": 406, "application/json;q=0.0, text/html": 406,
	} {
		require.Equal(t, status, serve(k, post("/v1/orders", order(), "Accept", accept)).Code, accept)
	}
	require.Equal(t, "not_acceptable", problemOf(t, serve(k, post("/v1/orders", order(), "Accept", "text/html"))).Code)
}

func TestBadURLs(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	httpkit.Register(k, httpkit.Route{
		Operation: huma.Operation{Method: http.MethodGet, Path: "/x/{id}", OperationID: "x"}, Public: true,
	}, func(context.Context, *struct {
		ID string `path:"id"`
		Q  string `query:"q"`
		P  string `query:"p"`
	}) (*struct{ Body string }, error) {
		return &struct{ Body string }{}, nil
	})
	k.Router.Get("/page/{id}", func(http.ResponseWriter, *http.Request) {})
	for path, status := range map[string]int{
		"/x/a": 200, "/x/%C3%A9?q=%C3%A9": 200, "/x/a?q=1&p=2": 200, "/x/a?q=a+b%20c": 200,
		"/page/a?q=1&q=2": 200, "/page/%00": 400,
		"/x/%00": 400, "/x/%FF": 400, "/x/a?q=%00": 400, "/x/a?q=%FF": 400, "/x/a?%FF=1": 400, "/x/a?q=1;p=2": 400, "/x/a?q=1&q=2": 400,
	} {
		w := serve(k, get(path))
		require.Equal(t, status, w.Code, path)
		if status == 400 {
			require.Equal(t, "malformed_url", problemOf(t, w).Code)
		}
	}
	broken := get("/x/a")
	broken.URL.RawQuery = "q=%zz"
	require.Equal(t, 400, serve(k, broken).Code)
}
