package httpkit_test

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api/httpkit"
)

type storeKey struct{}

func TestAuthenticatorDecidesBeforeTheBodyIsRead(t *testing.T) {
	t.Parallel()
	var scopes []string
	k, logged := newKit(t, func(c *httpkit.Config) {
		c.Authenticate = func(ctx context.Context, r *http.Request, op *huma.Operation) (context.Context, string, error) {
			scopes = op.Security[0]["bearer"]
			switch r.Header.Get("Authorization") {
			case "Bearer good":
				return context.WithValue(ctx, storeKey{}, "demo"), "key_1", nil
			case "Bearer broken":
				return ctx, "", errors.New("no database")
			default:
				return ctx, "", httpkit.NewProblem(http.StatusUnauthorized, "key_invalid", "No such key.")
			}
		}
	})
	var store any
	httpkit.Register(k, httpkit.Route{MovesMoney: true, Operation: huma.Operation{
		OperationID: "x", Method: "POST", Path: "/x", Security: []map[string][]string{{"bearer": {"payments"}}},
	}}, func(ctx context.Context, in *orderInput) (*empty, error) {
		store = ctx.Value(storeKey{})
		require.NotEmpty(t, httpkit.RequestID(ctx))
		return nil, nil
	})
	httpkit.Register(k, httpkit.Route{Public: true, Operation: huma.Operation{OperationID: "y", Method: "GET", Path: "/y"}},
		func(context.Context, *empty) (*empty, error) { return nil, nil })

	w := serve(k, post("/x", "{", "Authorization", "Bearer bad"))
	require.Equal(t, http.StatusUnauthorized, w.Code)
	p := problemOf(t, w)
	require.Equal(t, "key_invalid", p.Code)
	require.Equal(t, httpkit.MoneyNo, p.MoneyMoved)
	require.Equal(t, []string{"payments"}, scopes)

	require.Equal(t, 204, serve(k, post("/x", order(), "Authorization", "Bearer good")).Code)
	require.Equal(t, "demo", store)
	require.Contains(t, logged.String(), `"key_id":"key_1"`)

	require.Equal(t, "internal", problemOf(t, serve(k, post("/x", order(), "Authorization", "Bearer broken"))).Code)
	require.Equal(t, 204, serve(k, get("/y")).Code, "public")
}

func TestIdempotencyKey(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	var key string
	var hash [sha256.Size]byte
	httpkit.Register(k, httpkit.Route{NeedsKey: true, Operation: huma.Operation{OperationID: "x", Method: "POST", Path: "/x"}},
		func(ctx context.Context, _ *orderInput) (*empty, error) {
			key, hash = httpkit.IdempotencyKey(ctx), httpkit.BodyHash(ctx)
			return nil, nil
		})
	for given, code := range map[string]string{
		"k-1": "", "!~": "", strings.Repeat("k", 255): "", strings.Repeat("k", 256): "idempotency_key_invalid",
		"": "idempotency_key_invalid", "a b": "idempotency_key_invalid", "é": "idempotency_key_invalid", "a\x7f": "idempotency_key_invalid",
	} {
		w := serve(k, post("/x", order(), "Idempotency-Key", given))
		if code == "" {
			require.Equal(t, 204, w.Code)
			require.Equal(t, given, key)
			require.Equal(t, sha256.Sum256([]byte(order())), hash)
			continue
		}
		require.Equal(t, 400, w.Code)
		p := problemOf(t, w)
		require.Equal(t, code, p.Code)
		require.Equal(t, "header.Idempotency-Key", p.Errors[0].Field)
	}
	require.Equal(t, "idempotency_key_invalid", problemOf(t, serve(k, post("/x", order(), "Idempotency-Key", "a", "Idempotency-Key", "a"))).Code)
	require.Equal(t, "idempotency_key_required", problemOf(t, serve(k, post("/x", order()))).Code)

	_, err := httpkit.ParseIdempotencyKey(http.Header{})
	require.ErrorContains(t, err, "idempotency_key_required")
	parsed, err := httpkit.ParseIdempotencyKey(http.Header{"Idempotency-Key": {"k"}})
	require.NoError(t, err)
	require.Equal(t, "k", parsed)
	require.Equal(t, sha256.Sum256(nil), httpkit.BodyHash(t.Context()))
	require.Empty(t, httpkit.IdempotencyKey(t.Context()))
}

func TestBodyMayBeLeftOutWhereItIsOptional(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	var got *orderCustomer
	type input struct{ Body *orderCustomer }
	httpkit.Register(k, httpkit.Route{Operation: huma.Operation{OperationID: "x", Method: "POST", Path: "/x"}},
		func(_ context.Context, in *input) (*empty, error) {
			got = in.Body
			return nil, nil
		})
	require.Equal(t, 204, serve(k, post("/x", "")).Code)
	require.Nil(t, got)
	require.Equal(t, 204, serve(k, withoutLength(post("/x", ""))).Code)
	bare := post("/x", "")
	bare.Header.Del("Content-Type")
	require.Equal(t, 204, serve(k, withoutLength(bare)).Code)
	require.Equal(t, 204, serve(k, post("/x", `{"id":"c"}`)).Code)
	require.Equal(t, "c", got.ID)
}

func TestValidationCannotBeSkipped(t *testing.T) {
	t.Parallel()
	k, _ := newKit(t, nil)
	require.Panics(t, func() {
		httpkit.Register(k, httpkit.Route{Operation: huma.Operation{OperationID: "x", Method: "POST", Path: "/x", SkipValidateBody: true}},
			func(context.Context, *orderInput) (*empty, error) { return nil, nil })
	})
}

func TestConfigIsChecked(t *testing.T) {
	t.Parallel()
	_, err := httpkit.New(httpkit.Config{})
	require.Error(t, err)
}
