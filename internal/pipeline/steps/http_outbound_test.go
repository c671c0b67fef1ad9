package steps_test

import (
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// secret is that of the specification's examples.
const secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"

// poster is the real client behind the port of the step.
type poster struct{ *outbound.Client }

func (poster) CheckSecret(s string) error { return outbound.CheckSecret(s) }

func (p poster) Post(ctx context.Context, m steps.Message) (steps.Reply, error) {
	a, err := p.Client.Post(ctx, outbound.Message{
		ID: m.ID, URL: m.URL, Secrets: []string{m.Secret.Reveal()}, Body: m.Body, Timeout: m.Timeout,
	})
	return steps.Reply{Status: a.Status, Body: a.Body, Cut: a.Cut}, err
}

// newPoster may reach this machine if local.
func newPoster(t *testing.T, local bool) poster {
	t.Helper()
	c := outbound.Config{Timeout: 30 * time.Second, Now: time.Now}
	if local {
		c.Allowed = []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")}
	}
	client := outbound.New(c)
	t.Cleanup(client.Close)
	return poster{client}
}

// atShop is a run that asks a real server.
func atShop(t *testing.T, handler http.HandlerFunc, with string) *asking {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	step, err := configure("http", "url: "+server.URL+"/hook\nsecret: "+secret+"\n"+with, steps.MakerDeps{Poster: newPoster(t, true)})
	require.NoError(t, err)
	return asks(t, step)
}

func TestTheShopCanVerifyTheQuestion(t *testing.T) {
	t.Parallel()
	var got *http.Request
	var body []byte
	a := atShop(t, func(w http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
		_, _ = io.WriteString(w, `{"decision": "reject", "message": "Not today."}`)
	}, "")
	require.Equal(t, "rejected_by_store", payment.CodeOf(a.run()))
	hook, err := standardwebhooks.NewWebhook(secret)
	require.NoError(t, err)
	require.NoError(t, hook.Verify(body, got.Header))
	require.Equal(t, http.MethodPost, got.Method)
	require.Equal(t, "application/json", got.Header.Get("Content-Type"))
	require.Regexp(t, `^run_[0-9a-z]+/ask$`, got.Header.Get("webhook-id"))
	require.Contains(t, string(body), `"type":"pipeline.step"`)
}

func TestAServerThatMisbehavesIsNoAnswer(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		handler http.HandlerFunc
		why     string
	}{
		"silence": {func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.ReadAll(r.Body) // until then the server does not see that the caller is gone
			<-r.Context().Done()
		}, "took too long"},
		"redirect": {func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/other", http.StatusFound) }, "status 302"},
		"much":     {func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, strings.Repeat(" ", 1<<20)) }, "too large"},
		"endless": {func(w http.ResponseWriter, _ *http.Request) {
			for _, err := w.Write(make([]byte, 4096)); err == nil; _, err = w.Write(make([]byte, 4096)) {
			}
		}, "too large"},
		"garbage": {func(w http.ResponseWriter, _ *http.Request) {
			conn, out, _ := http.NewResponseController(w).Hijack()
			_, _ = out.WriteString("\x00\xff HTTP?\r\n\r\n")
			_ = out.Flush()
			_ = conn.Close()
		}, "no answer"},
		"broken":    {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "the connection broke"},
		"no answer": {func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }, "status 502"},
	} {
		timeout := "20s"
		if name == "silence" {
			timeout = "300ms"
		}
		a := atShop(t, c.handler, "timeout: "+timeout+"\non_failure: continue")
		require.NoError(t, a.run(), name)
		require.Contains(t, a.notes()[0], c.why, name)
	}
}

// flipping is a resolver whose second answer is another one than the first.
type flipping struct {
	asked  atomic.Int32
	second string
}

func (f *flipping) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	if f.asked.Add(1) == 1 {
		return []netip.Addr{netip.MustParseAddr("127.0.0.1")}, nil
	}
	return []netip.Addr{netip.MustParseAddr(f.second)}, nil
}

// The name of a shop may lead elsewhere tomorrow, and the step is checked today.
func TestAShopWhoseNameFlipsIsNotAsked(t *testing.T) {
	t.Parallel()
	for _, inside := range []string{"127.0.0.2", "169.254.169.254", "10.0.0.1", "::1"} {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }))
		t.Cleanup(server.Close)
		client := outbound.New(outbound.Config{
			Timeout: 30 * time.Second, Now: time.Now, Resolver: &flipping{second: inside},
			Allowed: []netip.Prefix{netip.MustParsePrefix("127.0.0.1/32")},
		})
		t.Cleanup(client.Close)
		named := strings.Replace(server.URL, "127.0.0.1", "shop.example", 1)
		step, err := configure("http", "url: "+named+"\nsecret: "+secret+"\non_failure: continue", steps.MakerDeps{Poster: poster{client}})
		require.NoError(t, err)
		first := asks(t, step)
		require.NoError(t, first.run())
		require.Equal(t, []string{"system: went on"}, first.notes())
		second := asks(t, step)
		require.NoError(t, second.run())
		require.Contains(t, second.notes()[0], "the host's address is not public", inside)
	}
}

// Whoever may write settings of a store must not reach what only we reach.
func TestURLsAndSecretsAreCheckedAtTheStart(t *testing.T) {
	t.Parallel()
	deps := steps.MakerDeps{Poster: newPoster(t, false)}
	for with, field := range map[string]string{
		"url: http://shop.example/hook\nsecret: " + secret:          "url",
		"url: https://127.0.0.1/hook\nsecret: " + secret:            "url",
		"url: https://169.254.169.254/latest\nsecret: " + secret:    "url",
		"url: https://user:pw@shop.example/hook\nsecret: " + secret: "url",
		"url: https://shop.example/hook\nsecret: whsec_short":       "secret",
	} {
		_, err := configure("http", with, deps)
		require.Error(t, err, with)
		require.Contains(t, err.Error(), "invalid", with)
		require.Equal(t, field, err.(*payment.Error).Fields[0].Field, with) //nolint:errorlint // returned as it is
	}
	_, err := configure("http", "url: https://shop.example/hook\nsecret: "+secret, deps)
	require.NoError(t, err)
}
