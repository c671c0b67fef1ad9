package simulation

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
)

// endpoint is a place where the store wants events, as the store knows it.
type endpoint struct {
	name string
	id   string // "" until an instance has told
	// active is what the store asked for last.
	active bool
	turns  int
}

// makeEndpoints chooses whether the history has endpoints: every third has. A store
// whose events nobody tells here has one too.
func (h *history) makeEndpoints() {
	key := base64.StdEncoding.EncodeToString([]byte("all secrets of endpoints are made of this"))
	var err error
	h.secrets, err = outbound.ParseSecrets(key)
	require.NoError(h.t, err)
	rng := h.rng("endpoints")
	if rng.IntN(3) > 0 {
		return
	}
	for n := range 1 + rng.IntN(3) {
		h.endpoints = append(h.endpoints, &endpoint{name: fmt.Sprint(n + 1)})
	}
	_, err = h.db.admin.Exec(h.t.Context(), `insert into webhook_endpoints (store, id, url, types, since, created_at, updated_at)
		values ('elsewhere', '00000000-0000-7000-8000-000000000001', 'https://elsewhere.example/', '{}', 0, '2000-01-01Z', '2000-01-01Z')`)
	require.NoError(h.t, err)
}

// beginEndpoints begins what becomes of the endpoints, and the deliveries to them.
func (h *history) beginEndpoints() {
	if len(h.endpoints) == 0 {
		return
	}
	for _, e := range h.endpoints {
		h.act("webmaster "+e.name, func(ctx context.Context) { h.keepEndpoint(ctx, e) })
	}
	for n := range couriers {
		h.spawn(fmt.Sprintf("courier %d", n+1), h.deliverNowAndThen)
	}
}

// typesWanted are what endpoints get: mostly all.
var typesWanted = [][]string{
	{}, {}, {}, {"payment.*"}, {"order.paid", "refund.*", "order.created"}, {"transaction.*", "case.*"}, {"order.expired", "order.cancelled"},
}

func anyTypes(rng *rand.Rand) []string { return typesWanted[rng.IntN(len(typesWanted))] }

// keepEndpoint is who has an endpoint made, at once or later, and changes it.
func (h *history) keepEndpoint(ctx context.Context, e *endpoint) {
	rng := h.rng(whoIn(ctx))
	if rng.IntN(2) == 0 {
		pause(rng, 2*time.Minute)
	}
	for try := 1; e.id == "" && try <= 5; try++ {
		body := map[string]any{"url": e.url(try), "types": anyTypes(rng)}
		if x := h.send(ctx, http.MethodPost, "/v1/webhook-endpoints", "", body); x.status == http.StatusCreated {
			e.id, e.active = x.said.ID, true
			if secret, err := h.secrets.Of(e.id, 1); err != nil || secret != x.said.Secret {
				h.violate("E4", "endpoint %s was told another secret than the one that signs", e.id)
			}
		}
		pause(rng, 5*time.Second)
	}
	if e.id == "" {
		return
	}
	for range rng.IntN(8) {
		pause(rng, 30*time.Second)
		h.changeEndpoint(ctx, rng, e)
	}
}

// url is another each time that an endpoint is made or changed.
func (e *endpoint) url(n int) string { return fmt.Sprintf("https://shop.example/%s/%d", e.name, n) }

// changeEndpoint turns an endpoint off, or on again, or has it get something else.
func (h *history) changeEndpoint(ctx context.Context, rng *rand.Rand, e *endpoint) {
	const first = 100 // of those that changes set
	body := map[string]any{}
	switch rng.IntN(6) {
	case 0:
		body["types"] = anyTypes(rng)
	case 1:
		e.turns++
		body["url"] = e.url(first + e.turns)
	case 2:
		h.send(ctx, http.MethodPost, "/v1/webhook-endpoints/"+e.id+"/rotate-secret", "", nil)
		return
	default:
		e.active = !e.active
		body["active"] = e.active
	}
	h.send(ctx, http.MethodPatch, "/v1/webhook-endpoints/"+e.id, "", body)
}
