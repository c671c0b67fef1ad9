package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"slices"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// checkSettings reads the settings and reports every problem.
func checkSettings(_ context.Context, args []string, env environment) error {
	if len(args) > 0 && !slices.Equal(args, []string{"check"}) {
		return fmt.Errorf("settings: check, and nothing else: PAYSVC_SETTINGS names the file; %w", errUsage)
	}
	loaded, _, err := configuredSettings(env)
	if err != nil {
		return err
	}
	if _, err := moments.New(moments.Deps{Settings: loaded}); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.out, "the settings are fine; stores: %d\n", len(loaded.Stores))
	return err
}

// configuredSettings are those of PAYSVC_SETTINGS, or of paysvc.yaml in this
// folder, or else the demo's; which, is said on standard error. The source comes
// along for who opens a database too.
func configuredSettings(env environment) (*settings.Settings, source, error) {
	c, err := readConfig()
	if err != nil {
		return nil, source{}, err
	}
	from := file(c.Settings, c, env)
	_, set := env.lookup("PAYSVC_SETTINGS")
	if _, err := env.readFile(c.Settings); err != nil && !set {
		fmt.Fprintf(env.err, "there is no %s here and PAYSVC_SETTINGS is not set: these are the demo settings\n", c.Settings)
		c.PublicURL = "http://127.0.0.1:8080"
		from = demoSource(c, env, []string{"unused", "unused"})
	}
	loaded, err := from.load()
	return loaded, from, err
}

// showPipelines prints every effective pipeline, by store and method.
func showPipelines(args []string, env environment) error {
	flags := flag.NewFlagSet("pipelines show", flag.ContinueOnError)
	mermaid := flags.Bool("mermaid", false, "print charts, as Markdown")
	if err := parseFlags(flags, args, env); err != nil {
		return err
	}
	loaded, _, err := configuredSettings(env)
	if err != nil {
		return err
	}
	service, err := moments.New(moments.Deps{Settings: loaded})
	if err != nil {
		return err
	}
	return service.ShowPipelines(env.out, *mermaid)
}

// inquire asks the PSPs about the open transactions of one order, now.
func inquire(ctx context.Context, args []string, env environment) error {
	if len(args) != 1 {
		return fmt.Errorf("inquire: the id of an order is required; %w", errUsage)
	}
	id, err := payment.ParseOrderID(args[0])
	if err != nil {
		return err
	}
	s, err := configuredService(ctx, env)
	if err != nil {
		return err
	}
	defer s.close()
	o, err := s.store.ReadOrder(ctx, "", id)
	if err != nil {
		return err
	}
	if err := record(ctx, s.store, o.Store, "order.inquired", id.String(), id); err != nil {
		return err
	}
	for _, t := range o.OpenTransactions() {
		if err := s.moments.Inquire(ctx, o.Store, payment.TransactionID{Order: id, N: t.N}); err != nil {
			return err
		}
	}
	if o, err = s.store.ReadOrder(ctx, "", id); err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.out, "%s: %s, %s\n", id, o.Saved.Status, o.PaymentStatus())
	return err
}

// configuredService is the service on the configured database, for commands. Close it.
func configuredService(ctx context.Context, env environment) (*service, error) {
	c, err := readConfig()
	if err != nil {
		return nil, err
	}
	if c.DatabaseURL == "" {
		return nil, errors.New("PAYSVC_DATABASE_URL is required")
	}
	loaded, from, err := configuredSettings(env)
	if err != nil {
		return nil, err
	}
	return newService(ctx, parts{config: c, log: c.logger(env.err), settings: loaded, publicURL: c.PublicURL, source: from})
}
