package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/internal/store"
)

// An operator who has set no PAYSVC_SECRET_KEY is told so, and no shopper's code is
// called wrong. The order can be paid otherwise.
func TestWithoutAKeyThereAreNoGiftCards(t *testing.T) {
	t.Parallel()
	database := pgtest.Database(t)
	keyless, err := store.Open(t.Context(), database, store.Options{ConnectionsMax: 2})
	require.NoError(t, err)
	t.Cleanup(keyless.Close)
	b := bootOn(t, database, func(d *api.Deps) { d.Books.GiftCards = keyless })
	b.cards = keyless
	c := b.Client()
	a := c.Post("/v1/gift-cards", map[string]any{"amount": "50.00", "currency": "EUR"}).
		Refused(http.StatusServiceUnavailable, "gift_cards_not_configured")
	require.Contains(t, a.Text("detail"), "PAYSVC_SECRET_KEY")
	require.Equal(t, "no", a.Text("money_moved"))
	code := b.ids.GiftCardCode().Reveal()
	c.Post("/v1/gift-cards/balance", map[string]any{"code": code}).
		Refused(http.StatusServiceUnavailable, "gift_cards_not_configured")
	order := c.Order()
	a = c.Pay(order, "gift-card", map[string]any{"code": code}).Refused(http.StatusServiceUnavailable, "gateway_unavailable")
	require.Equal(t, "gift_cards_unavailable", a.Text("reason.code"))
	require.Equal(t, "no", a.Text("money_moved"))
	require.Contains(t, b.Log.String(), "PAYSVC_SECRET_KEY")
	require.NotContains(t, b.Log.String(), code)
	require.Empty(t, c.Get("/v1/gift-cards").Is(http.StatusOK).List("data"))
	require.Equal(t, "paid", c.Pay(order, "card", nil).Is(http.StatusOK).Text("order.payment_status"))
}
