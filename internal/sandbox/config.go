package sandbox

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"github.com/rs/zerolog"
)

// Account is a merchant's account at the simulator.
type Account struct {
	// ID is what payments name as their account.
	ID string
	// APIKey is the bearer key of the merchant API.
	APIKey string
	// WebhookSecret signs the notifications of this account.
	WebhookSecret string
	// NotifyURL receives notifications of payments that name no URL; may be empty.
	NotifyURL string
	// Live makes payments say mode "live" instead of "test". No money moves either way.
	Live bool
}

// Delays are the simulator's waiting times; a zero field takes its default.
type Delays struct {
	// Pending is how long a pending_then_… scenario stays pending (1.5 s).
	Pending time.Duration
	// Slow is how long scenario slow takes to answer (2 s).
	Slow time.Duration
	// Silence bounds how long a timeout_… scenario holds a connection (60 s).
	Silence time.Duration
	// FirstDelivery bounds how long a shopper waits for the first try of a
	// notification before being sent back to the shop (3 s).
	FirstDelivery time.Duration
	// Delivery bounds one try of a notification (8 s).
	Delivery time.Duration
	// Control bounds how long the control API waits for its deliveries (10 s).
	Control time.Duration
	// Retries are the pauses before the second, third, … try of a
	// notification; after the last one it is given up. Empty takes the
	// default of twelve tries over two hours.
	Retries []time.Duration
}

// Config is everything that a Simulator needs.
type Config struct {
	// PublicURL is where browsers reach the handler, without /sandbox.
	PublicURL string
	// Accounts are served; the first also sends notifications about
	// references that nobody knows. At least one.
	Accounts []Account
	// LedgerPath is the append-only file behind the ledger; "" keeps it in memory.
	LedgerPath string
	// NotifyDirect also notifies about what a request answered at once.
	NotifyDirect bool
	// AuthorizationLife is how long an authorization says that it is kept (7 days).
	// It ends when the control API says so.
	AuthorizationLife time.Duration
	// Now is the clock and Rand the source of ids; both required.
	Now  func() time.Time
	Rand io.Reader
	// HTTP sends notifications; nil takes a client of the simulator's own.
	// Redirects are never followed.
	HTTP *http.Client
	// Log gets one line for each failed try and each failed request; the
	// zero value is silent.
	Log zerolog.Logger
	// Delays are the waiting times.
	Delays Delays
}

const authorizationLifeDefault = 7 * 24 * time.Hour

func (c Config) check() error {
	if c.Now == nil || c.Rand == nil {
		return errors.New("sandbox: Now and Rand are required")
	}
	if !validURL(c.PublicURL) {
		return errors.New("sandbox: PublicURL must be an absolute http(s) URL")
	}
	if len(c.Accounts) == 0 {
		return errors.New("sandbox: at least one account is required")
	}
	ids, keys := map[string]bool{}, map[string]bool{}
	for i, a := range c.Accounts {
		switch {
		case a.ID == "" || ids[a.ID]:
			return fmt.Errorf("sandbox: account %d: id is missing or taken", i)
		case a.APIKey == "" || keys[a.APIKey]:
			return fmt.Errorf("sandbox: account %s: API key is missing or taken", a.ID)
		case a.WebhookSecret == "":
			return fmt.Errorf("sandbox: account %s: webhook secret is missing", a.ID)
		case a.NotifyURL != "" && !validURL(a.NotifyURL):
			return fmt.Errorf("sandbox: account %s: NotifyURL must be an absolute http(s) URL", a.ID)
		}
		ids[a.ID], keys[a.APIKey] = true, true
	}
	return nil
}

func (d Delays) withDefaults() Delays {
	setDefault(&d.Pending, 1500*time.Millisecond)
	setDefault(&d.Slow, 2*time.Second)
	setDefault(&d.Silence, time.Minute)
	setDefault(&d.FirstDelivery, 3*time.Second)
	setDefault(&d.Delivery, 8*time.Second)
	setDefault(&d.Control, 10*time.Second)
	if len(d.Retries) == 0 {
		d.Retries = []time.Duration{
			500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
			10 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute,
			5 * time.Minute, 15 * time.Minute, 30 * time.Minute, time.Hour,
		}
	}
	return d
}

func setDefault(d *time.Duration, to time.Duration) {
	if *d == 0 {
		*d = to
	}
}

const urlMaxBytes = 2048

// validURL accepts what a browser or a notification may be sent to.
func validURL(s string) bool {
	if len(s) > urlMaxBytes {
		return false
	}
	u, err := url.Parse(s)
	return err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "" && u.User == nil
}
