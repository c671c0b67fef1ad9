package api_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/payment"
)

// Whoever can make a shop create orders had ten tries with each.
func TestCodesAreNotGuessedOverManyOrders(t *testing.T) {
	t.Parallel()
	b := boot(t, func(d *api.Deps) { d.TrustedProxies = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
	shop, browser := b.Client(), b.As(b.PublishableKey("demo"))
	_, code := shop.GiftCard(map[string]any{"code": "6006491260"})
	order := func() func(code, from string) *answer {
		made := shop.Post("/v1/orders", orderOf()).Is(http.StatusCreated)
		return func(code, from string) *answer {
			return browser.Pay(made.Text("id"), "gift-card", map[string]any{"code": code},
				"X-Order-Token", made.Text("client_token"), "X-Forwarded-For", from)
		}
	}
	const thief, shopper = "203.0.113.7", "203.0.113.8"
	for range 5 {
		pay := order()
		for range 10 {
			a := pay("6006491261", thief).Refused(http.StatusPaymentRequired, "payment_declined")
			require.Equal(t, "gift_card_invalid", a.Text("reason.code"))
		}
	}
	pay := order()
	a := pay(code, thief).Refused(http.StatusPaymentRequired, "payment_declined")
	require.Equal(t, "too_many_attempts", a.Text("reason.code"), "the right one is not told from a wrong one")
	require.Equal(t, "no", a.Text("money_moved"))
	require.NotContains(t, string(a.Body), "6006491260")
	require.NotContains(t, string(a.Body), thief)
	require.Equal(t, "paid", order()(code, shopper).Is(http.StatusOK).Text("order.payment_status"), "nobody else minds")
	a = shop.Pay(shop.Order(), "gift-card", map[string]any{"code": code}, "X-Forwarded-For", thief).Refused(http.StatusPaymentRequired, "payment_declined")
	require.Equal(t, "insufficient_funds", a.Text("reason.code"), "the address of the shop's own server is not the shopper's")

	b.Clock.Advance(2 * time.Hour)
	a = order()(code, thief).Refused(http.StatusPaymentRequired, "payment_declined")
	require.Equal(t, "insufficient_funds", a.Text("reason.code"), "it is looked up again")
	require.Equal(t, 1, strings.Count(b.Log.String(), "are being guessed"))
	for line := range strings.Lines(b.Log.String()) {
		require.False(t, strings.Contains(line, "guessed") && strings.Contains(line, "203.0.113"), line)
	}
}

// Balances had no bound but that of the key.
func TestCodesAreNotGuessedByTheirBalances(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	_, code := c.GiftCard(nil)
	none, ok := payment.ParseGiftCardCode("6006491261")
	require.True(t, ok)
	for range 999 {
		_, err := b.guard.GiftCardByCode(t.Context(), payment.GiftCardLookup{Store: "demo", Code: none})
		require.ErrorIs(t, err, payment.ErrGiftCardNotFound)
	}
	ask := map[string]any{"code": code}
	c.Post("/v1/gift-cards/balance", ask).Is(http.StatusOK)
	c.Post("/v1/gift-cards/balance", map[string]any{"code": "6006491261"}).Refused(http.StatusNotFound, "not_found")
	a := c.Post("/v1/gift-cards/balance", ask).Refused(http.StatusTooManyRequests, "too_many_attempts")
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	require.NotContains(t, string(a.Body), code)
	order := c.Order()
	a = c.Pay(order, "gift-card", ask).Refused(http.StatusPaymentRequired, "payment_declined")
	require.Equal(t, "too_many_attempts", a.Text("reason.code"))
	require.Equal(t, "paid", c.Pay(order, "card", nil).Is(http.StatusOK).Text("order.payment_status"), "it is paid otherwise")

	b.Clock.Advance(2 * time.Hour)
	c.Post("/v1/gift-cards/balance", ask).Is(http.StatusOK)
}
