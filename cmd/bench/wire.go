package main

import (
	"context"
	"crypto/rand"
	"net/http"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/catalog"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/sandbox"
	"github.com/paysvc/paysvc/internal/settings"
	"github.com/paysvc/paysvc/internal/store"
)

// wiring is what a service in this process is made of. It serves requests as
// `paysvc dev` does; the background work is left out.
type wiring struct {
	databaseURL string
	publicURL   string
	secret      string // of the sandbox, for its key and its signatures
	tracer      pgx.QueryTracer
	// notify carries the sandbox's notifications; nil is a client of its own.
	notify *http.Client
}

// served is a service in this process.
type served struct {
	api       *api.API
	simulator *sandbox.Simulator
	store     *store.Store
}

func (w wiring) open(ctx context.Context) (*served, error) {
	log := zerolog.New(os.Stderr).Level(zerolog.WarnLevel)
	simulator, err := sandbox.New(sandbox.Config{
		PublicURL: w.publicURL, Now: time.Now, Rand: rand.Reader, Log: log, HTTP: w.notify,
		Accounts: []sandbox.Account{{
			ID: "demo", APIKey: w.secret, WebhookSecret: w.secret, NotifyURL: w.publicURL + "/confirm/sandbox/sandbox",
		}},
	})
	if err != nil {
		return nil, err
	}
	loaded, err := w.settings(log, sandbox.Transport(simulator.Handler()))
	if err != nil {
		return nil, err
	}
	ids := payment.NewIDs(time.Now, rand.Reader)
	books, err := store.Open(ctx, w.databaseURL, store.Options{
		ConnectionsMax: connectionsMax, NewID: ids.New, Tracer: w.tracer,
	})
	if err != nil {
		return nil, err
	}
	service, err := moments.New(moments.Deps{
		Book: books, Orders: books, Claims: books, Inquiries: books, Inbox: books, Cases: books, Settings: loaded, IDs: ids,
		Now: time.Now, Log: log, PublicURL: w.publicURL,
	})
	if err != nil {
		return nil, err
	}
	a, err := api.New(api.Deps{
		Moments: service, Orders: books, Keys: books, IDs: ids, Now: time.Now, Random: rand.Reader, Log: log,
		Ready: books.Ready, Mount: map[string]http.Handler{"/sandbox": simulator.Handler()},
	})
	if err != nil {
		return nil, err
	}
	return &served{api: a, simulator: simulator, store: books}, nil
}

func (w wiring) settings(log zerolog.Logger, psp http.RoundTripper) (*settings.Settings, error) {
	values := map[string]string{
		"PAYSVC_SANDBOX_URL": w.publicURL, "PAYSVC_SANDBOX_API_KEY": w.secret, "PAYSVC_SANDBOX_WEBHOOK_SECRET": w.secret,
	}
	return settings.Load("demo settings", settings.Demo(), settings.Deps{
		Open: func(gateway string, mode payment.Mode, account string, decode func(any) error) (gateways.Gateway, error) {
			return catalog.Open(gateway, gateways.Deps{
				Account: account, Mode: mode, Now: time.Now, Log: log,
				Transport: func(string, string) http.RoundTripper { return psp },
			}, decode)
		},
		LookupEnv: func(name string) (string, bool) { value, ok := values[name]; return value, ok },
		ReadFile:  os.ReadFile,
		Pipelines: moments.PipelineSettings(steps.Makers(steps.MakerDeps{})),
	})
}

func (s *served) close() {
	s.store.Close()
	_ = s.simulator.Close() // it only waits for its notifications
}
