package sandbox_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/go-chi/chi/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/sandbox"
)

func TestABadConfigurationIsRefused(t *testing.T) {
	t.Parallel()
	for want, edit := range map[string]func(*sandbox.Config){
		"Now and Rand":   func(c *sandbox.Config) { c.Now = nil },
		"PublicURL":      func(c *sandbox.Config) { c.PublicURL = "127.0.0.1:8080" },
		"at least one":   func(c *sandbox.Config) { c.Accounts = nil },
		"id is missing":  func(c *sandbox.Config) { c.Accounts[1].ID = "shop" },
		"API key":        func(c *sandbox.Config) { c.Accounts[1].APIKey = shopKey },
		"webhook secret": func(c *sandbox.Config) { c.Accounts[0].WebhookSecret = "" },
		"NotifyURL":      func(c *sandbox.Config) { c.Accounts[0].NotifyURL = "/confirm" },
	} {
		c := config(http.NotFoundHandler())
		edit(&c)
		_, err := sandbox.New(c)
		require.ErrorContains(t, err, want)
	}
}

func TestWithoutRandomnessNothingIsBooked(t *testing.T) {
	t.Parallel()
	p := newPSP(t, func(c *sandbox.Config) { c.Rand = iotest.ErrReader(errors.New("no entropy")) })
	refused(t, p, http.StatusInternalServerError, "/v1/payments", payBody("r1", ""))
	require.Empty(t, p.ledger(t, "r1"))
}

func TestTheHandlerWorksMountedOnARouter(t *testing.T) {
	t.Parallel()
	sim, err := sandbox.New(config(http.NotFoundHandler()))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, sim.Close()) })
	r := chi.NewRouter()
	r.Mount("/sandbox", sim.Handler())
	w := httptest.NewRecorder()
	r.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/sandbox/operations", nil))
	require.Equal(t, http.StatusOK, w.Code)
	require.Equal(t, "[]", w.Body.String())
}

// Over a real socket: a silent answer ends with the client's patience, and the
// shop is reached by the simulator's own client.
func TestOverTCP(t *testing.T) {
	t.Parallel()
	s := &shop{}
	receiver := httptest.NewServer(s)
	defer receiver.Close()
	c := config(s)
	c.HTTP = nil
	c.Accounts[0].NotifyURL = receiver.URL + "/confirm"
	c.Delays.Silence = time.Millisecond
	sim, err := sandbox.New(c)
	require.NoError(t, err)
	defer func() { require.NoError(t, sim.Close()) }()
	server := httptest.NewServer(sim.Handler())
	defer server.Close()
	post := func(path, body string) (*http.Response, error) {
		req, err := http.NewRequestWithContext(context.Background(), http.MethodPost, server.URL+"/sandbox"+path, strings.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Authorization", "Bearer "+shopKey)
		return server.Client().Do(req)
	}
	_, err = post("/v1/payments", payBody("r1", `,"scenario":"timeout_after_charge"`))
	require.ErrorIs(t, err, io.EOF, "cut without a byte")
	resp, err := post("/payments/r1/notify", `{"event":"refunded"}`)
	require.NoError(t, err)
	require.NoError(t, resp.Body.Close())
	require.Equal(t, []string{"refunded"}, s.events())
}
