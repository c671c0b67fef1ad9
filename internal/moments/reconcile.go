package moments

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/settings"
)

// Comparisons keeps how far the comparison of our books with what PSPs list is, and
// finds what it needs of both.
type Comparisons interface {
	SaveComparison(ctx context.Context, c payment.Comparison, due time.Time) (bool, error)
	Compared
}

// Compared finds transactions for a comparison, and notes what it has done with.
type Compared interface {
	Counterparts(ctx context.Context, references []string) ([]payment.Counterpart, error)
	Unseen(ctx context.Context, a payment.AccountName, c payment.Comparison, limit int) ([]payment.Counterpart, error)
	KeepSeen(ctx context.Context, run payment.ID, seen []payment.TransactionID) error
	ForgetSeen(ctx context.Context, run, before payment.ID) error
	OpenCases(ctx context.Context, cases []payment.Case) error
}

const (
	// nightBegins is when the accounts are compared, in UTC; each has a minute of its
	// own in the two hours after.
	nightBegins  = 2 * time.Hour
	nightMinutes = 120
	// listLagMin is for how long at least a PSP may take to list an operation. It is
	// longer where the PSP takes longer to know of a payment at all.
	listLagMin = 15 * time.Minute
	// compareAgain is when a page is tried again that failed.
	compareAgain = 10 * time.Minute
	unseenMax    = 100
	// seenKept is for how long a comparison that never ended may be gone on with.
	seenKept = 7 * 24 * time.Hour
)

// ErrNotListed is an account whose gateway cannot list what happened there.
var ErrNotListed = payment.Invalid("account", "not_listed", "is not an account whose gateway can list what its PSP did")

// Listed names the accounts that are compared every night, each with the time of
// the next night.
func (s *Service) Listed() map[payment.AccountName]time.Time {
	all := make(map[payment.AccountName]time.Time)
	for _, store := range s.shops.Load().settings.Stores {
		for _, a := range store.Accounts {
			if _, ok := a.Gateway.(gateways.Lister); ok {
				all[nameOf(a)] = nextNight(a.Store, a.Name, s.Now())
			}
		}
	}
	return all
}

func nameOf(a *settings.Account) payment.AccountName {
	return payment.AccountName{Store: a.Store, Gateway: a.GatewayName, Account: a.Name, Mode: a.Mode}
}

// nextNight is when an account is compared next, after a time.
func nextNight(store, account string, after time.Time) time.Time {
	h := fnv.New32a()
	_, _ = h.Write([]byte(store + "\x00" + account)) // a hash never fails
	day := after.UTC().Truncate(24 * time.Hour)
	due := day.Add(nightBegins + time.Duration(h.Sum32()%nightMinutes)*time.Minute)
	if due.After(after) {
		return due
	}
	return due.Add(24 * time.Hour)
}

// Reconcile does the next page of a leased comparison of our books with what a PSP
// lists. What the PSP has and we do not, or have differently, is recorded as facts or
// becomes a case, and so does what we have and the PSP does not. How far it is, is
// saved with each page, so whoever leases it next goes on. It tells whether there is
// more to do at once. A list that does not end is a case, and is begun anew the next
// night.
func (s *Service) Reconcile(ctx context.Context, c payment.Comparison) (more bool, err error) {
	account := s.shops.Load().settings.Account(c.Store, c.Account)
	lister, ok := listerOf(account)
	if !ok { // it is gone from the settings, or cannot list any more
		_, err := s.Comparisons.SaveComparison(ctx, c, nextNight(c.Store, c.Account, s.Now()))
		return false, err
	}
	if c.Run == (payment.ID{}) {
		c.Begin(s.IDs.New(), s.listedUntil(account))
	}
	comparing := comparing{Service: s, account: account, lister: lister, of: &c}
	done, err := comparing.step(ctx)
	switch {
	case errors.Is(err, payment.ErrEndlessList):
		return false, errors.Join(fmt.Errorf("compare account %s of %s: %w", c.Account, c.Store, err), s.giveUpComparison(ctx, c))
	case err != nil:
		_, saveErr := s.Comparisons.SaveComparison(context.WithoutCancel(ctx), c, s.Now().Add(compareAgain))
		return false, errors.Join(fmt.Errorf("compare account %s of %s: %w", c.Account, c.Store, err), saveErr)
	case done:
		return false, s.endComparison(ctx, c)
	}
	return s.Comparisons.SaveComparison(ctx, c, s.Now())
}

func listerOf(a *settings.Account) (gateways.Lister, bool) {
	if a == nil {
		return nil, false
	}
	lister, ok := a.Gateway.(gateways.Lister)
	return lister, ok
}

// listedUntil is up to when the PSP's list is complete by now.
func (s *Service) listedUntil(a *settings.Account) time.Time {
	return s.Now().Add(-max(listLagMin, a.Gateway.Describe().Finality)).Truncate(time.Microsecond)
}

func (s *Service) endComparison(ctx context.Context, c payment.Comparison) error {
	run, tally := c.Run, c.Tally
	c.End()
	held, err := s.Comparisons.SaveComparison(ctx, c, nextNight(c.Store, c.Account, s.Now()))
	if err != nil || !held {
		return err
	}
	s.Log.Info().Str("store", c.Store).Str("account", c.Account).Time("until", c.CoveredUntil).Int("listed", tally.Listed).
		Int("recorded", tally.Recorded).Int("orphans", tally.Orphans).Int("missing", tally.Missing).Msg("books compared with the PSP's list")
	return s.Comparisons.ForgetSeen(ctx, run, payment.FirstID(s.Now().Add(-seenKept)))
}

// giveUpComparison tells people of a comparison that cannot come to its end. It is
// one case however many nights fail, until one has come to its end.
func (s *Service) giveUpComparison(ctx context.Context, c payment.Comparison) error {
	err := s.Comparisons.OpenCases(ctx, []payment.Case{{
		ID: payment.CaseID(s.IDs.New()), Store: c.Store, Kind: payment.CaseReconciliation, OpenedAt: s.Now(),
		Subject: c.Account + "/list/" + c.CoveredUntil.Format(time.RFC3339),
		Detail: "The PSP of account " + c.Account + " lists without end, so the books since " + c.CoveredUntil.Format(time.RFC3339) +
			" are not compared with it. That is tried again every night; if it goes on, ask the PSP.",
	}})
	if err != nil {
		return err
	}
	run := c.Run
	c.GiveUp()
	if _, err := s.Comparisons.SaveComparison(ctx, c, nextNight(c.Store, c.Account, s.Now())); err != nil {
		return err
	}
	return s.Comparisons.ForgetSeen(ctx, run, payment.FirstID(s.Now().Add(-seenKept)))
}

// ReconcileNow compares our books with what a PSP lists between two times, from
// beginning to end. It is what an operator asks for; the nights go on as they are.
func (s *Service) ReconcileNow(ctx context.Context, store, name string, from, to time.Time) (payment.Tally, error) {
	account := s.shops.Load().settings.Account(store, name)
	lister, ok := listerOf(account)
	if !ok {
		return payment.Tally{}, ErrNotListed
	}
	c := payment.Comparison{Store: store, Account: name}
	c.Between(s.IDs.New(), from, to, s.listedUntil(account))
	comparing := comparing{Service: s, account: account, lister: lister, of: &c}
	for done := false; !done; {
		var err error
		if done, err = comparing.step(ctx); err != nil {
			return c.Tally, fmt.Errorf("compare account %s of %s: %w", name, store, err)
		}
	}
	return c.Tally, s.Comparisons.ForgetSeen(ctx, c.Run, payment.FirstID(s.Now().Add(-seenKept)))
}
