package moments_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// edited is the service with further edits of the store.
func edited(t *testing.T, b *bundle, edits ...pipeline.Edit) *moments.Service {
	t.Helper()
	other := demo(t, b)
	other.Stores["demo"].Pipelines = append(other.Stores["demo"].Pipelines, edits...)
	s, err := b.Beside(other)
	require.NoError(t, err)
	return s
}

// holdsFor is a condition on the run.
type holdsFor struct{ run func(*pipeline.Run) bool }

func (h holdsFor) Holds(run *pipeline.Run) (bool, error) { return h.run(run), nil }
func (holdsFor) String() string                          { return "order.total >= 1000" }

// mailsOver sends the order mail for orders of a total only.
func mailsOver(minor int64) pipeline.Edit {
	return pipeline.Edit{Pipeline: pipeline.StatusOK, Op: pipeline.Replace, Target: "send-order-mail", Step: pipeline.Use{
		Name: "send-order-mail", When: holdsFor{func(run *pipeline.Run) bool { return run.Order.Total.Minor() >= minor }},
	}}
}

// panics is a step that does.
type panics struct{}

func (panics) Name() string           { return "panics" }
func (panics) Do(*pipeline.Run) error { panic("oh") }

func results(t *pipeline.Trial) (all []string) {
	for _, s := range t.Steps {
		all = append(all, s.Step+": "+s.Result)
	}
	return all
}

func changes(t *pipeline.Trial) (all []string) {
	for _, c := range t.Changes {
		all = append(all, strings.TrimSuffix(c.Name()+": "+c.Text(), ": "))
	}
	return all
}

func (b *bundle) try(c moments.TryCommand) *moments.Tried {
	b.t.Helper()
	c.Store = "demo"
	tried, err := b.Try(b.t.Context(), c)
	require.NoError(b.t, err)
	return tried
}

// What a trial says of a payment that waits is what then happens.
func TestWhatIsTriedIsWhatThenHappens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	before := b.read(o)

	tried := b.try(moments.TryCommand{Order: o.ID, Pipeline: pipeline.Confirm, Fact: payment.Approved})
	require.NoError(t, tried.InForce.Err)
	require.Equal(t, before, b.read(o))
	require.Equal(t, payment.ActionRequired, before.OpenTransactions()[0].State)

	b.control(http.MethodPost, "/sandbox/payments/"+b.reference(o)+"/pay", "")
	require.Eventually(t, func() bool { return b.read(o).Saved.Status == payment.OrderProcessing }, 10*time.Second, 10*time.Millisecond)
	require.Contains(t, changes(tried.InForce), "order status: pending → processing")
	require.Contains(t, changes(tried.InForce), "order payment_status: pending → paid")
	require.Contains(t, changes(tried.InForce), "effect send_order_mail: due")
	after := b.read(o)
	for key := range after.Effects {
		require.Contains(t, changes(tried.InForce), "effect "+key+": due")
	}
}

func TestATrialReadsAndDoesNothingElse(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "")
	require.NoError(t, err)
	spent := b.cost(func() {
		for _, name := range pipeline.Roots() {
			b.try(moments.TryCommand{Order: o.ID, Pipeline: name})
		}
	})
	require.Equal(t, cost{roundTrips: 12, statements: 60, commits: 12}, spent, "twelve reads, each of one snapshot")
	require.Len(t, b.charges(o), 1)
}

// A pipeline that begins a payment is tried as if that was still to come.
func TestAPaymentThatWasMadeIsTriedOnceMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(func(o *payment.Order) { o.ExpiresAt = b.clock.now().Add(time.Hour) })
	_, err := b.pay(o, "card", "")
	require.NoError(t, err)
	b.clock.advance(1000 * time.Hour)
	tried := b.try(moments.TryCommand{Order: o.ID, Pipeline: pipeline.PreProcess})
	require.Equal(t, []string{"save-order: done", "track-promotion-code: done", "psp-redirect: would call"}, results(tried.InForce))
	require.Equal(t, []string{
		"payment card: pending, 129.95 EUR", "transaction authorize_and_capture: sending, 129.95 EUR",
	}, changes(tried.InForce))
	require.Len(t, tried.Remarks, 2)

	invoiced := b.order()
	_, err = b.pay(invoiced, "invoice", "")
	require.NoError(t, err)
	tried = b.try(moments.TryCommand{Order: invoiced.ID, Pipeline: pipeline.Internal})
	require.NoError(t, tried.InForce.Err)
	require.Contains(t, strings.Join(changes(tried.InForce), "\n"), "redirect: https://shop.example/thanks")

	tried = b.try(moments.TryCommand{Order: b.order().ID, Pipeline: pipeline.PreProcess, Method: "invoice"})
	require.ErrorContains(t, tried.InForce.Err, "does not begin payments at a PSP")
	tried = b.try(moments.TryCommand{Order: b.order().ID, Pipeline: pipeline.PreProcess, Method: "nothing"})
	require.Equal(t, "method_unavailable", tried.InForce.Refusal().Code)
}

func TestAnOrderWithoutPaymentsIsTried(t *testing.T) {
	t.Parallel()
	b := setup(t)
	tried := b.try(moments.TryCommand{Order: b.order().ID, Pipeline: pipeline.Confirm})
	require.Equal(t, []string{"order-path-selector: status-pending", "order-path-selector/pending-order: done", "save-order: done"}, results(tried.InForce))
	_, err := b.Try(t.Context(), moments.TryCommand{Store: "other", Order: b.order().ID, Pipeline: pipeline.Confirm})
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
}

// What the PSP would report, or the books have, is what conditions see.
func TestConditionsSeeTheFactThatIsTried(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	var seen payment.Finding
	other := edited(t, b, pipeline.Edit{Pipeline: pipeline.Confirm, Op: pipeline.Replace, Target: "save-order", Step: pipeline.Use{
		Name: "saved", Step: "save-order", When: holdsFor{func(run *pipeline.Run) bool { seen = *run.Finding(); return true }},
	}}, pipeline.Edit{Pipeline: pipeline.Confirm, Op: pipeline.Append, List: pipeline.Post, Step: pipeline.Use{Name: "save-order"}})
	for fact, want := range map[payment.State]struct {
		state   payment.State
		changed bool
	}{"": {payment.ActionRequired, false}, payment.Declined: {payment.Declined, true}, payment.ActionRequired: {payment.ActionRequired, false}} {
		_, err = b.TryBeside(t.Context(), other, moments.TryCommand{Order: o.ID, Pipeline: pipeline.Confirm, Fact: fact})
		require.NoError(t, err)
		require.Equal(t, want.state, seen.Transaction.State)
		require.Equal(t, want.changed, seen.Changed)
		require.Equal(t, payment.ActionRequired, seen.Before)
		require.Equal(t, "wallet", seen.Payment.Method)
	}
}

func TestTwoSettingsAreCompared(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	other := edited(t, b, mailsOver(100_000), pipeline.Edit{
		Pipeline: pipeline.StatusOK, Op: pipeline.Append, Step: pipeline.Use{Name: "panics", Configured: panics{}},
	})
	tried, err := b.TryBeside(t.Context(), other, moments.TryCommand{Order: o.ID, Pipeline: pipeline.Confirm, Fact: payment.Approved})
	require.NoError(t, err)
	require.NoError(t, tried.InForce.Err)
	require.ErrorContains(t, tried.Tried.Err, "panic of type string")
	var text strings.Builder
	require.NoError(t, tried.Write(&text, "new.yaml"))
	require.Contains(t, text.String(), "\nUnder new.yaml (version "+tried.Tried.Pipeline.Version+"):\n")
	for _, line := range []string{
		`  ~ order-path-selector/send-order-mail +done → skipped, does not hold: order.total >= 1000`,
		`  \+ order-path-selector/panics +failed, panic of type string`,
		`  ~ save-order +done → not reached`,
		`  ~ run +done → failed, step order-path-selector/panics: panic of type string`,
		`  ~ order status +processing → –`,
	} {
		require.Regexp(t, line, text.String())
	}
	require.NotRegexp(t, `[ \t]\n`, text.String(), "no blanks at the end of a line")

	gone := demo(t, b)
	delete(gone.Stores, "demo")
	without, err := b.Beside(gone)
	require.NoError(t, err)
	tried, err = b.TryBeside(t.Context(), without, moments.TryCommand{Order: o.ID, Pipeline: pipeline.Confirm})
	require.NoError(t, err)
	require.ErrorContains(t, tried.Tried.Err, `no pipeline "confirm"`)
	require.Empty(t, tried.Report().Tried.Version)
}

// journal makes orders with recorded runs: small ones, and a large one.
func (b *bundle) journal(small int) (large *payment.Order) {
	b.t.Helper()
	for range small {
		b.clock.advance(time.Second) // the ids follow the clock
		_, err := b.pay(b.order(), "card", "")
		require.NoError(b.t, err)
	}
	b.clock.advance(time.Second)
	large = b.order(func(o *payment.Order) {
		o.Total = payment.FromMinor(500_000, o.Currency)
		o.Lines[0].UnitPrice, o.Lines[0].Total = o.Total, o.Total
	})
	_, err := b.pay(large, "card", "")
	require.NoError(b.t, err)
	return large
}

func TestReplayFindsTheRunsThatOtherSettingsDecideOtherwise(t *testing.T) {
	t.Parallel()
	b := setup(t)
	large := b.journal(3)
	replay := func(other *moments.Service, c moments.ReplayCommand) ([]moments.Replayed, moments.ReplaySummary) {
		t.Helper()
		var found []moments.Replayed
		sum, err := b.TryRecorded(t.Context(), other, b.store, c, func(r moments.Replayed) error {
			found = append(found, r)
			return nil
		})
		require.NoError(t, err)
		return found, sum
	}
	found, sum := replay(edited(t, b), moments.ReplayCommand{Runs: 1000})
	require.Equal(t, moments.ReplaySummary{Tried: 8}, sum, "pre-process and confirm of four orders decide as they did")
	require.Empty(t, found)

	found, sum = replay(edited(t, b, mailsOver(100_000)), moments.ReplayCommand{Runs: 1000})
	require.Equal(t, moments.ReplaySummary{Tried: 8, Differing: 3}, sum)
	require.Len(t, found, 3, "only the condition's orders differ")
	for _, r := range found {
		require.NotEqual(t, large.ID, r.ID.Order)
		require.Equal(t, pipeline.Confirm, r.Pipeline)
		require.Equal(t, "order-path-selector/send-order-mail", r.Differences[0].Subject)
	}
	_, sum = replay(edited(t, b, mailsOver(100_000)), moments.ReplayCommand{Runs: 3})
	require.Equal(t, moments.ReplaySummary{Tried: 3, Differing: 1}, sum, "the latest")
	_, sum = replay(edited(t, b), moments.ReplayCommand{Runs: 1000, RunFilter: payment.RunFilter{Pipeline: pipeline.PreProcess}})
	require.Equal(t, 4, sum.Tried)
	_, sum = replay(edited(t, b), moments.ReplayCommand{Runs: 1000, RunFilter: payment.RunFilter{Store: "other"}})
	require.Zero(t, sum.Tried)

	renamed := demo(t, b)
	renamed.Stores["demo"].Method("card").Name = "plastic"
	other, err := b.Beside(renamed)
	require.NoError(t, err)
	found, sum = replay(other, moments.ReplayCommand{Runs: 2})
	require.Equal(t, 1, sum.Differing, "the payment cannot be begun; what is known of it is decided as before")
	require.Equal(t, pipeline.PreProcess, found[0].Pipeline)
}

// A trial is on the order as it stands now, and says so where that matters.
func TestReplayTellsWhichOrdersHaveMovedOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "wallet", "") // confirm: status-pending
	require.NoError(t, err)
	_, err = b.CancelOrder(t.Context(), moments.CancelCommand{Store: "demo", Order: o.ID, Author: "till", Reason: "no"})
	require.NoError(t, err)
	sum, err := b.TryRecorded(t.Context(), edited(t, b), b.store, moments.ReplayCommand{Runs: 10}, func(moments.Replayed) error { return nil })
	require.NoError(t, err)
	require.Positive(t, sum.MovedOn)
	require.Less(t, sum.MovedOn, sum.Tried)
	require.Zero(t, sum.Differing)
}

func TestReplayStopsWhenItIsToldTo(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.journal(2)
	full := errors.New("the pipe is closed")
	sum, err := b.TryRecorded(t.Context(), edited(t, b, mailsOver(100_000)), b.store, moments.ReplayCommand{Runs: 10},
		func(moments.Replayed) error { return full })
	require.ErrorIs(t, err, full)
	require.Equal(t, 1, sum.Differing)

	ctx, stop := context.WithCancel(t.Context())
	sum, err = b.TryRecorded(ctx, edited(t, b, mailsOver(100_000)), b.store, moments.ReplayCommand{Runs: 10},
		func(moments.Replayed) error { stop(); return nil })
	require.ErrorIs(t, err, context.Canceled)
	require.Equal(t, 1, sum.Differing)
}

// pages is a journal that hands out made-up runs of one order.
type pages struct {
	order  *payment.Order
	left   int
	given  int
	limits []int
}

func (p *pages) RecordedRuns(_ context.Context, _ payment.RunFilter, after payment.RunID, limit int) ([]payment.RecordedRun, error) {
	if after.N != p.given {
		return nil, errors.New("the list goes on elsewhere")
	}
	p.limits = append(p.limits, limit)
	runs := make([]payment.RecordedRun, min(limit, p.left))
	p.left -= len(runs)
	for i := range runs {
		p.given++
		runs[i] = payment.RecordedRun{
			ID: payment.RunID{Order: p.order.ID, N: p.given}, Store: "demo", RunRecord: payment.RunRecord{Pipeline: pipeline.PreProcess, Payment: 99},
		}
	}
	return runs, nil
}

// Memory is bounded by the page, and what cannot be tried is counted.
func TestReplayReadsPages(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, c := range []struct {
		runs, recorded int
		limits         string
		failed         int
	}{
		{250, 1000, "[100 100 50]", 250}, {100, 1000, "[100]", 100}, {1000, 130, "[100 100]", 130}, {1000, 100, "[100 100]", 100}, {5, 0, "[5]", 0},
	} {
		journal := &pages{order: b.order(), left: c.recorded}
		sum, err := b.TryRecorded(t.Context(), edited(t, b), journal, moments.ReplayCommand{Runs: c.runs}, func(r moments.Replayed) error {
			require.ErrorContains(t, r.Err, "the payment of the run does not exist")
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, moments.ReplaySummary{Failed: c.failed}, sum)
		require.Equal(t, c.limits, fmt.Sprint(journal.limits))
	}
}

func TestAnOperationIsTriedOnAllThatIsLeft(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card-manual", "")
	require.NoError(t, err)
	for name, want := range map[string]string{"capture": "would call", "void": "would call", "increase": "would call", "complete": "done"} {
		tried := b.try(moments.TryCommand{Order: o.ID, Pipeline: name})
		require.NoError(t, tried.InForce.Err, name)
		require.Equal(t, want, tried.InForce.Steps[0].Result, name)
	}
	tried := b.try(moments.TryCommand{Order: o.ID, Pipeline: "refund"})
	require.Equal(t, "nothing_captured", tried.InForce.Refusal().Why.Code)
	require.Equal(t, payment.StatusAuthorized, b.read(o).PaymentStatus(), "nothing happened")
}
