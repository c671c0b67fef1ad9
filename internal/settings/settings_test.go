package settings_test

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

const full = `
stores:
  demo:
    title: {env: SHOP_TITLE}
    return_origins: ["https://shop.example", "http://localhost:8080", "http://[::1]:9"]
    stock: {env: SHOP_STOCK}
    mail_from: "Shop <orders@shop.example>"
    accounts:
      main:
        gateway: sandbox
        mode: test
        networks: [203.0.113.0/24, "2001:db8::1"]
        settings:
          base_url: https://psp.example
          api_key: {env: PSP_KEY}
          webhook_secrets: [{env: PSP_HOOK}, {file: /secrets/hook}]
          finality: 10s
          retries: 3
          slots: 7
          regions: {eu: {key: {env: EU_KEY}}}
          currency: JPY
          plain: text
      zero: {gateway: zero}
    methods:
      wallet: {account: main, kind: wallet, position: 2}
      card:
        account: main
        kind: card
        title: Card
        position: 2
        currencies: [EUR, JPY]
        countries: [NL, NO]
        min_total: {EUR: 10.50, JPY: 5}
        max_total: {EUR: "100"}
      free: {account: zero, kind: zero, active: false}
  other: {}
`

func TestGoodSettings(t *testing.T) {
	t.Parallel()
	s := load(t, full)
	sum := sha256.Sum256([]byte(full))
	require.Equal(t, hex.EncodeToString(sum[:]), s.Hash)

	demo := s.Store("demo")
	require.Equal(t, "demo", demo.Name)
	require.Equal(t, "Shop", demo.Title)
	require.Equal(t, []string{"https://shop.example", "http://localhost:8080", "http://[::1]:9"}, demo.ReturnOrigins)
	require.False(t, demo.Stock)
	require.Equal(t, "Shop <orders@shop.example>", demo.MailFrom)

	main := s.Account("demo", "main")
	require.Equal(t, "demo", main.Store)
	require.Equal(t, "sandbox", main.GatewayName)
	require.Equal(t, payment.ModeTest, main.Mode)
	require.Equal(t, []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24"), netip.MustParsePrefix("2001:db8::1/128")}, main.Networks)
	require.Equal(t, payment.ModeLive, s.Account("demo", "zero").Mode)

	var names []string
	for _, m := range demo.Methods {
		names = append(names, m.Name)
	}
	require.Equal(t, []string{"free", "card", "wallet"}, names, "by position, then name")

	card := s.Method("demo", "card")
	require.Same(t, main, card.Account)
	require.Equal(t, "CARD", card.Spec.Title)
	require.Equal(t, "Card", card.Title)
	require.Equal(t, []string{"NL", "NO"}, card.Countries)
	require.Equal(t, "EUR", card.Currencies[0].String())
	require.Equal(t, "10.50", card.MinTotal["EUR"].String())
	require.Equal(t, "5", card.MinTotal["JPY"].String())
	require.Equal(t, "100.00", card.MaxTotal["EUR"].String())
	require.True(t, card.Active)
	require.Equal(t, "WALLET", s.Method("demo", "wallet").Title, "the gateway's own title")
	require.False(t, s.Method("demo", "free").Active)
}

func TestDefaultsOfAStore(t *testing.T) {
	t.Parallel()
	other := load(t, full).Store("other")
	require.Equal(t, "other", other.Title)
	require.True(t, other.Stock)
	require.Empty(t, other.Methods)
}

func TestWhatIsNotThereIsNil(t *testing.T) {
	t.Parallel()
	s := load(t, full)
	require.Nil(t, s.Store("absent"))
	require.Nil(t, s.Account("absent", "main"))
	require.Nil(t, s.Account("demo", "absent"))
	require.Nil(t, s.Method("absent", "card"))
	require.Nil(t, s.Method("demo", "absent"))
}

func TestGatewayGetsItsConfiguration(t *testing.T) {
	t.Parallel()
	config := load(t, full).Account("demo", "main").Gateway.(psp).config
	require.Equal(t, "https://psp.example", config.BaseURL)
	require.Equal(t, canary, config.APIKey.Reveal())
	require.Equal(t, []gateways.Secret{canary, canary}, config.WebhookSecrets)
	require.Equal(t, 10*time.Second, config.Finality)
	require.Equal(t, time.Minute, config.Timeout, "what the file leaves out stays the gateway's default")
	require.True(t, config.Verify)
	require.Equal(t, int8(3), config.Retries)
	require.Equal(t, uint8(7), config.Slots)
	require.Equal(t, canary, config.Regions["eu"].Key.Reveal())
	require.Equal(t, "JPY", config.Currency.String())
	require.Equal(t, "text", config.Plain)
}

func TestNotificationsFindTheirAccountWithoutAStore(t *testing.T) {
	t.Parallel()
	s := load(t, full)
	require.Same(t, s.Account("demo", "main"), s.Receiver("sandbox", "main"))
	require.Nil(t, s.Receiver("other", "main"))
	require.Nil(t, s.Receiver("sandbox", "absent"))
	require.Nil(t, s.Receiver("zero", "zero"), "nothing can notify it")
}

func TestAccountsWithoutNotificationsMayShareAName(t *testing.T) {
	t.Parallel()
	s := load(t, "stores:\n  a: {accounts: {zero: {gateway: zero}}}\n  b: {accounts: {zero: {gateway: zero}}}\n")
	require.NotSame(t, s.Account("a", "zero"), s.Account("b", "zero"))
}

func TestDemo(t *testing.T) {
	t.Parallel()
	s := load(t, string(settings.Demo()))
	gateway := map[string]string{"card": "sandbox", "card-manual": "sandbox", "wallet": "sandbox", "invoice": "offline", "free": "zero", "gift-card": "gift-card"}
	require.Len(t, s.Store("demo").Methods, len(gateway))
	for name, want := range gateway {
		m := s.Method("demo", name)
		require.NotNil(t, m, name)
		require.Equal(t, want, m.Account.GatewayName)
		require.Equal(t, want, m.Account.Name)
		require.True(t, m.Active)
	}
	require.NotNil(t, s.Receiver("sandbox", "sandbox"))
}

func TestDemoCannotBeChangedThroughItsBytes(t *testing.T) {
	t.Parallel()
	settings.Demo()[0] = '!'
	require.NotEqual(t, byte('!'), settings.Demo()[0])
}

func TestExampleLoads(t *testing.T) {
	t.Parallel()
	source, err := os.ReadFile("../../deploy/paysvc.example.yaml")
	require.NoError(t, err)
	s := load(t, string(source))
	require.Equal(t, "500.00", s.Method("lamps", "invoice").MaxTotal["EUR"].String())
	require.Len(t, s.Account("lamps", "lamps-sandbox").Networks, 2)
}

func TestFilesOfOtherSystemsLoad(t *testing.T) {
	t.Parallel()
	for name, source := range map[string]string{
		"CRLF":            "stores:\r\n  a:\r\n    title: A\r\n",
		"byte order mark": "\ufeffstores:\n  a: {title: A}\n",
		"document start":  "# comment\n---\nstores: {a: {title: A}}\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, "A", load(t, source).Store("a").Title)
		})
	}
}

func TestReturnURLsNeedARegisteredOrigin(t *testing.T) {
	t.Parallel()
	st := &settings.Store{ReturnOrigins: []string{"https://shop.example", "http://localhost:8080", "http://[::1]:9", "https://shop.example:8443"}}
	for _, good := range []string{
		"https://shop.example", "https://shop.example/thanks?a=b#c", "https://SHOP.example:443/", "HTTPS://shop.example/x",
		"http://localhost:8080/a", "http://[::1]:9/", "https://shop.example:8443/",
	} {
		require.True(t, st.MayReturnTo(good), good)
	}
	for _, bad := range []string{
		"", "/thanks", "//shop.example/", "http://shop.example/", "https://shop.example.evil.example/", "https://evil.example/https://shop.example",
		"https://shop.example@evil.example/", "https://user@shop.example/", "https://shop.example:8444/", "https://shop.example:/", "http://localhost/",
		"https:shop.example", "https:/shop.example", "javascript:alert(1)", "https://evil.example\\@shop.example/", "https://shop.example\\.evil.example/", "https://shop.example/\\evil.example",
		"https://shop.example/\n", " https://shop.example/", "https://shop.exämple/", "https://shop%2eexample/", "https://sub.shop.example/", "https://shop.example./",
		"https://", "https://:443/", "http://[::1%25lo]:9/",
	} {
		require.False(t, st.MayReturnTo(bad), bad)
	}
}
