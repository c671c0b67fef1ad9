package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/kelseyhightower/envconfig"
	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/outbound"
)

// config is the configuration of the process. Stores are configured by the
// settings file.
type config struct {
	Listen              string          `default:":8080" desc:"address to serve on (dev: 127.0.0.1:8080)"`
	DatabaseURL         gateways.Secret `split_words:"true" desc:"PostgreSQL to keep everything in (dev: one of its own)"`
	DatabaseConnections int             `split_words:"true" default:"32" desc:"most connections to the database"`
	PublicURL           string          `split_words:"true" desc:"where shoppers and PSPs reach the service, e.g. https://pay.example.org"`
	Settings            string          `default:"paysvc.yaml" desc:"path of the settings: stores, accounts, methods (dev: demo settings)"`
	Env                 string          `default:"production" desc:"production or development; dev refuses production when it is set"`
	LogLevel            string          `split_words:"true" default:"info" desc:"debug, info, warn or error"`
	TrustedProxies      []string        `split_words:"true" desc:"networks whose X-Forwarded-For is believed, e.g. 10.0.0.0/8,192.168.0.0/16"`
	OutboundNetworks    []string        `split_words:"true" desc:"networks that are not public and that URLs of stores may lead to, e.g. 10.1.0.0/16 (dev: loopback)"`
	SecretKey           gateways.Secret `split_words:"true" desc:"base64 of at least 32 random bytes, from which the secrets of webhooks and the key of gift cards are derived; while one replaces another several by commas, the newest first (dev: one of its own)"`
	RatePerIP           int             `split_words:"true" default:"6000" desc:"requests a minute from one address, 0 for no limit (dev: none)"`
	RatePerKey          int             `split_words:"true" default:"60000" desc:"requests a minute with one API key, 0 for no limit"`
	SMTPURL             gateways.Secret `envconfig:"SMTP_URL" desc:"mail server, e.g. smtp://user:password@host:587"`
	MailFolder          string          `split_words:"true" default:"mails" desc:"folder that order mails are written to without a mail server"`
	MailTemplates       string          `split_words:"true" desc:"folder of templates of your own for order mails"`
	DrainSeconds        int             `split_words:"true" default:"25" desc:"how long requests may finish when the service stops"`
	PostgresBin         string          `split_words:"true" desc:"folder of the PostgreSQL programs that dev uses (found by itself)"`
	DevFolder           string          `split_words:"true" default:".dev" desc:"folder of dev's database, ledger and mails"`

	trusted  []netip.Prefix
	outbound []netip.Prefix
	secrets  outbound.Secrets
	level    zerolog.Level
}

const prefix = "paysvc"

// readConfig reads the environment and reports every problem at once.
func readConfig() (*config, error) {
	var c config
	if err := envconfig.Process(prefix, &c); err != nil {
		return nil, fmt.Errorf("environment: %w", unquoted(err))
	}
	var problems []error
	networks := func(variable string, listed []string) (networks []netip.Prefix) {
		for _, network := range listed {
			p, err := netip.ParsePrefix(strings.TrimSpace(network))
			if err != nil {
				problems = append(problems, fmt.Errorf("%s: must be networks such as 10.0.0.0/8", variable))
				continue
			}
			networks = append(networks, p)
		}
		return networks
	}
	c.trusted = networks("PAYSVC_TRUSTED_PROXIES", c.TrustedProxies)
	c.outbound = networks("PAYSVC_OUTBOUND_NETWORKS", c.OutboundNetworks)
	var err error
	if c.secrets, err = outbound.ParseSecrets(c.SecretKey.Reveal()); err != nil {
		problems = append(problems, fmt.Errorf("PAYSVC_SECRET_KEY: %w", err))
	}
	level, err := zerolog.ParseLevel(c.LogLevel)
	if err != nil {
		problems = append(problems, errors.New("PAYSVC_LOG_LEVEL: must be debug, info, warn or error"))
	}
	c.level = level
	if c.DatabaseConnections < 2 || c.DatabaseConnections > 1000 {
		problems = append(problems, errors.New("PAYSVC_DATABASE_CONNECTIONS: must be 2 to 1000"))
	}
	if c.DrainSeconds < 0 || c.RatePerIP < 0 || c.RatePerKey < 0 {
		problems = append(problems, errors.New("PAYSVC_DRAIN_SECONDS, PAYSVC_RATE_PER_IP, PAYSVC_RATE_PER_KEY: must not be negative"))
	}
	return &c, errors.Join(problems...)
}

// unquoted drops the value that envconfig repeats in its errors.
func unquoted(err error) error {
	if parse, ok := errors.AsType[*envconfig.ParseError](err); ok {
		return fmt.Errorf("%s: cannot be read as %s", parse.KeyName, parse.TypeName)
	}
	return err
}

func (c *config) limits() httpkit.RateLimits {
	return httpkit.RateLimits{PerIP: c.RatePerIP, PerKey: c.RatePerKey, Window: time.Minute}
}

// logger writes JSON lines to standard error.
func (c *config) logger(w io.Writer) zerolog.Logger {
	zerolog.DurationFieldUnit = time.Millisecond
	return zerolog.New(w).Level(c.level).With().Timestamp().Logger()
}

// describeConfig prints what the environment may say.
func describeConfig(w io.Writer) error {
	out := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	const format = `{{range .}}  {{usage_key .}}	{{usage_description .}}{{with usage_default .}} [{{.}}]{{end}}
{{end}}`
	if err := envconfig.Usagef(prefix, &config{}, out, format); err != nil {
		return err
	}
	return out.Flush()
}

// inDevelopment tells whether the environment says so.
func inDevelopment(lookup func(string) (string, bool)) bool {
	value, set := lookup("PAYSVC_ENV")
	return !set || value != "production"
}
