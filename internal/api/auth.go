package api

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// Keys finds API keys by their hash.
type Keys interface {
	KeyByHash(ctx context.Context, hash []byte) (payment.APIKey, error)
}

// caller is who makes a request.
type caller struct {
	key   *payment.APIKey
	token string // X-Order-Token
}

type callerKey struct{}

func callerOf(ctx context.Context) *caller {
	c, _ := ctx.Value(callerKey{}).(*caller)
	return c
}

// storeOf is the store that a request is confined to.
func storeOf(ctx context.Context) string { return callerOf(ctx).key.Store }

// mayUse tells whether the caller may use an order: any of its store with a
// secret key, with a publishable key only the one whose token it has. An order
// that it may not use looks like one that does not exist.
func (c *caller) mayUse(clientToken string) error {
	if c.key.Kind == payment.SecretKey || subtle.ConstantTimeCompare([]byte(c.token), []byte(clientToken)) == 1 {
		return nil
	}
	return payment.ErrOrderNotFound
}

var errUnauthenticated = httpkit.NewProblem(http.StatusUnauthorized, httpkit.CodeUnauthorized,
	"A valid API key is required: Authorization: Bearer …")

// authenticate implements httpkit.Authenticator.
func (a *API) authenticate(ctx context.Context, r *http.Request, op *huma.Operation) (context.Context, string, error) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok || len(r.Header["Authorization"]) != 1 || len(secret) > 200 {
		return ctx, "", errUnauthenticated
	}
	key, err := a.keys.find(ctx, secret)
	if err != nil {
		return ctx, "", err
	}
	if key == nil {
		return ctx, "", errUnauthenticated
	}
	if !allowed(key, op) {
		return ctx, key.ID, httpkit.NewProblem(http.StatusForbidden, httpkit.CodeForbidden, "The API key does not have the scope for this.")
	}
	c := &caller{key: key, token: r.Header.Get("X-Order-Token")}
	return context.WithValue(ctx, callerKey{}, c), key.ID, nil
}

// allowed denies by default: a route without rights lets nobody in.
func allowed(key *payment.APIKey, op *huma.Operation) bool {
	for _, alternative := range op.Security {
		for _, right := range alternative["bearer"] {
			if key.Kind == payment.PublishableKey {
				if right == string(publishable) {
					return true
				}
				continue
			}
			if right == anyScope || slices.Contains(key.Scopes, payment.Scope(right)) {
				return true
			}
		}
	}
	return false
}

// keyTTL is how long a key that was looked up is believed; a revoked one works
// no longer than that.
const keyTTL = time.Second

// keysMax bounds the cache; it is emptied when it is full.
const keysMax = 10_000

// keyCache saves looking up the same key for each request.
type keyCache struct {
	keys  Keys
	now   func() time.Time
	mu    sync.RWMutex
	known map[[sha256.Size]byte]knownKey
}

type knownKey struct {
	key   *payment.APIKey
	until time.Time
}

func newKeyCache(keys Keys, now func() time.Time) *keyCache {
	return &keyCache{keys: keys, now: now, known: make(map[[sha256.Size]byte]knownKey)}
}

// find returns the key, nil when there is none or it was revoked. Only a hash of
// what was sent is ever compared or kept.
func (c *keyCache) find(ctx context.Context, secret string) (*payment.APIKey, error) {
	hash := sha256.Sum256([]byte(secret))
	now := c.now()
	c.mu.RLock()
	known, ok := c.known[hash]
	c.mu.RUnlock()
	if ok && now.Before(known.until) {
		return known.key, nil
	}
	key, err := c.keys.KeyByHash(ctx, hash[:])
	if err != nil && payment.KindOf(err) != payment.KindNotFound {
		return nil, err
	}
	if err != nil || !key.RevokedAt.IsZero() {
		return nil, nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.known) >= keysMax {
		clear(c.known)
	}
	c.known[hash] = knownKey{key: &key, until: now.Add(keyTTL)}
	return &key, nil
}

// addressOf is the caller's address, behind trusted proxies. One that is not
// known is still somebody's: the unspecified address, which no rule lets pass.
func addressOf(ctx context.Context) netip.Addr {
	if from := httpkit.ClientIP(ctx); from.IsValid() {
		return from
	}
	return netip.IPv6Unspecified()
}
