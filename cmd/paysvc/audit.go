package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// wholeService is how the audit of the service as a whole is called on the command
// line: its store has no name.
const wholeService = "-"

// errAudit makes a command fail whose output says already what is wrong.
var errAudit = errors.New("audit: it does not hold; see the lines above")

// manageAudit verifies and prints the audit.
func manageAudit(ctx context.Context, args []string, env environment) error {
	if len(args) > 0 {
		switch args[0] {
		case "verify":
			return verifyAudit(ctx, args[1:], env)
		case "show":
			return showAudit(ctx, args[1:], env)
		}
	}
	return fmt.Errorf("audit: verify or show; %w", errUsage)
}

// verifyAudit walks the chains and prints a line for each, and one for whatever is
// wrong.
func verifyAudit(ctx context.Context, args []string, env environment) error {
	flags := flag.NewFlagSet("audit verify", flag.ContinueOnError)
	storeName := flags.String("store", "", `the store (default: all); "-" is the service as a whole`)
	var noted payment.AuditHead
	flags.Func("head", "POSITION:HASH of a head that was noted earlier and must be in the chain of --store", func(s string) (err error) {
		noted, err = payment.ParseAuditHead(s)
		return err
	})
	if err := parseFlags(flags, args, env); err != nil {
		return err
	}
	if noted.Position != 0 && *storeName == "" {
		return errors.New("audit verify: --head is of one --store")
	}
	books, err := openStore(ctx)
	if err != nil {
		return err
	}
	defer books.Close()
	stores := []string{storeOfFlag(*storeName)}
	if *storeName == "" {
		if stores, err = books.AuditedStores(ctx); err != nil {
			return err
		}
	}
	holds := true
	for _, name := range stores {
		report, err := books.VerifyAudit(ctx, name, noted)
		if err != nil {
			return err
		}
		if *storeName != "" && report.Entries == 0 && report.Behind == 0 && report.Holds() {
			return errors.New("audit verify: nothing is known of this --store; is its name right?")
		}
		printReport(env, &report, time.Now())
		holds = holds && report.Holds()
	}
	if !holds {
		return errAudit
	}
	return nil
}

func storeOfFlag(name string) string {
	if name == wholeService {
		return ""
	}
	return name
}

func printReport(env environment, r *payment.AuditReport, now time.Time) {
	name := r.Store
	if name == "" {
		name = wholeService
	}
	fmt.Fprintf(env.out, "%s: %s, head %s", name, counted(r.Entries, "entry", "entries"), r.Head)
	if r.Behind > 0 {
		fmt.Fprintf(env.out, ", %s behind, the oldest for %s", counted(r.Behind, "event", "events"), max(0, now.Sub(r.Since)).Round(time.Second))
	}
	if r.Holds() {
		fmt.Fprintln(env.out, ": it holds")
		return
	}
	fmt.Fprintln(env.out, ": IT DOES NOT HOLD")
	for _, f := range r.Faults {
		fmt.Fprintf(env.out, "%s: row %d %s\n", name, f.Position, f.What)
	}
	for _, u := range r.Unfit {
		fmt.Fprintf(env.out, "%s: event %s (sequence %d", name, u.Event, u.Sequence)
		if u.Position != 0 {
			fmt.Fprintf(env.out, ", row %d", u.Position)
		}
		fmt.Fprintf(env.out, ") %s\n", u.What)
	}
}

func counted(n int64, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// record writes down what is about to be done on the command line.
func record(ctx context.Context, books *store.Store, storeName, action, subject string, order payment.OrderID) error {
	e := payment.ByCommandLine(time.Now())
	e.Store, e.Action, e.Subject, e.Order = storeName, action, subject, order
	return books.AppendAudit(ctx, e)
}
