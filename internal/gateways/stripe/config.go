package stripe

import (
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Config is the gateway's part of the settings of an account.
type Config struct {
	// SecretKey is a secret or restricted key: sk_test_…, sk_live_…, rk_….
	SecretKey gateways.Secret `yaml:"secret_key"`
	// PublishableKey is shown to the shopper's browser: pk_test_… or pk_live_….
	PublishableKey string `yaml:"publishable_key"`
	// WebhookSecrets verify notifications; several while they are rotated. Without
	// one every notification is refused.
	WebhookSecrets []gateways.Secret `yaml:"webhook_secrets"`
	// BaseURL is where the API is; empty is Stripe's own.
	BaseURL string `yaml:"base_url"`
	// StatementDescriptorSuffix follows the account's prefix on the shopper's card
	// statement; empty leaves it to Stripe.
	StatementDescriptorSuffix string `yaml:"statement_descriptor_suffix"`
	// PaymentMethodTypes are those that Checkout offers; empty are those that are
	// enabled in Stripe's dashboard.
	PaymentMethodTypes []string `yaml:"payment_method_types"`
	// IncrementalAuthorization asks for the right to increase what is reserved. Only
	// accounts for which Stripe has enabled it may ask.
	IncrementalAuthorization bool `yaml:"incremental_authorization"`
	// Timeout bounds an exchange in total; zero is 15 s.
	Timeout time.Duration `yaml:"timeout"`
}

const (
	baseURLDefault    = "https://api.stripe.com"
	timeoutDefault    = 15 * time.Second
	timeoutMax        = time.Minute
	webhookSecretsMax = 4
	suffixMaxBytes    = 22
	methodTypesMax    = 20
)

func (c Config) withDefaults() Config {
	if c.BaseURL == "" {
		c.BaseURL = baseURLDefault
	}
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Timeout == 0 {
		c.Timeout = timeoutDefault
	}
	return c
}

// check names each setting that cannot be right, and no value.
func (c Config) check(mode payment.Mode) error {
	var wrong []error
	report := func(ok bool, setting, message string) {
		if !ok {
			wrong = append(wrong, payment.Invalid(setting, "invalid", message))
		}
	}
	report(keyOf(c.SecretKey.Reveal(), mode, "sk", "rk"), "secret_key",
		"must be a secret or restricted key of the account's mode: sk_test_… or rk_test_… for test, sk_live_… or rk_live_… for live")
	report(keyOf(c.PublishableKey, mode, "pk"), "publishable_key",
		"must be the publishable key of the account's mode: pk_test_… or pk_live_…")
	report(len(c.WebhookSecrets) <= webhookSecretsMax, "webhook_secrets", "are too many")
	report(!slices.Contains(c.WebhookSecrets, ""), "webhook_secrets", "must not be empty")
	report(!slices.ContainsFunc(c.WebhookSecrets, somethingElse), "webhook_secrets",
		"must be signing secrets, whsec_…: no API key and no endpoint's id")
	report(validBase(c.BaseURL, mode), "base_url", "must be an absolute URL without query, https for live")
	report(validSuffix(c.StatementDescriptorSuffix), "statement_descriptor_suffix",
		`must be at most 22 ASCII characters with a letter among them and none of < > \ ' " *`)
	report(len(c.PaymentMethodTypes) <= methodTypesMax && !slices.ContainsFunc(c.PaymentMethodTypes, notAWord),
		"payment_method_types", "must be names of Stripe's such as card or sepa_debit")
	report(c.Timeout > 0 && c.Timeout <= timeoutMax, "timeout", "must be at most a minute")
	return errors.Join(wrong...)
}

// keyOf tells whether a key has one of the prefixes and is of the mode. Play money
// must not be taken for real money because somebody mixed up two keys.
func keyOf(key string, mode payment.Mode, prefixes ...string) bool {
	kind, rest, _ := strings.Cut(key, "_")
	of, id, _ := strings.Cut(rest, "_")
	return gateways.PlainID(key) && slices.Contains(prefixes, kind) && of == string(mode) && id != ""
}

// somethingElse tells whether what stands in place of a signing secret is one of
// the other strings on Stripe's page. It would refuse every notification.
func somethingElse(secret gateways.Secret) bool {
	kind, _, _ := strings.Cut(secret.Reveal(), "_")
	return slices.Contains([]string{"we", "sk", "rk", "pk"}, kind)
}

func validBase(s string, mode payment.Mode) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http" && mode != payment.ModeLive) && u.Host != "" &&
		u.User == nil && u.RawQuery == "" && u.Fragment == ""
}

func validSuffix(s string) bool {
	if s == "" {
		return true
	}
	letters := false
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
		letter := s[i] | 0x20
		letters = letters || letter >= 'a' && letter <= 'z'
	}
	return letters && len(s) <= suffixMaxBytes && strings.TrimSpace(s) == s && !strings.ContainsAny(s, `<>\'"*`)
}

func notAWord(s string) bool {
	return s == "" || len(s) > suffixMaxBytes*2 || strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789_") != ""
}
