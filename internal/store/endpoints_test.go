package store_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// endpoint makes an endpoint of a store.
func (b *bundle) endpoint(storeName string, types ...string) payment.Endpoint {
	b.t.Helper()
	e := payment.Endpoint{
		ID: payment.EndpointID(b.ids.New()), Store: storeName, URL: "https://shop.example/hooks", Types: types, CreatedAt: b.now(),
	}
	require.NoError(b.t, b.CreateEndpoint(b.t.Context(), e, b.by()))
	got, err := b.Endpoint(b.t.Context(), storeName, e.ID)
	require.NoError(b.t, err)
	return got
}

func TestEndpointsAreMadeReadChangedAndDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	e := b.endpoint("demo", "order.paid", "payment.*")
	require.Equal(t, payment.Endpoint{
		ID: e.ID, Store: "demo", URL: "https://shop.example/hooks", Types: []string{"order.paid", "payment.*"}, Active: true,
		SecretVersion: 1, CreatedAt: b.now(), UpdatedAt: b.now(),
	}, e)
	b.tick(time.Second) // ids sort by their time
	second := b.endpoint("demo")
	b.endpoint("other")
	list, err := b.ListEndpoints(ctx, "demo")
	require.NoError(t, err)
	require.Equal(t, []payment.Endpoint{e, second}, list)
	_, err = b.Endpoint(ctx, "other", e.ID)
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))

	later := b.tick(time.Hour)
	url, types, off, on := "https://shop.example/new", []string{}, false, true
	changed, err := b.ChangeEndpoint(ctx, "demo", e.ID, payment.EndpointChange{URL: &url}, payment.ByActor("key_1", later))
	require.NoError(t, err)
	e.URL, e.UpdatedAt = url, later
	require.Equal(t, e, changed)
	changed, err = b.ChangeEndpoint(ctx, "demo", e.ID, payment.EndpointChange{Types: &types, Active: &off}, payment.ByActor("key_1", later))
	require.NoError(t, err)
	e.Types, e.Active, e.Disabled = types, false, payment.DisabledByRequest
	require.Equal(t, e, changed)
	changed, err = b.ChangeEndpoint(ctx, "demo", e.ID, payment.EndpointChange{Active: &on}, payment.ByActor("key_1", later))
	require.NoError(t, err)
	e.Active, e.Disabled = true, ""
	require.Equal(t, e, changed)
	_, err = b.ChangeEndpoint(ctx, "other", e.ID, payment.EndpointChange{Active: &off}, payment.ByActor("key_1", later))
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))

	require.Equal(t, payment.KindNotFound, payment.KindOf(b.DeleteEndpoint(ctx, "other", e.ID, b.by())))
	require.NoError(t, b.DeleteEndpoint(ctx, "demo", e.ID, b.by()))
	require.Equal(t, payment.KindNotFound, payment.KindOf(b.DeleteEndpoint(ctx, "demo", e.ID, b.by())))
}

func TestASecretOverlapsWithTheOneBefore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	require.Equal(t, []int{1}, e.SecretVersions(b.now()))
	e, err := b.RotateSecret(t.Context(), "demo", e.ID, b.now().Add(time.Hour), b.by())
	require.NoError(t, err)
	require.Equal(t, []int{2, 1}, e.SecretVersions(b.now()))
	require.Equal(t, []int{2}, e.SecretVersions(b.now().Add(time.Hour)))
	e, err = b.RotateSecret(t.Context(), "demo", e.ID, b.now().Add(time.Hour), b.by())
	require.NoError(t, err)
	require.Equal(t, []int{3, 2}, e.SecretVersions(b.now()), "a secret that leaked twice is gone at once")
	_, err = b.RotateSecret(t.Context(), "other", e.ID, b.now(), b.by())
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
}

func TestAStoreHasABoundedNumberOfEndpoints(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var made, full atomic.Int32
	together(payment.EndpointsMax+8, func(int) {
		err := b.CreateEndpoint(t.Context(), payment.Endpoint{ID: payment.EndpointID(b.ids.New()), Store: "demo", CreatedAt: b.now()}, b.by())
		switch {
		case err == nil:
			made.Add(1)
		case payment.CodeOf(err) == "endpoints_full":
			full.Add(1)
		default:
			t.Error(err)
		}
	})
	require.EqualValues(t, payment.EndpointsMax, made.Load())
	require.EqualValues(t, 8, full.Load())
	b.endpoint("other")
}

func TestTheStorefrontIsNoEndpointOfTheAPI(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.SetStorefront(t.Context(), "demo", []string{"stock.deduct"}, b.now()))
	list, err := b.ListEndpoints(t.Context(), "demo")
	require.NoError(t, err)
	require.Empty(t, list)
	_, err = payment.ParseEndpointID(payment.Storefront.String())
	require.Error(t, err)
	_, err = payment.ParseEndpointID("whk_" + strings.Repeat("0", 25) + "1")
	require.Error(t, err, "not the text of any id")
}
