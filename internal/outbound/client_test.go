package outbound_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
)

func TestPostSendsASignedMessageAndReturnsAnyAnswer(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		w.Header().Set("Retry-After", "17")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, "short and stout")
	})
	m := message(url + "/hooks?shop=1")
	m.Secrets = append(m.Secrets, "whsec_"+base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("r"), 32)))
	a, err := local(t).Post(t.Context(), m)
	require.NoError(t, err)
	require.Equal(t, http.StatusTeapot, a.Status)
	require.Equal(t, "short and stout", string(a.Body))
	require.Equal(t, 17*time.Second, a.RetryAfter)
	require.False(t, a.Cut)

	require.Equal(t, http.MethodPost, got.Method)
	require.Equal(t, "/hooks?shop=1", got.URL.String())
	require.Equal(t, m.Body, body)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Empty(t, got.Header.Get("Accept-Encoding"))
	require.Equal(t, []string{"evt_1"}, got.Header.Values("webhook-id"))
	require.Equal(t, []string{strconv.FormatInt(at.Unix(), 10)}, got.Header.Values("webhook-timestamp"))
	require.Len(t, got.Header.Values("webhook-signature"), 1)
	for _, s := range m.Secrets {
		hook, err := standardwebhooks.NewWebhook(s)
		require.NoError(t, err)
		require.NoError(t, hook.VerifyIgnoringTimestamp(body, got.Header))
		require.Error(t, hook.VerifyIgnoringTimestamp(append(body, ' '), got.Header))
	}
}

// The signature is what the specification says, computed without the library:
// v1, base64(HMAC-SHA256(base64-decoded secret, id.timestamp.body)).
func TestTheSignatureIsThatOfTheSpecification(t *testing.T) {
	t.Parallel()
	var signature string
	url := serve(t, func(_ http.ResponseWriter, r *http.Request) { signature = r.Header.Get("webhook-signature") })
	_, err := local(t).Post(t.Context(), message(url))
	require.NoError(t, err)
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(`evt_1.1774958400.{"test": 2432232314}`))
	require.Equal(t, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)), signature)
}

func TestNothingLeavesUnsigned(t *testing.T) {
	t.Parallel()
	var seen atomic.Int32
	url := serve(t, func(http.ResponseWriter, *http.Request) { seen.Add(1) })
	for name, change := range map[string]func(*outbound.Message){
		"no secret":     func(m *outbound.Message) { m.Secrets = nil },
		"empty":         func(m *outbound.Message) { m.Secrets = []string{""} },
		"prefix alone":  func(m *outbound.Message) { m.Secrets = []string{"whsec_"} },
		"short":         func(m *outbound.Message) { m.Secrets = []string{"whsec_c2hvcnQ="} },
		"second broken": func(m *outbound.Message) { m.Secrets = append(m.Secrets, "whsec_!") },
		"no id":         func(m *outbound.Message) { m.ID = "" },
	} {
		m := message(url)
		change(&m)
		_, err := local(t).Post(t.Context(), m)
		require.Error(t, err, name)
		requireFailure(t, outbound.SecretMissing, err)
	}
	require.Zero(t, seen.Load())
}

func TestRedirectsAreAnswersAndCookiesAreForgotten(t *testing.T) {
	t.Parallel()
	var hidden atomic.Int32
	inside := serve(t, func(http.ResponseWriter, *http.Request) { hidden.Add(1) })
	var cookies []string
	url := serve(t, func(w http.ResponseWriter, r *http.Request) {
		cookies = append(cookies, r.Header.Get("Cookie"))
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "b"})
		http.Redirect(w, r, inside, http.StatusTemporaryRedirect)
	})
	client := local(t)
	for range 2 {
		a, err := client.Post(t.Context(), message(url))
		require.NoError(t, err)
		require.Equal(t, http.StatusTemporaryRedirect, a.Status)
	}
	require.Zero(t, hidden.Load())
	require.Equal(t, []string{"", ""}, cookies)
}

// A proxy would dial for us, and what it dials nobody judges.
func TestAProxyOfTheEnvironmentIsNotUsed(t *testing.T) { //nolint:paralleltest // the environment is everybody's
	var asked, reached atomic.Int32
	proxy := serve(t, func(http.ResponseWriter, *http.Request) { asked.Add(1) })
	for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
		t.Setenv(name, proxy)
	}
	url := serve(t, func(http.ResponseWriter, *http.Request) { reached.Add(1) })
	book := &names{known: map[string][][]string{"shop.example": {{"127.0.0.1"}}}}
	_, err := clientOf(t, outbound.Config{Allowed: loopback, Resolver: book}).
		Post(t.Context(), message(strings.Replace(url, "127.0.0.1", "shop.example", 1)))
	require.NoError(t, err)
	require.Zero(t, asked.Load())
	require.EqualValues(t, 1, reached.Load())
}

// A line break in a value would begin a field of its own.
func TestNoFieldSlipsIntoTheHead(t *testing.T) {
	t.Parallel()
	var seen atomic.Int32
	url := serve(t, func(http.ResponseWriter, *http.Request) { seen.Add(1) })
	m := message(url)
	m.ID = "evt_1\r\nX-Canary: 1"
	_, err := local(t).Post(t.Context(), m)
	require.Error(t, err)
	require.NotContains(t, err.Error(), "Canary")
	require.Zero(t, seen.Load())
}

func TestAnEndlessAnswerIsCut(t *testing.T) {
	t.Parallel()
	url := raw(t, func(_ context.Context, w io.Writer) {
		_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n")
		for line := bytes.Repeat([]byte("x"), 4096); ; {
			if _, err := w.Write(line); err != nil {
				return
			}
		}
	})
	a, err := local(t).Post(t.Context(), message(url))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, a.Status)
	require.Len(t, a.Body, 64<<10)
	require.True(t, a.Cut)
}

func TestEndlessHeadersAreNoAnswer(t *testing.T) {
	t.Parallel()
	url := raw(t, func(_ context.Context, w io.Writer) {
		_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\n")
		for {
			if _, err := io.WriteString(w, "X: "+strings.Repeat("y", 1000)+"\r\n"); err != nil {
				return
			}
		}
	})
	_, err := local(t).Post(t.Context(), message(url))
	requireFailure(t, outbound.Unreadable, err)
}

func TestACompressedBombStaysCompressed(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	_, err := z.Write(make([]byte, 32<<20))
	require.NoError(t, err)
	require.NoError(t, z.Close())
	url := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		_, _ = w.Write(packed.Bytes())
	})
	a, err := local(t).Post(t.Context(), message(url))
	require.NoError(t, err)
	require.Equal(t, packed.Bytes()[:min(packed.Len(), 64<<10)], a.Body)
}

func TestSlowReceiversAreCutOff(t *testing.T) {
	t.Parallel()
	drip := func(text string) func(context.Context, io.Writer) {
		return func(ctx context.Context, w io.Writer) {
			for {
				for _, b := range []byte(text) {
					if _, err := w.Write([]byte{b}); err != nil {
						return
					}
					select {
					case <-ctx.Done():
						return
					case <-time.After(10 * time.Millisecond):
					}
				}
			}
		}
	}
	for name, answer := range map[string]func(context.Context, io.Writer){
		"silence":        func(ctx context.Context, _ io.Writer) { <-ctx.Done() },
		"drip of a head": drip("HTTP/1.1 200 OK\r\n" + strings.Repeat("X: y\r\n", 1000)),
		"drip of a body": func(ctx context.Context, w io.Writer) {
			_, _ = io.WriteString(w, "HTTP/1.1 200 OK\r\n\r\n")
			drip("x")(ctx, w)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := message(raw(t, answer))
			m.Timeout = 150 * time.Millisecond
			_, err := local(t).Post(t.Context(), m)
			requireFailure(t, outbound.TimedOut, err)
		})
	}
}

func TestACallerWhoGivesUpIsToldSo(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	url := raw(t, func(inner context.Context, _ io.Writer) {
		cancel()
		<-inner.Done()
	})
	_, err := local(t).Post(ctx, message(url))
	require.ErrorIs(t, err, context.Canceled)
}

func TestGarbageIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"not HTTP":          "220 mail.example.org ESMTP\r\n\r\n",
		"nothing":           "",
		"binary":            "\x00\x01\x02\xff\xfe\r\n\r\n",
		"short body":        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
		"broken chunks":     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nZZ\r\n",
		"switched protocol": "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url := raw(t, func(_ context.Context, w io.Writer) { _, _ = io.WriteString(w, text) })
			_, err := local(t).Post(t.Context(), message(url))
			requireFailure(t, outbound.Unreadable, err)
		})
	}
}

func TestCertificatesMustBeTrusted(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	server.Config.ErrorLog = nil
	t.Cleanup(server.Close)
	_, err := local(t).Post(t.Context(), message(server.URL))
	requireFailure(t, outbound.TLSFailed, err)

	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	trusting := clientOf(t, outbound.Config{Allowed: loopback, Roots: roots, Resolver: &names{known: map[string][][]string{
		"wrong.example": {{"127.0.0.1"}},
	}}})
	_, err = trusting.Post(t.Context(), message(server.URL))
	require.NoError(t, err)
	_, err = trusting.Post(t.Context(), message(strings.Replace(server.URL, "127.0.0.1", "wrong.example", 1)))
	requireFailure(t, outbound.TLSFailed, err)

	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, err = trusting.Post(t.Context(), message(strings.Replace(plain, "http:", "https:", 1)))
	requireFailure(t, outbound.TLSFailed, err)
}

func TestRetryAfterIsSecondsOrADate(t *testing.T) {
	t.Parallel()
	for value, want := range map[string]time.Duration{
		"":     0,
		"0":    0,
		"90":   90 * time.Second,
		" 90 ": 90 * time.Second,
		at.Add(time.Minute).UTC().Format(http.TimeFormat): time.Minute,
		at.Add(-time.Hour).UTC().Format(http.TimeFormat):  0,
		"99999999":             24 * time.Hour,
		"99999999999999999999": 0,
		"-5":                   0,
		"soon":                 0,
	} {
		url := serve(t, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Retry-After", value) })
		a, err := local(t).Post(t.Context(), message(url))
		require.NoError(t, err)
		require.Equal(t, want, a.RetryAfter, value)
	}
}

func TestErrorsTellNothingOfTheMessage(t *testing.T) {
	t.Parallel()
	for _, url := range []string{
		"http://127.0.0.1:1/path?token=canary", "https://canary.invalid/?token=canary", "https://user:canary@host.example/",
		"https://[::1]/canary", "http://127.0.0.1:1/\x7fcanary",
	} {
		client := clientOf(t, outbound.Config{Allowed: loopback, Resolver: &names{}})
		m := message(url)
		m.Secrets = append(m.Secrets, secret)
		_, err := client.Post(t.Context(), m)
		require.Error(t, err, url)
		require.NotContains(t, err.Error(), "canary")
		require.NotContains(t, err.Error(), "whsec")
		require.NotContains(t, err.Error(), "127.0.0.1")
	}
}
