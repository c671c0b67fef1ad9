package e2e_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/settings"
)

// storefront is a shop system that takes events and commands, and verifies them
// with the library that such shops use.
type storefront struct {
	mu      sync.Mutex
	secret  string
	refuse  bool
	ids     []string
	bodies  []string
	strange []string
}

func (f *storefront) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	f.mu.Lock()
	defer f.mu.Unlock()
	hook, hookErr := standardwebhooks.NewWebhook(f.secret)
	if err != nil || hookErr != nil || hook.Verify(body, r.Header) != nil {
		f.strange = append(f.strange, string(body))
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	f.ids, f.bodies = append(f.ids, r.Header.Get("webhook-id")), append(f.bodies, string(body))
	if f.refuse {
		w.WriteHeader(http.StatusInternalServerError)
	}
}

// took finds a message of a type.
func (f *storefront) took(eventType string) string {
	f.mu.Lock()
	defer f.mu.Unlock()
	i := slices.IndexFunc(f.bodies, func(body string) bool { return strings.Contains(body, `"type":"`+eventType+`"`) })
	if i < 0 {
		return ""
	}
	return f.bodies[i]
}

func TestEventsArePostedAsTheAPIShowsThem(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	f := &storefront{}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	f.mu.Lock()
	made := read[struct{ ID, Secret string }](t, d.do(http.StatusCreated, http.MethodPost, "/v1/webhook-endpoints", "", `{"url": "`+server.URL+`/events"}`))
	f.secret = made.Secret
	f.mu.Unlock()
	id := d.newOrder("E-1", "")
	d.pay(id, "pay-1", "card")
	eventually(t, "the payment is told", func() bool { return f.took("payment.paid") != "" })
	listed := read[struct{ Data []map[string]any }](t, d.do(http.StatusOK, http.MethodGet, "/v1/events?type=payment.paid", "", ""))
	posted := read[map[string]any](t, answer{body: []byte(f.took("payment.paid"))})
	require.Equal(t, listed.Data[0], posted)
	require.Empty(t, f.strange, "every message is signed")
	eventually(t, "all is delivered", func() bool {
		pending := read[struct{ Data []any }](t, d.do(http.StatusOK, http.MethodGet, "/v1/webhook-endpoints/"+made.ID+"/deliveries?state=pending", "", ""))
		return len(pending.Data) == 0
	})
}

func TestAShopDeductsItsStockItself(t *testing.T) {
	t.Parallel()
	f := &storefront{secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}
	server := httptest.NewServer(f)
	t.Cleanup(server.Close)
	env := devEnv(t)
	path := filepath.Join(t.TempDir(), "paysvc.yaml")
	source := strings.Replace(string(settings.Demo()), "    title: Demo shop\n", `    title: Demo shop
    effects:
      stock: storefront
      url: `+server.URL+`/commands
      secret: {env: SHOP_SECRET}
`, 1)
	require.NoError(t, os.WriteFile(path, []byte(source), 0o600))
	env["PAYSVC_SETTINGS"], env["SHOP_SECRET"] = path, f.secret
	d := startDev(t, env)
	d.setStock("10")
	id := d.newOrder("E-2", "")
	d.pay(id, "pay-1", "card")
	eventually(t, "the shop is told", func() bool { return f.took("stock.deduct") != "" })
	require.Contains(t, f.took("stock.deduct"), `"lines":[{"sku":`)
	require.Equal(t, 10, d.stock(), "ours is not touched")
	require.Empty(t, f.strange)
}
