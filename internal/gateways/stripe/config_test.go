package stripe_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/stripe"
	"github.com/paysvc/paysvc/internal/payment"
)

func TestSettings(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		mode    payment.Mode
		change  func(*stripe.Config)
		setting string // "" for one that is right
	}{
		"right":                   {payment.ModeTest, func(*stripe.Config) {}, ""},
		"restricted":              {payment.ModeTest, func(c *stripe.Config) { c.SecretKey = "rk_test_1" }, ""},
		"live":                    {payment.ModeLive, func(c *stripe.Config) { c.SecretKey, c.PublishableKey = "sk_live_1", "pk_live_1" }, ""},
		"test key for live":       {payment.ModeLive, func(c *stripe.Config) { c.PublishableKey = "pk_live_1" }, "secret_key"},
		"live key for test":       {payment.ModeTest, func(c *stripe.Config) { c.SecretKey = "sk_live_1" }, "secret_key"},
		"live page for test":      {payment.ModeTest, func(c *stripe.Config) { c.PublishableKey = "pk_live_1" }, "publishable_key"},
		"keys mixed up":           {payment.ModeTest, func(c *stripe.Config) { c.SecretKey = publishableKey }, "secret_key"},
		"secret key on the page":  {payment.ModeTest, func(c *stripe.Config) { c.PublishableKey = "sk_test_1" }, "publishable_key"},
		"no key":                  {payment.ModeTest, func(c *stripe.Config) { c.SecretKey = "" }, "secret_key"},
		"half a key":              {payment.ModeTest, func(c *stripe.Config) { c.SecretKey = "sk_test_" }, "secret_key"},
		"key with a line end":     {payment.ModeTest, func(c *stripe.Config) { c.SecretKey = "sk_test_1\n" }, "secret_key"},
		"no webhook secret":       {payment.ModeTest, func(c *stripe.Config) { c.WebhookSecrets = nil }, ""},
		"empty webhook secret":    {payment.ModeTest, func(c *stripe.Config) { c.WebhookSecrets = []gateways.Secret{""} }, "webhook_secrets"},
		"endpoint for a secret":   {payment.ModeTest, func(c *stripe.Config) { c.WebhookSecrets[0] = "we_1" }, "webhook_secrets"},
		"key for a secret":        {payment.ModeTest, func(c *stripe.Config) { c.WebhookSecrets[0] = c.SecretKey }, "webhook_secrets"},
		"many webhook secrets":    {payment.ModeTest, func(c *stripe.Config) { c.WebhookSecrets = make([]gateways.Secret, 5) }, "webhook_secrets"},
		"no scheme":               {payment.ModeTest, func(c *stripe.Config) { c.BaseURL = "api.stripe.com" }, "base_url"},
		"plain for test":          {payment.ModeTest, func(c *stripe.Config) { c.BaseURL = "http://127.0.0.1:12111/" }, ""},
		"plain for live":          {payment.ModeLive, func(c *stripe.Config) { c.BaseURL = "http://api.stripe.com" }, "base_url"},
		"with a user":             {payment.ModeTest, func(c *stripe.Config) { c.BaseURL = "https://a:b@api.stripe.com" }, "base_url"},
		"suffix":                  {payment.ModeTest, func(c *stripe.Config) { c.StatementDescriptorSuffix = "LAMPS 24" }, ""},
		"suffix without a letter": {payment.ModeTest, func(c *stripe.Config) { c.StatementDescriptorSuffix = "24" }, "statement_descriptor_suffix"},
		"suffix with a star":      {payment.ModeTest, func(c *stripe.Config) { c.StatementDescriptorSuffix = "LAMPS*24" }, "statement_descriptor_suffix"},
		"long suffix":             {payment.ModeTest, func(c *stripe.Config) { c.StatementDescriptorSuffix = strings.Repeat("A", 23) }, "statement_descriptor_suffix"},
		"method types":            {payment.ModeTest, func(c *stripe.Config) { c.PaymentMethodTypes = []string{"card", "sepa_debit"} }, ""},
		"odd method type":         {payment.ModeTest, func(c *stripe.Config) { c.PaymentMethodTypes = []string{"Card"} }, "payment_method_types"},
		"endless":                 {payment.ModeTest, func(c *stripe.Config) { c.Timeout = 2 * time.Minute }, "timeout"},
		"backwards":               {payment.ModeTest, func(c *stripe.Config) { c.Timeout = -1 }, "timeout"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			config := stripe.Config{SecretKey: "sk_test_1", PublishableKey: publishableKey, WebhookSecrets: []gateways.Secret{webhookSecret}}
			c.change(&config)
			d := deps(nil)
			d.Mode = c.mode
			_, err := stripe.New(config, d)
			if c.setting == "" {
				require.NoError(t, err)
				return
			}
			require.Error(t, err)
			wrong := []string{}
			for _, e := range err.(interface{ Unwrap() []error }).Unwrap() {
				one, ok := errors.AsType[*payment.Error](e)
				require.True(t, ok, e)
				require.Equal(t, payment.KindInvalid, one.Kind)
				wrong = append(wrong, one.Fields[0].Field)
			}
			require.Contains(t, wrong, c.setting)
			require.NotContains(t, err.Error(), "_1", "no value of a setting")
		})
	}
}

func TestSettingsReachStripe(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"checkout", "card"} {
		s := newShop(t, method)
		s.stripe.noSearch = true
		g := open(t, s.stripe, func(c *stripe.Config) {
			c.StatementDescriptorSuffix, c.PaymentMethodTypes = "LAMPS", []string{"card", "ideal"}
		})
		g.Pay(t.Context(), s.request)
		form := s.stripe.keys[s.reference].form
		require.Contains(t, form, "LAMPS")
		require.Equal(t, method == "checkout", strings.Contains(form, "ideal"), "card is card")
	}
}
