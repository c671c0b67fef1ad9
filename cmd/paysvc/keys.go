package main

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

func allScopes() []payment.Scope {
	return []payment.Scope{
		payment.ScopeOrders, payment.ScopePayments, payment.ScopeRefunds, payment.ScopeRead, payment.ScopeAdmin,
	}
}

// apiKey is the record of a key: its hash, never the key.
func apiKey(secret, store, name string, kind payment.KeyKind, scopes []payment.Scope) payment.APIKey {
	hash := sha256.Sum256([]byte(secret))
	return payment.APIKey{
		ID: "key_" + hex.EncodeToString(hash[:6]), Hash: hash[:], Store: store, Kind: kind, Scopes: scopes, Name: name,
		CreatedAt: time.Now(),
	}
}

// manageKeys creates, lists and revokes API keys.
func manageKeys(ctx context.Context, args []string, env environment) error {
	if len(args) == 0 || !slices.Contains([]string{"create", "list", "revoke"}, args[0]) {
		return fmt.Errorf("keys: create, list or revoke; %w", errUsage)
	}
	flags := flag.NewFlagSet("keys "+args[0], flag.ContinueOnError)
	storeName := flags.String("store", "", "the store that the key belongs to")
	name := flags.String("name", "", "what the key is for")
	scopes := flags.String("scopes", "orders,payments,refunds,read", "scopes of a secret key, by commas")
	browser := flags.Bool("publishable", false, "make a key for browsers")
	test := flags.Bool("test", false, "mark the key as one for tests (in its prefix)")
	id := flags.String("id", "", "the key to revoke")
	if err := parseFlags(flags, args[1:], env); err != nil {
		return err
	}
	if *storeName == "" {
		return errors.New("keys: --store is required")
	}
	books, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	switch args[0] {
	case "create":
		return createKey(ctx, books, env, *storeName, *name, *scopes, *browser, *test)
	case "list":
		return listKeys(ctx, books, env, *storeName)
	default:
		return books.RevokeKey(ctx, *storeName, *id, payment.ByCommandLine(time.Now()))
	}
}

// createKey makes a key and shows it, this once.
func createKey(
	ctx context.Context, books *store.Store, env environment, storeName, name, scopeList string, browser, test bool,
) error {
	kind, prefix := payment.SecretKey, "paysk_"
	var scopes []payment.Scope
	if browser {
		kind, prefix = payment.PublishableKey, "paypk_"
	} else {
		var err error
		if scopes, err = parseScopes(scopeList); err != nil {
			return err
		}
	}
	prefix += map[bool]string{true: "test_", false: "live_"}[test]
	secret := prefix + payment.NewIDs(time.Now, rand.Reader).Token()
	key := apiKey(secret, storeName, name, kind, scopes)
	if err := books.CreateKey(ctx, key, payment.ByCommandLine(time.Now())); err != nil {
		return err
	}
	_, err := fmt.Fprintf(env.out, "%s\n%s\n\nThe key is shown this once; only a hash of it is kept.\n", key.ID, secret)
	return err
}

func parseScopes(list string) ([]payment.Scope, error) {
	var scopes []payment.Scope
	for part := range strings.SplitSeq(list, ",") {
		scope := payment.Scope(strings.TrimSpace(part))
		known := false
		for _, s := range allScopes() {
			known = known || s == scope
		}
		if !known {
			return nil, errors.New("keys: --scopes takes orders, payments, refunds, read and admin")
		}
		scopes = append(scopes, scope)
	}
	return scopes, nil
}

func listKeys(ctx context.Context, books *store.Store, env environment, storeName string) error {
	keys, err := books.ListKeys(ctx, storeName)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(env.out, 0, 4, 2, ' ', 0)
	fmt.Fprintln(out, "ID\tKIND\tNAME\tSCOPES\tCREATED\tREVOKED")
	for _, k := range keys {
		revoked := ""
		if !k.RevokedAt.IsZero() {
			revoked = k.RevokedAt.Format(time.RFC3339)
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%v\t%s\t%s\n", k.ID, k.Kind, k.Name, k.Scopes, k.CreatedAt.Format(time.RFC3339), revoked)
	}
	return out.Flush()
}

// openStore connects to the configured database.
func openStore(ctx context.Context) (*store.Store, error) {
	c, err := readConfig()
	if err != nil {
		return nil, err
	}
	if c.DatabaseURL == "" {
		return nil, errors.New("PAYSVC_DATABASE_URL is required")
	}
	return store.Open(ctx, c.DatabaseURL.Reveal(), store.Options{ConnectionsMax: 2})
}
