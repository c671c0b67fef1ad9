package api

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

// Webhooks is what endpoints for events are made with.
type Webhooks struct {
	Secrets  outbound.Secrets
	CheckURL func(url string) error
	// Kick, when set, tells that something is to be delivered.
	Kick func()
}

// Endpoints keeps the endpoints of stores.
type Endpoints interface {
	CreateEndpoint(ctx context.Context, e payment.Endpoint, by payment.AuditEntry) error
	ListEndpoints(ctx context.Context, store string) ([]payment.Endpoint, error)
	Endpoint(ctx context.Context, store string, id payment.EndpointID) (payment.Endpoint, error)
	ChangeEndpoint(ctx context.Context, store string, id payment.EndpointID, c payment.EndpointChange, by payment.AuditEntry) (payment.Endpoint, error)
	RotateSecret(ctx context.Context, store string, id payment.EndpointID, until time.Time, by payment.AuditEntry) (payment.Endpoint, error)
	DeleteEndpoint(ctx context.Context, store string, id payment.EndpointID, by payment.AuditEntry) error
}

// secretOverlap is how long a secret that was replaced signs too.
const secretOverlap = 24 * time.Hour

// webhookRoutes lists the routes of all that is posted to stores.
func (a *API) webhookRoutes() {
	const admin = payment.ScopeAdmin
	const all, one = "/v1/webhook-endpoints", "/v1/webhook-endpoints/{id}"
	add(a, post(all, "create-webhook-endpoint", "Have events posted to a URL", admin).created().exempt("url"), a.createEndpoint)
	add(a, get(all, "list-webhook-endpoints", "List webhook endpoints").only(admin), a.listEndpoints)
	add(a, get(one, "get-webhook-endpoint", "Read a webhook endpoint").only(admin), a.getEndpoint)
	add(a, patch(one, "change-webhook-endpoint", "Change a webhook endpoint", admin).exempt("url"), a.changeEndpoint)
	add(a, del(one, "delete-webhook-endpoint", "Delete a webhook endpoint", admin), a.deleteEndpoint)
	add(a, post(one+"/rotate-secret", "rotate-webhook-secret", "Replace the secret of a webhook endpoint", admin), a.rotateSecret)
	add(a, get(one+"/deliveries", "list-webhook-deliveries", "List what was posted to a webhook endpoint").only(admin), a.listDeliveries)
	add(a, post("/v1/events/{id}/redeliver", "redeliver-event", "Post an event again", admin).accepted(), a.redeliver)
}

// accepted answers 202.
func (r route) accepted() route {
	r.DefaultStatus = http.StatusAccepted
	return r
}

// EndpointView is a URL that events are posted to.
type EndpointView struct {
	ID              string             `json:"id"`
	URL             string             `json:"url"`
	Types           []string           `json:"types" doc:"The types of events that it gets; payment.* is all that begin so, none are all."`
	Active          bool               `json:"active"`
	DisabledReason  *string            `json:"disabled_reason" doc:"Why it is not active: by_request, gone (it answered 410) or failing (it took nothing for five days)."`
	FailingSince    *httpkit.Timestamp `json:"failing_since" nullable:"true" doc:"Since when it has taken nothing; null when all is well."`
	BehindSince     *httpkit.Timestamp `json:"behind_since" nullable:"true" doc:"When the first event happened that it was not told of yet; null when it is up to date."`
	SecretRotatesAt *httpkit.Timestamp `json:"secret_rotates_at" nullable:"true" doc:"Until when the secret before signs too."`
	CreatedAt       httpkit.Timestamp  `json:"created_at"`
	UpdatedAt       httpkit.Timestamp  `json:"updated_at"`
}

// newEndpointView shows the secret too: now and never again.
type newEndpointView struct {
	EndpointView
	Secret string `json:"secret" example:"whsec_…" doc:"Signs what is posted. It is not shown again."`
}

type (
	endpointOutput    struct{ Body EndpointView }
	newEndpointOutput struct{ Body newEndpointView }
)

func (a *API) viewEndpoint(e payment.Endpoint) EndpointView {
	v := EndpointView{
		ID: e.ID.String(), URL: e.URL, Types: orEmpty(e.Types), Active: e.Active, FailingSince: stamp(e.FailingSince),
		BehindSince: stamp(e.BehindSince),
		CreatedAt:   httpkit.NewTimestamp(e.CreatedAt), UpdatedAt: httpkit.NewTimestamp(e.UpdatedAt),
	}
	if e.Disabled != "" {
		v.DisabledReason = shown(string(e.Disabled))
	}
	if e.RotatingUntil.After(a.Now()) {
		v.SecretRotatesAt = stamp(e.RotatingUntil)
	}
	return v
}

type endpointBody struct {
	URL   string   `json:"url" minLength:"1" maxLength:"2000" example:"https://shop.example/paysvc-events"`
	Types []string `json:"types,omitempty" maxItems:"50" doc:"Without any it gets all."`
}

type changeEndpointBody struct {
	URL    *string   `json:"url,omitempty" minLength:"1" maxLength:"2000"`
	Types  *[]string `json:"types,omitempty" maxItems:"50" doc:"None are all."`
	Active *bool     `json:"active,omitempty" doc:"One that becomes active gets the events from then on, and what was on its way when it ceased to be."`
}

func (a *API) createEndpoint(ctx context.Context, in *struct {
	Body endpointBody
}) (*newEndpointOutput, error) {
	if err := a.checkEndpoint(&in.Body.URL, in.Body.Types); err != nil {
		return nil, err
	}
	e := payment.Endpoint{
		ID: payment.EndpointID(a.IDs.New()), Store: storeOf(ctx), URL: in.Body.URL, Types: in.Body.Types, Active: true,
		SecretVersion: 1, CreatedAt: a.Now(), UpdatedAt: a.Now(),
	}
	secret, err := a.secretOf(e)
	if err != nil {
		return nil, err
	}
	if err := a.Books.Endpoints.CreateEndpoint(ctx, e, a.by(ctx)); err != nil {
		return nil, err
	}
	return &newEndpointOutput{Body: newEndpointView{a.viewEndpoint(e), secret}}, nil
}

// errNoSecretKey tells an operator what is missing. Nothing unsigned is posted.
var errNoSecretKey = httpkit.NewProblem(http.StatusServiceUnavailable, "webhooks_not_configured",
	"The service has no key for the secrets of webhooks. Its operator sets PAYSVC_SECRET_KEY.")

func (a *API) secretOf(e payment.Endpoint) (string, error) {
	if !a.Webhooks.Secrets.Ready() {
		return "", errNoSecretKey
	}
	return a.Webhooks.Secrets.Of(e.ID.String(), e.SecretVersion)
}

// listEndpoints lists the oldest first. A store has a handful, so pages are cut
// here.
func (a *API) listEndpoints(ctx context.Context, in *struct{ httpkit.Page }) (*listOutput[EndpointView], error) {
	list, err := a.Books.Endpoints.ListEndpoints(ctx, storeOf(ctx))
	if err != nil {
		return nil, err
	}
	if in.Cursor != "" {
		after := slices.IndexFunc(list, func(e payment.Endpoint) bool { return e.ID.String() == string(in.Cursor) })
		if after < 0 {
			return nil, httpkit.NewFieldProblem(http.StatusBadRequest, httpkit.CodeCursorInvalid, "query.cursor", "")
		}
		list = list[after+1:]
	}
	next := ""
	if len(list) > in.Limit {
		list = list[:in.Limit]
		next = list[in.Limit-1].ID.String()
	}
	return listed(list, next, a.viewEndpoint), nil
}

// EndpointPath names an endpoint in the path.
type EndpointPath struct {
	ID string `path:"id" maxLength:"40" example:"whk_…"`
}

func (a *API) getEndpoint(ctx context.Context, in *EndpointPath) (*endpointOutput, error) {
	id, err := payment.ParseEndpointID(in.ID)
	if err != nil {
		return nil, err
	}
	e, err := a.Books.Endpoints.Endpoint(ctx, storeOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &endpointOutput{Body: a.viewEndpoint(e)}, nil
}

// changeEndpoint changes the fields that are sent.
func (a *API) changeEndpoint(ctx context.Context, in *struct {
	EndpointPath
	Body changeEndpointBody
}) (*endpointOutput, error) {
	id, err := payment.ParseEndpointID(in.ID)
	if err != nil {
		return nil, err
	}
	var types []string
	if in.Body.Types != nil {
		types = *in.Body.Types
	}
	if err := a.checkEndpoint(in.Body.URL, types); err != nil {
		return nil, err
	}
	e, err := a.Books.Endpoints.ChangeEndpoint(ctx, storeOf(ctx), id, payment.EndpointChange{
		URL: in.Body.URL, Types: in.Body.Types, Active: in.Body.Active,
	}, a.by(ctx))
	if err != nil {
		return nil, err
	}
	return &endpointOutput{Body: a.viewEndpoint(e)}, nil
}

func (a *API) deleteEndpoint(ctx context.Context, in *EndpointPath) (*struct{}, error) {
	id, err := payment.ParseEndpointID(in.ID)
	if err != nil {
		return nil, err
	}
	return nil, a.Books.Endpoints.DeleteEndpoint(ctx, storeOf(ctx), id, a.by(ctx))
}

func (a *API) rotateSecret(ctx context.Context, in *EndpointPath) (*newEndpointOutput, error) {
	id, err := payment.ParseEndpointID(in.ID)
	if err != nil {
		return nil, err
	}
	if !a.Webhooks.Secrets.Ready() {
		return nil, errNoSecretKey
	}
	by := a.by(ctx)
	e, err := a.Books.Endpoints.RotateSecret(ctx, storeOf(ctx), id, by.At.Add(secretOverlap), by)
	if err != nil {
		return nil, err
	}
	secret, err := a.secretOf(e)
	if err != nil {
		return nil, err
	}
	return &newEndpointOutput{Body: newEndpointView{a.viewEndpoint(e), secret}}, nil
}
