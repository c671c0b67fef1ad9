package main

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/store"
)

// managePipelines shows the pipelines, or tries one.
func managePipelines(ctx context.Context, args []string, env environment) error {
	switch {
	case len(args) > 0 && args[0] == "show":
		return showPipelines(args[1:], env)
	case len(args) > 0 && args[0] == "try":
		return tryPipelines(ctx, args[1:], env)
	}
	return fmt.Errorf("pipelines: show [--mermaid], or try; %w", errUsage)
}

// trial is what the flags of `pipelines try` say.
type trial struct {
	order, pipeline, fact, method, settings, store string
	from                                           netip.Addr
	replay                                         int
	json                                           bool
}

func (t *trial) parse(args []string, env environment) error {
	flags := flag.NewFlagSet("pipelines try", flag.ContinueOnError)
	flags.StringVar(&t.order, "order", "", "the order to try the pipeline on, ord_…")
	flags.StringVar(&t.pipeline, "pipeline", "", "the pipeline: "+strings.Join(pipeline.Roots(), ", ")+" (with --replay: all)")
	flags.StringVar(&t.fact, "fact", "", "confirm: what the PSP would report about the latest open transaction, such as approved")
	flags.StringVar(&t.method, "method", "", "internal, pre-process: what would be paid with, where the order has no payment")
	flags.Func("from", "the address of whoever causes the run: a fact from there is a notification", func(text string) (err error) {
		if t.from, err = netip.ParseAddr(text); err != nil {
			return errors.New("must be an address such as 192.0.2.7")
		}
		return nil
	})
	flags.StringVar(&t.settings, "settings", "", "a settings file to compare with the settings in force")
	flags.IntVar(&t.replay, "replay", 0, "try the latest recorded runs instead of one order: how many")
	flags.StringVar(&t.store, "store", "", "only orders of this store")
	flags.BoolVar(&t.json, "json", false, "print JSON")
	if err := parseFlags(flags, args, env); err != nil {
		return err
	}
	return t.check()
}

func (t *trial) check() error {
	switch {
	case (t.order == "") == (t.replay == 0):
		return errors.New("pipelines try: either --order or --replay is required")
	case t.order != "" && t.pipeline == "":
		return errors.New("pipelines try: --pipeline is required")
	case t.replay != 0 && (t.replay < 1 || t.replay > moments.ReplayMax):
		return fmt.Errorf("pipelines try: --replay takes 1 to %d", moments.ReplayMax)
	case t.replay != 0 && t.settings == "":
		return errors.New("pipelines try: --replay compares with --settings, which is missing")
	case t.replay != 0 && (t.fact != "" || t.method != "" || t.from.IsValid()):
		return errors.New("pipelines try: --fact, --method and --from are for --order")
	case t.pipeline != "" && !slices.Contains(pipeline.Roots(), t.pipeline):
		return errors.New("pipelines try: --pipeline takes " + strings.Join(pipeline.Roots(), ", "))
	}
	return nil
}

// tryPipelines says what pipelines would do, and changes nothing.
func tryPipelines(ctx context.Context, args []string, env environment) error {
	var t trial
	if err := t.parse(args, env); err != nil {
		return err
	}
	books, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	inForce, other, err := t.sides(books, env)
	if err != nil {
		return err
	}
	if t.replay > 0 {
		return t.replayRuns(ctx, books, inForce, other, env)
	}
	return t.tryOrder(ctx, inForce, other, env)
}

// sides are the settings in force and those to compare with; nil without any.
// What they refer to is needed for their gateways, which are not asked: so the
// sandbox of dev, whose secrets are its own, gets stand-ins.
func (t *trial) sides(books *store.Store, env environment) (inForce, other *moments.Service, err error) {
	c, err := readConfig()
	if err != nil {
		return nil, nil, err
	}
	if c.PublicURL == "" {
		c.PublicURL = "http://127.0.0.1:8080"
	}
	env.lookup = devLookup(env, c, []string{"unused", "unused"})
	loaded, _, err := configuredSettings(env)
	if err != nil {
		return nil, nil, err
	}
	inForce, err = moments.New(moments.Deps{
		Orders: books, Settings: loaded, IDs: payment.NewIDs(time.Now, rand.Reader), Now: time.Now, Log: c.logger(env.err),
		PublicURL: c.PublicURL,
	})
	if err != nil || t.settings == "" {
		return inForce, nil, err
	}
	from := file(t.settings, c, env)
	from.read = func() ([]byte, error) { return env.readFile(t.settings) }
	if loaded, err = from.load(); err != nil {
		return nil, nil, fmt.Errorf("--settings: %w", err)
	}
	other, err = inForce.Beside(loaded)
	return inForce, other, err
}

// tryOrder tries one pipeline on one order.
func (t *trial) tryOrder(ctx context.Context, inForce, other *moments.Service, env environment) error {
	id, err := payment.ParseOrderID(t.order)
	if err != nil {
		return err
	}
	c := moments.TryCommand{
		Store: t.store, Order: id, Pipeline: t.pipeline, Fact: payment.State(t.fact), Method: t.method, From: t.from,
	}
	var tried *moments.Tried
	if other == nil {
		tried, err = inForce.Try(ctx, c)
	} else {
		tried, err = inForce.TryBeside(ctx, other, c)
	}
	if err != nil {
		return fmt.Errorf("pipelines try: %w", err)
	}
	if t.json {
		return printJSON(env, tried.Report(), "  ")
	}
	return tried.Write(env.out, t.settings)
}

func printJSON(env environment, v any, indent string) error {
	out := json.NewEncoder(env.out)
	out.SetEscapeHTML(false)
	out.SetIndent("", indent)
	return out.Encode(v)
}
