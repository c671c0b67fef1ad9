package main

import (
	"context"
	"errors"
	"net"
	"net/url"

	"github.com/paysvc/paysvc/internal/postgres"
	"github.com/paysvc/paysvc/migrations"
)

// serve runs the service in production: everything comes from the environment.
func serve(ctx context.Context, _ []string, env environment) error {
	c, err := readConfig()
	if err != nil {
		return err
	}
	if c.DatabaseURL == "" || c.PublicURL == "" {
		return errors.New("serve needs PAYSVC_DATABASE_URL and PAYSVC_PUBLIC_URL")
	}
	if u, err := url.Parse(c.PublicURL); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return errors.New("PAYSVC_PUBLIC_URL: must be an absolute URL such as https://pay.example.org")
	}
	ctx, asked, stop := env.hangups(ctx)
	defer stop()
	log, from := c.logger(env.err), file(c.Settings, c, env)
	loaded, err := from.load()
	if err != nil {
		return err
	}
	if err := postgres.Migrate(ctx, c.DatabaseURL.Reveal(), migrations.FS); err != nil {
		return err
	}
	p := parts{config: c, log: log, settings: loaded, publicURL: c.PublicURL, source: from, asked: asked}
	s, err := newService(ctx, p)
	if err != nil {
		return err
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", c.Listen)
	if err != nil {
		return err
	}
	log.Info().Str("address", listener.Addr().String()).Str("version", version).Msg("ready")
	return s.serve(ctx, listener, p)
}
