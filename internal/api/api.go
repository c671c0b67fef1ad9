// Package api is the HTTP side of the service: the REST API of the stores,
// /confirm for PSPs, and the pages that shoppers come back to. It speaks to the
// rest of the service through small interfaces of its own, and holds the only
// table from error kinds to HTTP statuses.
package api

import (
	"context"
	"io"
	"net/http"
	"net/netip"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/api/docsui"
	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// Moments are the moments of a payment.
type Moments interface {
	Create(ctx context.Context, c moments.CreateCommand) (moments.Answer, error)
	Pay(ctx context.Context, c moments.PayCommand) (moments.Answer, error)
	Repay(ctx context.Context, c moments.PayCommand) (moments.Answer, error)
	Operate(ctx context.Context, c moments.OperateCommand) (moments.Answer, error)
	Actions(o *payment.Order) []moments.Possible
	Confirm(ctx context.Context, d moments.Delivery) (moments.Receipt, error)
	Submit(ctx context.Context, o *payment.Order, from netip.Addr) (*payment.Order, error)
	Fail(ctx context.Context, o *payment.Order, from netip.Addr) (*payment.Order, error)
	Cancel(ctx context.Context, c moments.CancelCommand) (moments.Answer, error)
	Amend(ctx context.Context, c moments.AmendCommand) (*payment.Order, error)
	ResolveCase(ctx context.Context, c moments.ResolveCommand) (moments.Answer, error)
	OrderOfSlug(ctx context.Context, slug string) (*payment.Order, error)
	Methods(ctx context.Context, o *payment.Order) ([]moments.OfferedMethod, error)
	ValidateData(o *payment.Order, method string, data []byte) (payment.DataSummary, error)
	MayReturnTo(store, url string) bool
	StoreTitle(store string) string
}

// Orders reads orders.
type Orders interface {
	ReadOrder(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error)
	ReadStatus(ctx context.Context, store string, id payment.OrderID) (payment.Standing, error)
	ListOrders(ctx context.Context, f payment.OrderFilter, p payment.Page) ([]*payment.Order, string, error)
}

// Deps are what the API is made of.
type Deps struct {
	Moments Moments
	Orders  Orders
	// Looks is told of orders that somebody reads and nobody knows how they stand; nil
	// asks nobody.
	Looks Looks
	Keys  Keys
	Books Books
	// Webhooks is what endpoints for events are made with.
	Webhooks Webhooks
	IDs      *payment.IDs
	Now      func() time.Time
	Random   io.Reader
	Log      zerolog.Logger
	Version  string
	// TrustedProxies are the networks whose X-Forwarded-For is believed.
	TrustedProxies []netip.Prefix
	Limits         httpkit.RateLimits
	// Ready tells whether the service can do its work, for /readyz.
	Ready func(ctx context.Context) error
	// Draining is closed when the instance begins to stop; streams end then. Nil
	// never is.
	Draining <-chan struct{}
	// Mount adds what is served beside the API, such as the sandbox in development.
	Mount map[string]http.Handler
}

// API serves HTTP.
type API struct {
	Deps
	kit  *httpkit.Kit
	keys *keyCache
}

// New builds the API with all its routes.
func New(d Deps) (*API, error) {
	a := &API{Deps: d, keys: newKeyCache(d.Keys, d.Now)}
	docs, err := docsui.Handler()
	if err != nil {
		return nil, err
	}
	a.kit, err = httpkit.New(httpkit.Config{
		Version: d.Version, Log: d.Log, Now: d.Now, Random: d.Random, Docs: docs, TrustedProxies: d.TrustedProxies,
		Limits: d.Limits, Authenticate: a.authenticate, MapError: problemOf,
	})
	if err != nil {
		return nil, err
	}
	a.routes()
	return a, nil
}

// ServeHTTP makes the API the handler of a server.
func (a *API) ServeHTTP(w http.ResponseWriter, r *http.Request) { a.kit.ServeHTTP(w, r) }

// OpenAPIYAML is the OpenAPI 3.1 document.
func (a *API) OpenAPIYAML() ([]byte, error) { return a.kit.OpenAPIYAML() }
