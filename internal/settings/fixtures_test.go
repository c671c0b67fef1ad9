package settings_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// canary is the value of every secret in these tests. It has not the shape of a
// name, which problems may repeat.
const canary = "canary-7F3a9c-secret"

// described is a gateway that only says what it offers.
type described struct{ kinds []string }

func (d described) Describe() gateways.Description {
	methods := map[string]gateways.Method{}
	for _, kind := range d.kinds {
		methods[kind] = gateways.Method{Title: strings.ToUpper(kind)}
	}
	return gateways.Description{Methods: methods}
}

// psp is a gateway that receives notifications, as the sandbox does.
type psp struct {
	described
	config pspConfig
}

func (psp) ReadNotification(context.Context, payment.RawNotification) (gateways.Notice, error) {
	return gateways.Notice{}, nil
}

type pspConfig struct {
	BaseURL        string            `yaml:"base_url"`
	Account        string            `yaml:"account"`
	APIKey         gateways.Secret   `yaml:"api_key"`
	WebhookSecrets []gateways.Secret `yaml:"webhook_secrets"`
	Timeout        time.Duration     `yaml:"timeout"`
	Finality       time.Duration     `yaml:"finality"`
	Retries        int8              `yaml:"retries"`
	Slots          uint8             `yaml:"slots"`
	Verify         bool              `yaml:"verify"`
	Regions        map[string]region `yaml:"regions"`
	Currency       *currency         `yaml:"currency"`
	Plain          string
	Skipped        string `yaml:"-"`
}

type region struct {
	Key gateways.Secret `yaml:"key"`
}

// currency reads itself, as configuration types of a gateway may.
type currency struct{ payment.Currency }

func (c *currency) UnmarshalText(b []byte) (err error) {
	if string(b) == "fail" {
		return fmt.Errorf("cannot read %q", b)
	}
	c.Currency, err = payment.ParseCurrency(string(b))
	return err
}

// decider is a gateway without a PSP.
type decider struct{ described }

func (decider) Decide(payment.PayRequest) payment.Fact { return payment.Fact{} }

func open(gateway string, _ payment.Mode, _ string, decode func(any) error) (gateways.Gateway, error) {
	switch gateway {
	case "sandbox":
		config := pspConfig{Timeout: time.Minute, Verify: true}
		if err := decode(&config); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
		if err := checked(config); err != nil {
			return nil, fmt.Errorf("sandbox: %w", err)
		}
		return psp{described{[]string{"card", "card-manual", "wallet"}}, config}, nil
	case "offline":
		var config map[string]map[string]string
		return decider{described{[]string{"invoice", "purchase-order-number"}}}, decode(&config)
	case "later":
		return waiting{decider{described{[]string{"invoice"}}}}, nil
	case "zero", "gift-card":
		return decider{described{[]string{gateway}}}, nil
	case "odd":
		var config struct {
			Rate float64 `yaml:"rate"`
		}
		return nil, decode(&config)
	}
	return nil, errors.New("there is no such gateway")
}

func checked(c pspConfig) error {
	var wrong []error
	if c.APIKey == "" {
		wrong = append(wrong, payment.Invalid("api_key", "required", "must not be empty"))
	}
	for i, s := range c.WebhookSecrets {
		if len(s) < 8 {
			wrong = append(wrong, payment.Invalid(fmt.Sprintf("webhook_secrets[%d]", i), "short", "is too short"))
		}
	}
	if _, err := url.Parse(c.BaseURL); err != nil {
		wrong = append(wrong, err) // repeats the URL
	}
	return errors.Join(wrong...)
}

// deps is an environment in which every variable and file is there, but those
// that are named for being bad.
func deps() settings.Deps {
	return settings.Deps{
		Open: open, Pipelines: pipelines(),
		LookupEnv: func(name string) (string, bool) {
			switch name {
			case "UNSET_KEY", canary, "lower":
				return "", false
			case "EMPTY_KEY":
				return "", true
			case "SHORT_KEY":
				return "k", true
			case "BAD_URL":
				return "http://" + canary + "/%zz", true
			case "SHOP_TITLE":
				return "Shop", true
			case "SHOP_STOCK":
				return "false", true
			case "NOT_TEXT":
				return "\xff" + canary, true
			case "HUGE":
				return strings.Repeat(canary, 10_000), true
			}
			return canary, true
		},
		ReadFile: func(path string) ([]byte, error) {
			switch path {
			case "/absent", canary:
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
			case "/forbidden":
				return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrPermission}
			case "/broken":
				return nil, errors.New("input/output error at " + canary)
			case "/empty":
				return []byte("\n"), nil
			}
			return []byte(canary + "\r\n"), nil
		},
	}
}

// load loads a file that must be good.
func load(t *testing.T, source string) *settings.Settings {
	t.Helper()
	s, err := settings.Load("paysvc.yaml", []byte(source), deps())
	require.NoError(t, err)
	return s
}

// problems loads a file that must be bad.
func problems(t *testing.T, source string) []string {
	t.Helper()
	s, err := settings.Load("paysvc.yaml", []byte(source), deps())
	require.Nil(t, s)
	var all settings.Problems
	require.ErrorAs(t, err, &all)
	require.NotContains(t, err.Error(), canary)
	lines := make([]string, len(all))
	for i, p := range all {
		lines[i] = p.String()
	}
	return lines
}
