package settings_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// effectsOf reads the effects of a store whose settings have these lines.
func effectsOf(t *testing.T, lines string) (settings.Effects, error) {
	t.Helper()
	d := settings.Deps{
		LookupEnv: func(name string) (string, bool) {
			return map[string]string{"SHOP_SECRET": "whsec_good", "SHOP_OLD": "whsec_old", "SHOP_BAD": "canary-bad"}[name], name != "SHOP_NONE"
		},
		ReadFile: func(string) ([]byte, error) { return nil, errors.New("there are no files") },
		CheckURL: func(url string) error {
			if !strings.HasPrefix(url, "https://") {
				return errors.New("must begin with https://")
			}
			return nil
		},
		CheckSecret: func(secret string) error {
			if !strings.HasPrefix(secret, "whsec_") {
				return errors.New("must be whsec_ and more")
			}
			return nil
		},
	}
	loaded, err := settings.Load("paysvc.yaml", []byte("stores:\n  demo:\n"+lines), d)
	if err != nil {
		return settings.Effects{}, err
	}
	return loaded.Store("demo").Effects, nil
}

func TestEffectsAreOursUnlessTheStoreTakesThem(t *testing.T) {
	t.Parallel()
	for _, ours := range []string{
		"    title: x\n", "    effects: internal\n", "    effects: {}\n", "    effects: {stock: internal, basket: internal}\n",
	} {
		e, err := effectsOf(t, ours)
		require.NoError(t, err, ours)
		require.Empty(t, e.Storefront, ours)
	}
	e, err := effectsOf(t, `    effects:
      stock: storefront
      promotions: internal
      basket: storefront
      url: https://shop.example/commands
      secret: {env: SHOP_SECRET}
`)
	require.NoError(t, err)
	require.Equal(t, []payment.EffectKind{payment.DeductStock, payment.DeleteBasket}, e.Storefront)
	require.Equal(t, "https://shop.example/commands", e.URL)
	require.Len(t, e.Secrets, 1)
	require.Equal(t, "whsec_good", e.Secrets[0].Reveal())

	e, err = effectsOf(t, `    effects:
      promotions: storefront
      url: https://shop.example/commands
      secret: [{env: SHOP_SECRET}, {env: SHOP_OLD}]
`)
	require.NoError(t, err)
	require.Len(t, e.Secrets, 2)
}

func TestEffectsThatCannotBeAreReported(t *testing.T) {
	t.Parallel()
	for lines, want := range map[string]string{
		"    effects: storefront\n":                                                                   "stores.demo.effects: must be the word internal, or keys with values",
		"    effects: [stock]\n":                                                                      "stores.demo.effects: must be the word internal, or keys with values",
		"    effects: {mail: internal}\n":                                                             "stores.demo.effects.mail: unknown key",
		"    effects: {stock: canary}\n":                                                              "stores.demo.effects.stock: must be internal or storefront",
		"    effects: {stock: true}\n":                                                                "stores.demo.effects.stock: must be internal or storefront",
		"    effects: {stock: storefront, secret: {env: SHOP_SECRET}}\n":                              "stores.demo.effects: needs the key url",
		"    effects: {stock: storefront, url: 'https://shop.example'}\n":                             "stores.demo.effects: needs the key secret",
		"    effects: {stock: storefront, url: 'http://canary', secret: {env: SHOP_SECRET}}\n":        "stores.demo.effects.url: must begin with https://",
		"    effects: {stock: storefront, url: 'https://shop.example', secret: whsec_canary}\n":       "stores.demo.effects.secret: a secret stands here only as {env: NAME} or {file: path}",
		"    effects: {stock: storefront, url: 'https://shop.example', secret: []}\n":                 "stores.demo.effects.secret: must be a secret, or a list of 1 to 3",
		"    effects: {stock: storefront, url: 'https://shop.example', secret: {env: SHOP_NONE}}\n":   "stores.demo.effects.secret: the environment variable SHOP_NONE is not set",
		"    effects: {stock: storefront, url: 'https://shop.example', secret: [{env: SHOP_BAD}]}\n":  "stores.demo.effects.secret[0]: must be whsec_ and more",
		"    effects: {stock: storefront, url: 'https://shop.example', secret: {file: /canary/path}}": "stores.demo.effects.secret: the file cannot be read",
	} {
		_, err := effectsOf(t, lines)
		require.ErrorContains(t, err, want, lines)
		require.NotContains(t, err.Error(), "canary")
	}
}
