package simulation

import (
	"io"
	"net/http"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/catalog"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// What the PSP and the service know of each other.
const (
	pspURL        = "http://psp.example"
	ourURL        = "http://pay.example"
	webhookSecret = "webhook-secret"
	storeName     = "shop"
	cardSecret    = "what the codes of gift cards are hashed with"
	// pspTimeout is how long we wait for the PSP, and finality how long a request
	// may be under way to it.
	pspTimeout = 10 * time.Second
	finality   = time.Minute
)

// settingsSource has two accounts at the PSP, so that one can be taken for the
// other, and the gateways that need none.
const settingsSource = `stores:
  shop:
    title: Shop
    return_origins: [https://shop.example]
    mail_from: Shop <orders@shop.example>
    accounts:
      psp:
        gateway: sandbox
        mode: test
        settings: {base_url: http://psp.example, account: one, api_key: {env: KEY_ONE}, webhook_secrets: [{env: SECRET}], timeout: 10s, finality: 60s}
      psp-two:
        gateway: sandbox
        mode: test
        settings: {base_url: http://psp.example, account: two, api_key: {env: KEY_TWO}, webhook_secrets: [{env: SECRET}], timeout: 10s, finality: 60s}
      offline:
        gateway: offline
        mode: test
        settings: {invoice: {mode_on_order: pending, instructions: "Pay with {number}."}}
      zero:
        gateway: zero
        mode: test
      gift-card:
        gateway: gift-card
        mode: test
    methods:
      card: {account: psp, kind: card}
      card-two: {account: psp-two, kind: card}
      card-manual: {account: psp, kind: card-manual}
      wallet: {account: psp, kind: wallet}
      invoice: {account: offline, kind: invoice}
      free: {account: zero, kind: zero}
      gift-card: {account: gift-card, kind: gift-card}
`

// load makes the settings of an instance, whose requests to the PSP go over its
// own network, and those to gift cards its own way.
func load(way http.RoundTripper, cards gateways.GiftCards) (*settings.Settings, error) {
	environment := map[string]string{"KEY_ONE": "key-one", "KEY_TWO": "key-two", "SECRET": webhookSecret}
	return settings.Load("simulation.yaml", []byte(settingsSource), settings.Deps{
		Open: func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error) {
			return catalog.Open(gateway, gateways.Deps{
				Account: account, Mode: mode, Now: time.Now, Log: zerolog.Nop(),
				Transport: func(string, string) http.RoundTripper { return way },
				GiftCards: func() gateways.GiftCards { return cards },
			}, decode)
		},
		LookupEnv: func(name string) (string, bool) { value, ok := environment[name]; return value, ok },
		ReadFile:  func(string) ([]byte, error) { return nil, io.ErrUnexpectedEOF },
		Pipelines: moments.PipelineSettings(steps.Makers(steps.MakerDeps{})),
	})
}
