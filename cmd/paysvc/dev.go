package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/internal/sandbox"
	"github.com/paysvc/paysvc/internal/settings"
	"github.com/paysvc/paysvc/migrations"
)

// The keys of store demo. They are known to everyone, which is why dev serves
// loopback only.
const (
	demoSecretKey      = "paysk_test_demo" //nolint:gosec // known to everyone on purpose
	demoPublishableKey = "paypk_test_demo"
)

// dev runs the service for development: it finds or installs PostgreSQL, starts
// a private cluster, migrates, and serves the demo store with a sandbox PSP.
func dev(ctx context.Context, _ []string, env environment) error {
	if !inDevelopment(env.lookup) {
		return errors.New("dev does not run with PAYSVC_ENV=production: it serves keys that everyone knows")
	}
	c, err := readConfig()
	if err != nil {
		return err
	}
	if _, set := env.lookup("PAYSVC_LISTEN"); !set {
		c.Listen = "127.0.0.1:8080"
	}
	listener, err := listenLoopback(ctx, c.Listen)
	if err != nil {
		return err
	}
	defer func() { _ = listener.Close() }() // the server has closed it already, unless we fail before
	if c.PublicURL == "" {
		c.PublicURL = "http://" + listener.Addr().String()
	}
	if _, set := env.lookup("PAYSVC_RATE_PER_IP"); !set {
		c.RatePerIP = 0 // everything comes from this machine
	}
	if _, set := env.lookup("PAYSVC_MAIL_FOLDER"); !set {
		c.MailFolder = filepath.Join(c.DevFolder, "mails")
	}
	if _, set := env.lookup("PAYSVC_OUTBOUND_NETWORKS"); !set {
		c.outbound = loopback()
	}
	if c.SecretKey == "" {
		if c.secrets, err = devKey(c.DevFolder); err != nil {
			return err
		}
	}
	stopDatabase, err := devDatabase(ctx, c, env)
	if err != nil {
		return err
	}
	defer stopDatabase()
	return serveDev(ctx, c, env, listener)
}

// serveDev serves once the database is there.
func serveDev(ctx context.Context, c *config, env environment, listener net.Listener) error {
	ctx, asked, stop := env.hangups(ctx)
	defer stop()
	log := c.logger(env.err)
	if err := postgres.Migrate(ctx, c.DatabaseURL.Reveal(), migrations.FS); err != nil {
		return err
	}
	secrets, err := devSecrets(c.DevFolder)
	if err != nil {
		return err
	}
	simulator, err := sandbox.New(sandbox.Config{
		PublicURL: c.PublicURL, LedgerPath: filepath.Join(c.DevFolder, "sandbox-ledger.jsonl"),
		Accounts: []sandbox.Account{{
			ID: "demo", APIKey: secrets[0], WebhookSecret: secrets[1], NotifyURL: c.PublicURL + "/confirm/sandbox/sandbox",
		}},
		Now: time.Now, Rand: rand.Reader, Log: log.With().Str("part", "sandbox").Logger(),
	})
	if err != nil {
		return err
	}
	defer func() { _ = simulator.Close() }() // it only waits for its notifications
	inProcess := sandbox.Transport(simulator.Handler())
	from := demoSource(c, env, secrets)
	from.transport = func(gateway, _ string) http.RoundTripper {
		if gateway == "sandbox" {
			return inProcess
		}
		return nil
	}
	loaded, err := from.load()
	if err != nil {
		return err
	}
	p := parts{
		config: c, log: log, settings: loaded, publicURL: c.PublicURL,
		mount: map[string]http.Handler{"/sandbox": simulator.Handler()}, source: from, asked: asked,
	}
	s, err := newService(ctx, p)
	if err != nil {
		return err
	}
	if err := demoKeys(ctx, s); err != nil {
		return err
	}
	welcome(env, c, loaded)
	return s.serve(ctx, listener, p)
}

// listenLoopback listens, on loopback addresses only.
func listenLoopback(ctx context.Context, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("PAYSVC_LISTEN: %w", err)
	}
	ip := net.ParseIP(host)
	if host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, errors.New("PAYSVC_LISTEN: dev serves keys that everyone knows, so it listens on loopback only")
	}
	return new(net.ListenConfig).Listen(ctx, "tcp", address)
}

// loopback are the networks of this machine, where somebody who tries a step out
// has the shop too.
func loopback() []netip.Prefix {
	return []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")}
}

// devDatabase makes c.DatabaseURL work: the one that is configured, or a private
// cluster in the development folder. It returns what stops it.
func devDatabase(ctx context.Context, c *config, env environment) (stop func(), err error) {
	if c.DatabaseURL != "" {
		return func() {}, nil
	}
	path, _ := env.lookup("PATH")
	search := postgres.Search{BinDir: c.PostgresBin, Path: path, Root: c.DevFolder}
	binaries, err := postgres.Find(ctx, search)
	if errors.Is(err, postgres.ErrNotFound) {
		binaries, err = postgres.Install(ctx, search, env.err)
	}
	if err != nil {
		return nil, err
	}
	server, err := postgres.Start(ctx, postgres.Options{
		DataDir: filepath.Join(c.DevFolder, "postgres"), Binaries: binaries, Durable: true,
	})
	if err != nil {
		return nil, err
	}
	stop = func() { _ = server.Stop(context.WithoutCancel(ctx)) }
	if err := server.CreateDatabase(ctx, "paysvc"); err != nil {
		stop()
		return nil, err
	}
	c.DatabaseURL = gateways.Secret(server.URL("paysvc"))
	return stop, nil
}

// devSecrets are the sandbox's API key and webhook secret, made once and kept.
func devSecrets(folder string) ([]string, error) {
	path := filepath.Join(folder, "sandbox-secrets")
	if kept, err := os.ReadFile(path); err == nil {
		if secrets := strings.Fields(string(kept)); len(secrets) == 2 {
			return secrets, nil
		}
	}
	ids := payment.NewIDs(time.Now, rand.Reader)
	secrets := []string{ids.Token(), ids.Token()}
	return secrets, keep(path, strings.Join(secrets, "\n"))
}

// keep writes a file that nobody else may read.
func keep(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // PostgreSQL, as another user, passes through
		return err
	}
	return os.WriteFile(path, []byte(text+"\n"), 0o600)
}

// devKey is what the secrets of webhooks and the key of gift cards are derived from, made once and kept.
func devKey(folder string) (outbound.Secrets, error) {
	path := filepath.Join(folder, "secret-key")
	if kept, err := os.ReadFile(path); err == nil {
		if secrets, err := outbound.ParseSecrets(strings.TrimSpace(string(kept))); err == nil && secrets.Ready() {
			return secrets, nil
		}
	}
	raw := make([]byte, 32)
	if _, err := rand.Read(raw); err != nil {
		return outbound.Secrets{}, err
	}
	key := base64.StdEncoding.EncodeToString(raw)
	if err := keep(path, key); err != nil {
		return outbound.Secrets{}, err
	}
	return outbound.ParseSecrets(key)
}

// demoSource is the source of the demo settings, or of the file that the
// environment names in place of them.
func demoSource(c *config, env environment, secrets []string) source {
	from := file(c.Settings, c, env)
	from.lookup = devLookup(env, c, secrets)
	if _, set := env.lookup("PAYSVC_SETTINGS"); !set {
		from.name, from.read = "demo settings", func() ([]byte, error) { return settings.Demo(), nil }
	}
	return from
}

// devLookup adds what the demo settings refer to.
func devLookup(env environment, c *config, secrets []string) func(string) (string, bool) {
	own := map[string]string{
		"PAYSVC_SANDBOX_URL": c.PublicURL, "PAYSVC_SANDBOX_API_KEY": secrets[0], "PAYSVC_SANDBOX_WEBHOOK_SECRET": secrets[1],
	}
	return func(name string) (string, bool) {
		if value, set := env.lookup(name); set {
			return value, true
		}
		value, ok := own[name]
		return value, ok
	}
}

// demoKeys puts the well-known keys into the database.
func demoKeys(ctx context.Context, s *service) error {
	for _, key := range []struct {
		secret string
		kind   payment.KeyKind
		scopes []payment.Scope
	}{
		{demoSecretKey, payment.SecretKey, allScopes()},
		{demoPublishableKey, payment.PublishableKey, nil},
	} {
		made := apiKey(key.secret, "demo", "demo "+string(key.kind), key.kind, key.scopes)
		err := s.store.CreateKey(ctx, made, payment.ByCommandLine(made.CreatedAt))
		if err != nil && payment.KindOf(err) != payment.KindConflict {
			return err
		}
	}
	return nil
}

// withoutPassword is a database URL that may be shown.
func withoutPassword(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "as configured"
	}
	return u.Redacted()
}
