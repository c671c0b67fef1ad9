// Command paysvc takes payments for storefronts. See `paysvc help`.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the build.
var version = "development"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], environment{
		lookup: os.LookupEnv, list: os.Environ(), readFile: os.ReadFile, hangups: hangups, out: os.Stdout, err: os.Stderr,
	})
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "paysvc: "+err.Error())
		os.Exit(1)
	}
}

// environment is what the program touches outside: handed in, so that tests run
// the real program.
type environment struct {
	lookup   func(string) (string, bool)
	list     []string
	readFile func(string) ([]byte, error)
	// hangups begins to receive the requests to reload the settings.
	hangups  func(context.Context) (bounded context.Context, asked <-chan os.Signal, stop func())
	out, err io.Writer
}

// command is a sub-command.
type command struct {
	name, about string
	run         func(ctx context.Context, args []string, env environment) error
	bare        bool // takes no arguments
}

func commands() []command {
	return []command{
		{"serve", "serve the API, with the database and settings that the environment names", serve, true},
		{"dev", "serve on loopback with a database, demo settings and a sandbox PSP of its own", dev, true},
		{"migrate", "bring the database to the current schema (up), or: down N, version, force N", migrate, false},
		{"settings", "check: read the settings and report every problem", checkSettings, false},
		{"pipelines", "show: print every effective pipeline; try: say what one would do to an order", managePipelines, false},
		{"keys", "create, list or revoke API keys", manageKeys, false},
		{"audit", "verify: prove that the audit was not tampered with; show: print entries of it", manageAudit, false},
		{"inquire", "ask the PSP about the open transactions of an order", inquire, false},
		{"reconcile", "compare the books with what PSPs list, now", reconcile, false},
		{"version", "print the version", printVersion, true},
	}
}

var errUsage = errors.New("see `paysvc help`")

func run(ctx context.Context, args []string, env environment) error {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		return help(env)
	}
	for _, c := range commands() {
		if c.name != args[0] {
			continue
		}
		if c.bare && len(args) > 1 {
			return fmt.Errorf("%s takes no arguments; %w", c.name, errUsage)
		}
		if err := c.run(ctx, args[1:], env); !errors.Is(err, flag.ErrHelp) {
			return err
		}
		return nil
	}
	return fmt.Errorf("there is no such command; %w", errUsage)
}

func help(env environment) error {
	fmt.Fprint(env.out, "paysvc takes payments for storefronts.\n\nUsage: paysvc COMMAND\n\n")
	for _, c := range commands() {
		fmt.Fprintf(env.out, "  %-10s %s\n", c.name, c.about)
	}
	fmt.Fprint(env.out, "\nThe environment configures it:\n\n")
	return describeConfig(env.out)
}

func printVersion(_ context.Context, _ []string, env environment) error {
	_, err := fmt.Fprintln(env.out, "paysvc", version)
	return err
}
