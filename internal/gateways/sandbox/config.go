package sandbox

import (
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Config is the gateway's part of the settings of an account.
type Config struct {
	BaseURL string          `yaml:"base_url"` // of the simulator, without /sandbox
	Account string          `yaml:"account"`  // the account's id at the simulator
	APIKey  gateways.Secret `yaml:"api_key"`
	// WebhookSecrets verify notifications; several while they are rotated. Without
	// one every notification is refused.
	WebhookSecrets []gateways.Secret `yaml:"webhook_secrets"`
	// Timeout bounds an exchange in total; zero is 15 s.
	Timeout time.Duration `yaml:"timeout"`
	// Finality is how long "no such payment" means nothing; zero is a minute or
	// twice the timeout. It must be longer than a request can be under way.
	Finality time.Duration `yaml:"finality"`
}

const (
	timeoutDefault    = 15 * time.Second
	finalityDefault   = time.Minute
	timeoutMax        = time.Minute
	webhookSecretsMax = 4
)

func (c Config) withDefaults() Config {
	c.BaseURL = strings.TrimRight(c.BaseURL, "/")
	if c.Timeout == 0 {
		c.Timeout = timeoutDefault
	}
	if c.Finality == 0 {
		c.Finality = max(finalityDefault, 2*c.Timeout)
	}
	return c
}

// check names each setting that cannot be right, and no value.
func (c Config) check() error {
	var wrong []error
	report := func(setting, message string) {
		wrong = append(wrong, payment.Invalid(setting, "invalid", message))
	}
	if !validURL(c.BaseURL) {
		report("base_url", "must be an absolute http or https URL without query")
	}
	if !gateways.PlainID(c.Account) {
		report("account", "must be the account's id at the simulator")
	}
	if !gateways.PlainID(c.APIKey.Reveal()) {
		report("api_key", "must be 1 to 255 visible ASCII characters")
	}
	if len(c.WebhookSecrets) > webhookSecretsMax {
		report("webhook_secrets", "are too many")
	}
	for _, s := range c.WebhookSecrets {
		if s == "" {
			report("webhook_secrets", "must not be empty")
		}
	}
	if c.Timeout < 0 || c.Timeout > timeoutMax {
		report("timeout", "must be at most a minute")
	}
	if c.Finality <= c.Timeout {
		report("finality", "must be longer than the timeout")
	}
	return errors.Join(wrong...)
}

func validURL(s string) bool {
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil &&
		u.RawQuery == "" && u.Fragment == ""
}
