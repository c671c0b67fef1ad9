package jobs_test

import (
	"context"
	"encoding/json"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

// storefront makes demo carry out stock and promotions itself.
func storefront(d *jobs.Deps) {
	d.Out.Storefronts = func() map[string]jobs.Storefront {
		return map[string]jobs.Storefront{"demo": {
			URL: "https://shop.example/commands", Secrets: []string{"whsec_of_the_settings"},
			Kinds: []payment.EffectKind{payment.DeductStock, payment.TrackPromotionCode},
		}}
	}
}

// shelf is an order with an article of it.
type shelf struct{}

func (shelf) ReadOrder(context.Context, string, payment.OrderID) (*payment.Order, error) {
	return &payment.Order{Details: payment.Details{Lines: []payment.Line{{SKU: "A-1", Quantity: 2}, {Name: "Wrapping", Quantity: 1}}}}, nil
}

func TestEffectsOfAStorefrontAreCommands(t *testing.T) {
	t.Parallel()
	b := &books{effects: []payment.DueEffect{
		{Store: "demo", Key: "deduct_stock", Kind: payment.DeductStock},
		{Store: "demo", Key: "delete_basket:b-9", Kind: payment.DeleteBasket},
		{Store: "other", Key: "deduct_stock", Kind: payment.DeductStock},
	}}
	o, _, j := sending(t, 0, nil, storefront, func(d *jobs.Deps) { d.Effects = b })
	require.NoError(t, j.Sweep(t.Context(), "effects"))
	require.Equal(t, []string{"staged deduct_stock"}, o.commands)
	require.Equal(t, []string{"postponed deduct_stock", "applied delete_basket:b-9", "applied deduct_stock"}, b.done())

	require.NoError(t, j.Pump(t.Context()))
	require.Equal(t, map[string][]string{"demo": {"stock.deduct", "stock.restore", "promotion.track", "promotion.untrack"}, "gone": nil}, o.types)
	o.types = map[string][]string{}
	require.NoError(t, j.Pump(t.Context()))
	require.Empty(t, o.types, "the settings say nothing new")
}

func TestACommandSaysWhatTheShopNeeds(t *testing.T) {
	t.Parallel()
	o, r, j := sending(t, 3, status(http.StatusOK), storefront)
	o.endpoint = payment.Endpoint{Store: "demo"}
	for i, e := range []struct{ name, effect string }{
		{"stock.deduct", "deduct_stock"}, {"promotion.track", "track_promotion_code:SUM:MER"}, {"basket.delete", "delete_basket:b-9"},
	} {
		o.deliveries[i].Event.Type, o.deliveries[i].Event.Effect, o.deliveries[i].Endpoint = e.name, e.effect, payment.Storefront
	}
	j.Round(t.Context(), payment.Target{Store: "demo"})
	require.ElementsMatch(t, []string{
		"delivered demo deduct_stock", "delivered demo track_promotion_code:SUM:MER", "delivered demo delete_basket:b-9",
	}, o.commands)
	data := map[string]any{}
	for _, m := range r.posted {
		require.Equal(t, "https://shop.example/commands", m.URL)
		require.Equal(t, []string{"whsec_of_the_settings"}, m.Secrets)
		var body map[string]any
		require.NoError(t, json.Unmarshal(m.Body, &body))
		require.Equal(t, "10001", body["number"])
		data[body["type"].(string)] = body["data"]
	}
	require.Equal(t, map[string]any{
		"stock.deduct":    map[string]any{"effect": "deduct_stock", "lines": []any{map[string]any{"sku": "A-1", "quantity": 2.0}}},
		"promotion.track": map[string]any{"effect": "track_promotion_code:SUM:MER", "code": "SUM:MER"},
		"basket.delete":   map[string]any{"effect": "delete_basket:b-9", "basket_id": "b-9"},
	}, data)
}

func TestAStorefrontThatSaysGoneIsTriedAgain(t *testing.T) {
	t.Parallel()
	o, _, j := sending(t, 1, func(outbound.Message) (outbound.Answer, error) {
		return outbound.Answer{Status: http.StatusGone}, nil
	}, storefront)
	o.endpoint = payment.Endpoint{Store: "demo"}
	o.deliveries[0].Event.Effect = "deduct_stock"
	j.Round(t.Context(), payment.Target{Store: "demo"})
	require.Equal(t, []string{"pending demo deduct_stock"}, o.commands)
	require.Empty(t, o.health[len(o.health)-1].Disable)
}
