package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// reconcile compares the books with what PSPs list, now, and prints what it found.
// The nights go on as they are.
func reconcile(ctx context.Context, args []string, env environment) error {
	flags := flag.NewFlagSet("reconcile", flag.ContinueOnError)
	storeName := flags.String("store", "", "the store (default: all)")
	account := flags.String("account", "", "the account (default: all that can be compared)")
	now := time.Now()
	from, to := now.Add(-24*time.Hour), now
	flags.Func("from", "from when on, as 2026-11-20 or 2026-11-20T08:00:00Z, in UTC (default: a day ago)", timeFlag(&from))
	flags.Func("to", "until when (default: now)", timeFlag(&to))
	if err := parseFlags(flags, args, env); err != nil {
		return err
	}
	if !from.Before(to) {
		return errors.New("reconcile: --from must be before --to")
	}
	s, err := configuredService(ctx, env)
	if err != nil {
		return err
	}
	defer s.close()
	compared := 0
	for a := range s.moments.Listed() {
		if *storeName != "" && a.Store != *storeName || *account != "" && a.Account != *account {
			continue
		}
		compared++
		if err := s.reconcileAccount(ctx, env, a, from, to); err != nil {
			return err
		}
	}
	if compared == 0 {
		return errors.New("reconcile: no account of these names can be compared: its gateway does not list what its PSP did")
	}
	return nil
}

func (s *service) reconcileAccount(ctx context.Context, env environment, a payment.AccountName, from, to time.Time) error {
	if err := record(ctx, s.store, a.Store, "account.reconciled", a.Account, payment.OrderID{}); err != nil {
		return err
	}
	tally, err := s.moments.ReconcileNow(ctx, a.Store, a.Account, from, to)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(env.out, "%s %s (%s): listed %d, recorded %d, orphans %d, missing %d\n",
		a.Store, a.Account, a.Gateway, tally.Listed, tally.Recorded, tally.Orphans, tally.Missing)
	return err
}

func timeFlag(at *time.Time) func(string) error {
	return func(s string) error {
		for _, layout := range []string{time.DateOnly, time.RFC3339} {
			if parsed, err := time.Parse(layout, s); err == nil {
				*at = parsed
				return nil
			}
		}
		return errors.New("must be a time such as 2026-11-20 or 2026-11-20T08:00:00Z")
	}
}
