package api_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

// webhooks makes secrets from a key of tests.
func webhooks(t *testing.T) api.Webhooks {
	t.Helper()
	secrets, err := outbound.ParseSecrets(base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 32)))
	require.NoError(t, err)
	return api.Webhooks{Secrets: secrets, CheckURL: func(url string) error {
		return outbound.CheckURL(url, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")})
	}}
}

// text reads one text around the API.
func (b *bundle) text(query string) (text string) {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.Database)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(b.t.Context()) }()
	require.NoError(b.t, conn.QueryRow(b.t.Context(), query).Scan(&text))
	return text
}

const endpoints = "/v1/webhook-endpoints"

func TestAnEndpointShowsItsSecretOnce(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	made := c.Post(endpoints, map[string]any{"url": "https://shop.example/hooks?n=4111111111111111", "types": []string{"order.paid", "refund.*"}}).
		Is(http.StatusCreated)
	id, secret := made.Text("id"), made.Text("secret")
	require.Regexp(t, "^whk_[0-9a-z]{26}$", id)
	require.NoError(t, outbound.CheckSecret(secret))
	require.Equal(t, []any{"order.paid", "refund.*"}, made.List("types"))
	require.Equal(t, true, made.At("active"))

	got := c.Get(endpoints + "/" + id).Is(http.StatusOK)
	require.Equal(t, "https://shop.example/hooks?n=4111111111111111", got.Text("url"))
	require.Nil(t, got.At("secret"))
	require.Nil(t, got.At("disabled_reason"))
	list := c.Get(endpoints).Is(http.StatusOK)
	require.Len(t, list.List("data"), 1)
	require.NotContains(t, string(list.Body), "whsec_")
	second := c.Post(endpoints, map[string]any{"url": "https://shop.example/second"}).Is(http.StatusCreated).Text("id")
	page := c.Get(endpoints + "?limit=1").Is(http.StatusOK)
	require.Equal(t, id, page.Text("data.0.id"))
	require.Equal(t, second, c.Get(endpoints+"?limit=1&cursor="+page.Text("next_cursor")).Is(http.StatusOK).Text("data.0.id"))
	c.Get(endpoints+"?cursor=whk_0").Refused(http.StatusBadRequest, "cursor_invalid")
	require.NotContains(t, b.text("select string_agg(e::text, ' ') from webhook_endpoints e"), strings.TrimPrefix(secret, "whsec_"))

	rotated := c.Post(endpoints+"/"+id+"/rotate-secret", nil).Is(http.StatusOK)
	require.NotEqual(t, secret, rotated.Text("secret"))
	require.Equal(t, "2", b.text("select max(secret_version)::text from webhook_endpoints"))
	until, err := time.Parse(time.RFC3339, c.Get(endpoints+"/"+id).Text("secret_rotates_at"))
	require.NoError(t, err)
	require.WithinDuration(t, b.Clock.Now().Add(24*time.Hour), until, time.Minute)
	b.Clock.Advance(24 * time.Hour)
	require.Nil(t, c.Get(endpoints+"/"+id).At("secret_rotates_at"))
}

func TestAnEndpointIsChangedAndDeleted(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	one := endpoints + "/" + c.Post(endpoints, map[string]any{"url": "https://shop.example/hooks"}).Is(http.StatusCreated).Text("id")
	a := c.Send(http.MethodPatch, one, map[string]any{"active": false}).Is(http.StatusOK)
	require.Equal(t, "by_request", a.Text("disabled_reason"))
	a = c.Send(http.MethodPatch, one, map[string]any{"active": true, "url": "http://10.1.2.3/hooks", "types": []string{}}).Is(http.StatusOK)
	require.Equal(t, "http://10.1.2.3/hooks", a.Text("url"))
	require.Empty(t, a.List("types"))
	require.Nil(t, a.At("disabled_reason"))
	c.Send(http.MethodDelete, one, nil).Is(http.StatusNoContent)
	c.Get(one).Refused(http.StatusNotFound, "not_found")
	c.Send(http.MethodDelete, one, nil).Refused(http.StatusNotFound, "not_found")
}

func TestEndpointsThatCannotBeAreRefused(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	for _, row := range []struct {
		body any
		code string
	}{
		{map[string]any{"url": "http://8.8.8.8/canary"}, "url_not_allowed"},
		{map[string]any{"url": "https://127.0.0.1/canary"}, "url_not_allowed"},
		{map[string]any{"url": "https://[::ffff:10.0.0.1]/canary"}, "url_not_allowed"},
		{map[string]any{"url": "https://user:canary@shop.example/"}, "url_not_allowed"},
		{map[string]any{"url": "https://shop.example/", "types": []string{"canary!"}}, "type_invalid"},
		{map[string]any{"url": "https://shop.example/", "types": []string{"*"}}, "type_invalid"},
		{map[string]any{"url": "https://shop.example/", "types": []string{"custom.gift.*"}}, "type_invalid"},
		{map[string]any{"url": "https://shop.example/", "types": []string{"payment"}}, "type_invalid"},
		{map[string]any{"url": "https://shop.example/", "types": []string{"custom.a.b.c.d"}}, "type_invalid"},
		{map[string]any{"url": "https://shop.example/", "types": []string{"order.paid", "order.paid"}}, "duplicate"},
		{map[string]any{"url": ""}, "validation_failed"},
		{map[string]any{}, "validation_failed"},
		{map[string]any{"url": "https://shop.example/", "secret": "canary"}, "validation_failed"},
	} {
		a := c.Post(endpoints, row.body)
		a.Refused(http.StatusUnprocessableEntity, row.code)
		require.NotContains(t, string(a.Body), "canary")
	}
	require.Empty(t, c.Get(endpoints).List("data"))
	fine := []string{"custom.*", "custom.gift_packed", "custom." + strings.Repeat("a", 30) + ".b.c"}
	c.Post(endpoints, map[string]any{"url": "https://shop.example/", "types": fine}).Is(http.StatusCreated)
}

// The URL of an endpoint may carry a token of the store's.
func TestOnlyAdminsSeeEndpoints(t *testing.T) {
	t.Parallel()
	b := boot(t)
	one := endpoints + "/" + b.Client().Post(endpoints, map[string]any{"url": "https://shop.example/hooks?token=1"}).Text("id")
	key, _ := b.Key("demo", payment.ScopeOrders, payment.ScopePayments, payment.ScopeRead)
	for _, path := range []string{endpoints, one, one + "/deliveries"} {
		b.As(key).Get(path).Refused(http.StatusForbidden, "forbidden")
	}
}

func TestWithoutAKeyThereAreNoEndpoints(t *testing.T) {
	t.Parallel()
	b := boot(t, func(d *api.Deps) { d.Webhooks.Secrets = outbound.Secrets{} })
	a := b.Client().Post(endpoints, map[string]any{"url": "https://shop.example/hooks"}).Refused(http.StatusServiceUnavailable, "webhooks_not_configured")
	require.Contains(t, a.Text("detail"), "PAYSVC_SECRET_KEY")
}

func TestAStoreHasFiftyEndpoints(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	for range payment.EndpointsMax {
		c.Post(endpoints, map[string]any{"url": "https://shop.example/hooks"}).Is(http.StatusCreated)
	}
	c.Post(endpoints, map[string]any{"url": "https://shop.example/hooks"}).Refused(http.StatusConflict, "endpoints_full")
	require.Len(t, c.Get(endpoints).List("data"), payment.EndpointsMax)
}

func TestAnEventIsRedelivered(t *testing.T) {
	t.Parallel()
	kicked := 0
	b := boot(t, func(d *api.Deps) { d.Webhooks.Kick = func() { kicked++ } })
	c := b.Client()
	order := c.PaidOrder()
	var event map[string]any
	for _, entry := range c.Get("/v1/orders/" + order + "/timeline?limit=200").List("data") {
		if e, ok := entry.(map[string]any)["event"].(map[string]any); ok && e["type"] == "payment.paid" {
			event = e
		}
	}
	again := "/v1/events/" + event["id"].(string) + "/redeliver"
	c.Post(again, nil).Refused(http.StatusConflict, "nothing_to_redeliver")
	all := c.Post(endpoints, map[string]any{"url": "https://shop.example/all"}).Text("id")
	other := c.Post(endpoints, map[string]any{"url": "https://shop.example/other", "types": []string{"order.never"}}).Text("id")

	list := c.Post(again, nil).Is(http.StatusAccepted)
	require.Len(t, list.List("data"), 1)
	require.Equal(t, all, list.Text("data.0.endpoint"))
	require.Equal(t, other, c.Post(again+"?endpoint="+other, nil).Is(http.StatusAccepted).Text("data.0.endpoint"))
	require.Equal(t, 2, kicked)
	deliveries := c.Get(endpoints + "/" + all + "/deliveries?state=pending").Is(http.StatusOK)
	require.Equal(t, event["id"], deliveries.Text("data.0.event"))
	require.Equal(t, "payment.paid", deliveries.Text("data.0.type"))
	require.Equal(t, order, deliveries.Text("data.0.order_id"))
	require.Equal(t, 0.0, deliveries.At("data.0.tries"))
	require.Nil(t, deliveries.At("data.0.last_status"))
	require.NotNil(t, deliveries.At("data.0.next_try_at"))
	require.Empty(t, c.Get(endpoints+"/"+all+"/deliveries?state=parked").List("data"))

	stranger, _ := b.Key("other")
	b.As(stranger).Post(again, nil).Refused(http.StatusNotFound, "not_found")
	b.As(stranger).Get(endpoints+"/"+all+"/deliveries").Refused(http.StatusNotFound, "not_found")
	c.Post("/v1/events/evt_nonsense/redeliver", nil).Refused(http.StatusNotFound, "not_found")
	c.Post(again+"?endpoint=whk_nonsense", nil).Refused(http.StatusNotFound, "not_found")
}

// One shape of an event: what is posted is what the API lists.
func TestWhatIsPostedIsWhatTheAPIShows(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.PaidOrder()
	id, err := payment.ParseOrderID(order)
	require.NoError(t, err)
	entries, err := b.Store.Timeline(t.Context(), "demo", id, 200)
	require.NoError(t, err)
	posted := map[string]string{}
	for _, entry := range entries {
		if entry.Event != nil {
			body, err := outbound.EventOf(*entry.Event).Body()
			require.NoError(t, err)
			posted[payment.EventID{Order: id, N: entry.Event.N}.String()] = string(body)
		}
	}
	require.NotEmpty(t, posted)
	require.Eventually(t, func() bool { return len(c.Get("/v1/events?limit=200").List("data")) == len(posted) }, 10*time.Second, 20*time.Millisecond)
	for _, listed := range c.Get("/v1/events?limit=200").List("data") {
		body, err := json.Marshal(listed)
		require.NoError(t, err)
		require.JSONEq(t, string(body), posted[listed.(map[string]any)["id"].(string)])
	}
}
