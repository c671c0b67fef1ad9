package main

import (
	"context"
	"crypto/rand"
	"errors"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/gateways/giftcard"
	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
	"github.com/paysvc/paysvc/internal/store"
)

// parts are what a service is put together from.
type parts struct {
	config    *config
	log       zerolog.Logger
	settings  *settings.Settings
	publicURL string
	mount     map[string]http.Handler
	// source is where the settings are read again, when somebody asks for it.
	source source
	asked  <-chan os.Signal
}

// service is the whole program, wired.
type service struct {
	store    *store.Store
	moments  *moments.Service
	jobs     *jobs.Jobs
	mail     *post
	api      *api.API
	outbound *outbound.Client
	draining chan struct{}
}

// backgroundConnections are those of background work, beside the ones of requests:
// work that nobody waits for must not make anybody wait.
const backgroundConnections = 8

// newService connects to the database and wires all packages together. It is
// the only place that knows every one of them.
func newService(ctx context.Context, p parts) (*service, error) {
	s := &service{draining: make(chan struct{})}
	if err := s.wire(ctx, p); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *service) wire(ctx context.Context, p parts) error {
	ids := payment.NewIDs(time.Now, rand.Reader)
	cardKey, cardKeys, err := giftCardKeys(p.config.secrets)
	if err != nil {
		return err
	}
	books, err := store.Open(ctx, p.config.DatabaseURL.Reveal(), store.Options{
		ConnectionsMax: p.config.DatabaseConnections, BackgroundMax: backgroundConnections, NewID: ids.New,
		GiftCardKey: cardKey, GiftCardKeysOld: cardKeys,
	})
	if err != nil {
		return err
	}
	s.store = books
	cards := giftcard.NewGuard(books, time.Now, p.log)
	p.source.cards.Store(cards)
	s.moments, err = moments.New(moments.Deps{
		Book: books, Orders: books, Claims: books, Inquiries: books, Inbox: books, Cases: books,
		Clocks: books, Comparisons: books, Settings: p.settings, IDs: ids, Now: time.Now, Log: p.log, PublicURL: p.publicURL, Kick: func() { s.jobs.Kick() },
		Makers: steps.Makers(steps.MakerDeps{Poster: newPoster(p.config)}),
	})
	if err != nil {
		return err
	}
	if s.mail, err = newPost(p.config, s.moments); err != nil {
		return err
	}
	s.jobs, err = jobs.New(ctx, jobs.Deps{
		Transactions: books, Runs: books, Notifications: books, Effects: books, Expiries: books, Releases: books,
		Clocks: books, Comparisons: books, Claims: books, Audits: books, Moments: s.moments, Orders: books, Mailer: s.mail, OrderMail: s.mail.order, Now: time.Now, Log: p.log,
		Background:  store.InBackground,
		Out:         s.out(p.config),
		DatabaseURL: p.config.DatabaseURL.Reveal(), DrainMax: time.Duration(p.config.DrainSeconds) * time.Second,
	})
	if err != nil {
		return err
	}
	s.api, err = api.New(api.Deps{
		Moments: s.moments, Orders: books, Looks: s.moments, Keys: books, IDs: ids, Now: time.Now, Random: rand.Reader, Log: p.log,
		Webhooks: s.webhooks(p.config),
		Books:    apiBooks(books, cards, s.moments, s.jobs), Version: version, TrustedProxies: p.config.trusted, Limits: p.config.limits(),
		Ready: s.ready, Draining: s.draining, Mount: p.mount,
	})
	return err
}

// close gives the connections back, those of a service that is half wired too.
func (s *service) close() {
	if s.jobs != nil {
		s.jobs.Close()
	}
	if s.mail != nil {
		s.mail.close()
	}
	if s.outbound != nil {
		s.outbound.Close()
	}
	if s.store != nil {
		s.store.Close()
	}
}

// ready fails while the service drains and while the database is gone.
func (s *service) ready(ctx context.Context) error {
	select {
	case <-s.draining:
		return errors.New("draining")
	default:
		return s.store.Ready(ctx)
	}
}

// recordSettings writes into the audit which settings came into force, and why.
func (s *service) recordSettings(ctx context.Context, hash, why string) error {
	return s.store.AppendAudit(ctx, payment.SettingsInForce(hash, why, time.Now()))
}

// serve answers requests and does background work until ctx ends. Then it
// drains: requests that came in are answered, what was begun is finished.
func (s *service) serve(ctx context.Context, listener net.Listener, p parts) error {
	if err := s.recordSettings(ctx, p.settings.Hash, "start"); err != nil {
		s.close()
		return err
	}
	server := httpkit.NewServer(s.api, p.log)
	background, stopJobs := context.WithCancel(context.WithoutCancel(ctx))
	var group sync.WaitGroup
	group.Go(func() { s.jobs.Run(background) })
	reloads := reloader{load: p.source.load, reload: s.moments.Reload, record: s.recordSettings, log: p.log, hash: p.settings.Hash}
	group.Go(func() { reloads.run(background, p.asked) })
	group.Go(func() { tellOldKeys(background, s.store, time.Now(), p.log) })
	failed := make(chan error, 1)
	group.Go(func() { failed <- server.Serve(listener) })

	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
		p.log.Info().Msg("stopping: answering what came in")
		close(s.draining)
		s.jobs.Drain()
		bounded, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(p.config.DrainSeconds)*time.Second)
		err = server.Shutdown(bounded)
		cancel()
	}
	stopJobs()
	_ = server.Close() // what has not finished in time is cut; its outcome is asked about later
	group.Wait()
	s.close()
	if errors.Is(err, http.ErrServerClosed) || errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}
