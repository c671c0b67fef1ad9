package api_test

import (
	"context"
	"net/http"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/payment"
)

// watcher notes which orders were looked at.
type watcher struct {
	mu   sync.Mutex
	seen []string
}

func (w *watcher) LookedAt(store string, id payment.OrderID) func(context.Context) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.seen = append(w.seen, store+" "+id.String())
	return nil
}

// since returns what was looked at since the last call.
func (w *watcher) since() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := w.seen
	w.seen = nil
	return seen
}

// Every page of a shop has a publishable key, and ids of orders stand in URLs: who
// knows both and not the order's token must not make us ask PSPs.
func TestWhoMayNotReadAnOrderMakesUsAskNobody(t *testing.T) {
	t.Parallel()
	w := &watcher{}
	b := boot(t, func(d *api.Deps) { d.Looks = w })
	c := b.Client()
	id := c.Order()
	order := c.Get("/v1/orders/" + id).Is(http.StatusOK)
	c.Pay(id, "card", map[string]any{"scenario": "error_after_charge"}).Is(http.StatusAccepted)
	browser, token := b.As(b.PublishableKey("demo")), order.Text("client_token")
	foreign, _ := b.Key("other")
	w.since()

	for _, path := range []string{"/status", "/status/stream", "/payment-methods"} {
		path = "/v1/orders/" + id + path
		browser.Get(path).Refused(http.StatusNotFound, "not_found")
		browser.Get(path, "X-Order-Token", token[1:]+"x").Refused(http.StatusNotFound, "not_found")
		b.As(foreign).Get(path).Refused(http.StatusNotFound, "not_found")
		require.Empty(t, w.since(), path)
	}
	for _, path := range []string{"/status", "/payment-methods"} {
		browser.Get("/v1/orders/"+id+path, "X-Order-Token", token).Is(http.StatusOK)
		require.Equal(t, []string{"demo " + id}, w.since(), path)
	}
	c.Get("/v1/orders/" + id).Is(http.StatusOK)
	require.Equal(t, []string{"demo " + id}, w.since())
	c.Get("/v1/payments/" + c.Get("/v1/orders/"+id).Text("payments.0.id")).Is(http.StatusOK)
	require.Equal(t, []string{"demo " + id, "demo " + id}, w.since())
}

func TestAnOrderThatIsDecidedIsReadWithoutALook(t *testing.T) {
	t.Parallel()
	w := &watcher{}
	c := boot(t, func(d *api.Deps) { d.Looks = w }).Client()
	id := c.PaidOrder()
	c.Get("/v1/orders/" + id).Is(http.StatusOK)
	c.Get("/v1/orders/" + id + "/status").Is(http.StatusOK)
	require.Empty(t, w.since())
}
