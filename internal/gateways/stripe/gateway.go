// Package stripe is the gateway to Stripe: Checkout Sessions, where the shopper
// pays on a page of Stripe's, and PaymentIntents, which the shop's own page
// confirms with Stripe's JavaScript. Requests are made by Stripe's SDK and carried
// by the kit of package gateways; what Stripe says, in answers and events alike,
// is read here, so that an event of another API version says the same.
package stripe

import (
	"net/http"
	"strings"
	"time"

	"github.com/stripe/stripe-go/v85"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Name is the gateway's name in settings.
const Name = "stripe"

// The gateway's methods.
const (
	methodCheckout       = "checkout"        // on a page of Stripe's, the money is taken at once
	methodCheckoutManual = "checkout-manual" // there, and the money is taken later
	methodCard           = "card"            // on the shop's page, the money is taken at once
	methodCardManual     = "card-manual"     // there, and the money is taken later
)

// finality leaves room for clocks that differ from Stripe's: a payment is looked
// for among those that Stripe dates searchedAround its announcement, and this is
// twice as long, and longer than any request can be on its way.
const finality = 2 * searchedAround

// authorizationLife is how long Stripe keeps money reserved, unless the card's
// network says otherwise; then the charge tells.
const authorizationLife = 7 * 24 * time.Hour

// clientKind tells a page what to do with the widget and the client action.
const clientKind = "stripe"

// Gateway implements gateways.Gateway for one account at Stripe.
type Gateway struct {
	// config and api are functions so that nothing can print the secrets in them.
	config func() *Config
	api    func() *stripe.Client
	deps   gateways.Deps
	// timeout bounds a call that needs several exchanges.
	timeout time.Duration
}

var (
	_ gateways.Gateway            = (*Gateway)(nil)
	_ gateways.Payer              = (*Gateway)(nil)
	_ gateways.Capturer           = (*Gateway)(nil)
	_ gateways.Refunder           = (*Gateway)(nil)
	_ gateways.Voider             = (*Gateway)(nil)
	_ gateways.Increaser          = (*Gateway)(nil)
	_ gateways.Lister             = (*Gateway)(nil)
	_ gateways.Inquirer           = (*Gateway)(nil)
	_ gateways.Closer             = (*Gateway)(nil)
	_ gateways.NotificationReader = (*Gateway)(nil)
	_ gateways.MethodFilter       = (*Gateway)(nil)
)

// New opens the gateway for an account.
func New(c Config, d gateways.Deps) (*Gateway, error) {
	c = c.withDefaults()
	if err := c.check(d.Mode); err != nil {
		return nil, err
	}
	client := gateways.NewClient(Name, d, gateways.Limits{Timeout: c.Timeout})
	api := newAPI(c, client)
	return &Gateway{
		config: func() *Config { return &c }, api: func() *stripe.Client { return api },
		deps: d, timeout: client.Timeout(),
	}, nil
}

// newAPI returns the SDK, which neither repeats, logs nor reports anything.
func newAPI(c Config, client *gateways.Client) *stripe.Client {
	backend := stripe.GetBackendWithConfig(stripe.APIBackend, &stripe.BackendConfig{
		HTTPClient:        &http.Client{Transport: wire{client}},
		LeveledLogger:     &stripe.LeveledLogger{Level: stripe.LevelNull},
		MaxNetworkRetries: stripe.Int64(0),
		EnableTelemetry:   stripe.Bool(false),
		URL:               stripe.String(c.BaseURL),
	})
	return stripe.NewClient(c.SecretKey.Reveal(), stripe.WithBackends(&stripe.Backends{
		API: backend, Connect: backend, Uploads: backend, MeterEvents: backend,
	}))
}

// Describe implements gateways.Gateway.
func (g *Gateway) Describe() gateways.Description {
	return gateways.Description{Name: Name, Finality: finality, Methods: map[string]gateways.Method{
		methodCheckout:       g.method("Online payment", gateways.Redirection, false),
		methodCheckoutManual: g.method("Online payment, charged on dispatch", gateways.Redirection, true),
		methodCard:           g.method("Card", gateways.Standard, false),
		methodCardManual:     g.method("Card, charged on dispatch", gateways.Standard, true),
	}}
}

// method describes a method. Of what is reserved Stripe lets one capture be made,
// of all or a part, and lets go of what that leaves.
func (g *Gateway) method(title string, typ gateways.MethodType, later bool) gateways.Method {
	m := gateways.Method{
		Title: title, Type: typ, RequiresInteraction: true, AuthorizeOnly: later, Reversal: gateways.ReversalRefund,
		Capabilities: gateways.Capabilities{Refund: true, PartialRefund: true, Recurring: gateways.RecurringNotSupported},
	}
	if later {
		m.AuthorizationLife, m.Reversal = authorizationLife, gateways.ReversalVoid
		c := &m.Capabilities
		c.Capture, c.PartialCapture, c.ReleasesRest, c.Void = true, true, true, true
		c.Increase = g.config().IncrementalAuthorization
	}
	if typ == gateways.Standard {
		m.Widget = map[string]any{"kind": clientKind, "publishable_key": g.config().PublishableKey}
	}
	return m
}

// Exclude implements gateways.MethodFilter.
func (g *Gateway) Exclude(_ string, o *payment.Order) string {
	if _, err := toStripe(o.Total); err != nil {
		return err.Error()
	}
	return ""
}

// onCheckout tells whether the method's page is Stripe's.
func onCheckout(method string) bool { return strings.HasPrefix(method, methodCheckout) }

// ourAccount returns our name of the account that Stripe names. It names none
// but connected accounts, which are not ours: everything else that our key or our
// endpoint's secret brings is of the account that both belong to.
func (g *Gateway) ourAccount(theirs string) string {
	if theirs == "" {
		return g.deps.Account
	}
	return "not ours: " + theirs
}
