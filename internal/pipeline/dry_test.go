package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// try tries main on the order of the bench.
func (b *bench) try(change ...func(*pipeline.Request)) *pipeline.Trial {
	b.Helper()
	req := b.request()
	for _, f := range change {
		f(&req)
	}
	return b.runner.Try(b.Context(), b.book.order(b.id), req)
}

// tried is what a trial says of its steps.
func tried(t *pipeline.Trial) []string {
	var all []string
	for _, s := range t.Steps {
		line := s.Step + ": " + s.Result
		if s.Why != "" {
			line += ", " + s.Why
		}
		all = append(all, line)
	}
	return all
}

func texts(changes []pipeline.TrialChange) []string {
	var all []string
	for _, c := range changes {
		all = append(all, strings.TrimSuffix(c.Name()+": "+c.Text(), ": "))
	}
	return all
}

// What a condition says.
func never(*pipeline.Run) (bool, error)  { return false, nil }
func always(*pipeline.Run) (bool, error) { return true, nil }
func fails(*pipeline.Run) (bool, error)  { return false, errBroken }

func TestATrialKeepsNothingAndCallsNobody(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	b := setup(t, mainly("moves", "pays", "save-order", "last"),
		moves("moves", payment.OrderProcessing), psp, saves(), notes("last"))
	before := b.book.order(b.id)
	trial := b.try()
	require.NoError(t, trial.Err)
	require.Equal(t, []string{"moves: done", "pays: would call", "save-order: done", "last: done"}, tried(trial))
	require.True(t, trial.Calls())
	require.Zero(t, psp.calls)
	require.Zero(t, b.book.stretches)
	require.Equal(t, before, b.book.order(b.id))
	require.Equal(t, []string{
		"payment card: pending, 10.00 EUR", "transaction authorize_and_capture: sending, 10.00 EUR", "note system: last",
	}, texts(trial.Changes), "what moved before the call was not saved, so the call loses it, as it would really")
}

// The engine of a trial is that of a run: the journal says the same.
func TestATrialGoesTheWayOfARun(t *testing.T) {
	t.Parallel()
	for name, steps := range map[string][]string{
		"straight on": {"a", "save-order"}, "into a branch": {"a", "fork", "b"}, "past a condition": {"never", "b"},
		"over a call": {"a", "asks", "b"}, "into a refusal": {"a", "refuses", "b"}, "into a failure": {"a", "panics", "b"},
	} {
		definitions := mainly(steps...)
		definitions["status-ok"] = define("status-ok", nil, []string{"c"}, nil)
		for i := range definitions["main"].Steps {
			if definitions["main"].Steps[i].Name == "never" {
				definitions["main"].Steps[i].When = holds{"order.total > 100", never}
			}
		}
		b := setup(t, definitions, notes("a"), notes("b"), notes("c"), notes("never"), saves(), refuses("refuses"),
			asking(nil), &testStep{name: "panics", do: func(*pipeline.Run) error { panic("oh") }},
			&testStep{name: "fork", branches: []string{"status-ok"}, do: func(run *pipeline.Run) error { run.Branch("status-ok"); return nil }})
		trial := b.try()
		run, err := b.execute(b.request())
		require.Equal(t, err == nil, trial.Err == nil, name)
		if payment.CodeOf(err) == "not_today" {
			require.Equal(t, []string{"a: done", "refuses: refused, not_today: come back tomorrow", "b: not reached"}, tried(trial))
			require.Equal(t, errRefused, trial.Refusal())
			continue // a refusal at the beginning is journaled nowhere
		}
		if err != nil {
			require.Equal(t, []string{"a: done", "panics: failed, panic of type string", "b: not reached"}, tried(trial))
			require.Nil(t, trial.Refusal())
			require.Empty(t, trial.Changes, "what a failed step leaves is dropped")
			continue
		}
		require.Equal(t, run.Record().Hash, trial.Pipeline.Version)
		require.Len(t, trial.Steps, len(run.Record().Steps), name)
		for i, journaled := range run.Record().Steps {
			require.Equal(t, journaled.Step, trial.Steps[i].Step, name)
			if trial.Steps[i].Result != pipeline.TrialWouldCall {
				require.Equal(t, journaled.Result, trial.Steps[i].Result, name)
			}
		}
	}
}

func TestATrialSaysWhichConditionDidNotHold(t *testing.T) {
	t.Parallel()
	definitions := mainly("fork")
	definitions["status-ok"] = define("status-ok", nil, []string{"c"}, nil)
	definitions["status-pending"] = define("status-pending", nil, []string{"c"}, nil)
	definitions["status-ok"].Steps[0].When = holds{"order.total > 100", never}
	definitions["status-pending"].Steps[0].When = holds{"order.total > 1000", never}
	b := setup(t, definitions, notes("c"), &testStep{
		name: "fork", branches: []string{"status-ok", "status-pending"}, do: func(run *pipeline.Run) error { run.Branch("status-ok"); return nil },
	})
	require.Equal(t, []string{"fork: status-ok", "fork/c: skipped, does not hold: order.total > 100"}, tried(b.try()), "of the branch that was taken")

	definitions["status-ok"].Steps[0].When = holds{"broken", fails}
	b.define(definitions, notes("c"), &testStep{
		name: "fork", branches: []string{"status-ok", "status-pending"}, do: func(run *pipeline.Run) error { run.Branch("status-ok"); return nil },
	})
	require.Equal(t, []string{"fork: status-ok", "fork/c: failed, when: it is broken"}, tried(b.try()))
}

func TestATrialTellsOfEveryKindOfChange(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("changes", "save-order"), saves(), &testStep{name: "changes", do: func(run *pipeline.Run) error {
		o := run.Order
		o.MoveTo(payment.OrderProcessing)
		o.Progress.PlacedAt = run.At
		o.Do(payment.SendOrderMail, "", run.At)
		o.Undo(payment.TrackPromotionCode, "SUMMER", run.At)
		o.Reserve(payment.Reservation{Scope: "po", Value: "4711"})
		o.OpenCase(payment.Case{Kind: payment.CaseOrphan, Detail: "Whose is it?"})
		run.Emit("order.processing", payment.StatusPaid)
		run.Note("moved")
		run.Redirect = "https://shop.example/thanks"
		return errors.Join(o.SetAttribute("risk", []byte("80"), run.At), o.SetAttribute("new", []byte(`"x"`), run.At))
	}})
	o := b.book.orders[b.id]
	o.Attributes = map[string]payment.Attribute{"risk": {Key: "risk", Value: []byte("10")}}
	o.Effects = map[string]*payment.Effect{"track_promotion_code:SUMMER": {
		Key: "track_promotion_code:SUMMER", Kind: payment.TrackPromotionCode, Subject: "SUMMER", State: payment.EffectDone,
	}}
	require.Equal(t, []string{
		"order status: pending → processing",
		"order placed_at: 2026-03-01T12:00:00Z",
		"order review: orphan_notification",
		"effect send_order_mail: due",
		"effect track_promotion_code:SUMMER: done → undo_due",
		"attribute risk: 10 → 80",
		`attribute new: "x"`,
		"case orphan_notification: Whose is it?",
		"reservation po: 4711",
		"event promotion.untrack",
		"event order.processing: paid",
		"note system: moved",
		"redirect: https://shop.example/thanks",
	}, texts(b.try().Changes))
	require.Equal(t, payment.EffectDone, o.Effects["track_promotion_code:SUMMER"].State, "the order itself is untouched")
	require.Equal(t, "10", string(o.Attributes["risk"].Value))
}

// A fact is recorded whatever the steps do; so is the case that a person is
// called with when confirm refuses.
func TestATrialThatFailsKeepsTheFacts(t *testing.T) {
	t.Parallel()
	b := setup(t, mainAnd(nil, []string{"moves", "refuses", "save-order"}), moves("moves", payment.OrderProcessing), refuses("refuses"), saves())
	reference := b.announced()
	trial := b.try(func(req *pipeline.Request) {
		req.Facts, req.Pick, req.Retry = []payment.Fact{approved(reference)}, b.pick("confirm"), true
	})
	require.Equal(t, "not_today", trial.Refusal().Code)
	id := payment.TransactionID{Order: b.id, N: 2}.String()
	require.Contains(t, texts(trial.Changes), "transaction "+id+": sending → approved")
	require.Contains(t, texts(trial.Changes), "order payment_status: pending → paid")
	require.Contains(t, texts(trial.Changes), "case failed_run: A step refused to go on, and money may have moved; the run is not tried again.",
		"what a refusal says is not what a failure says")
	require.NotContains(t, texts(trial.Changes), "order status: pending → processing")
	require.Equal(t, payment.Sending, b.book.order(b.id).OpenTransactions()[0].State)
}

func TestATrialWithoutAPipelineSaysWhy(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("a"), notes("a"))
	trial := b.try(func(req *pipeline.Request) { req.Pick = b.pick("nothing") })
	require.ErrorContains(t, trial.Err, "there is no such pipeline")
	require.Nil(t, trial.Pipeline)
	require.Empty(t, trial.Steps)

	trial = b.try(func(req *pipeline.Request) { req.Prepare = func(*pipeline.Run) error { return errRefused } })
	require.Equal(t, errRefused, trial.Refusal())
}

func TestRootsAreThePipelinesThatRunsBeginWith(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"internal", "pre-process", "confirm", "post-process", "cancel",
		"capture", "refund", "void", "increase", "mark-paid", "mark-authorized", "complete"}, pipeline.Roots())
}

func TestEveryDifferenceOfTwoTrials(t *testing.T) {
	t.Parallel()
	steps := []pipeline.Step{
		notes("a"), notes("b"), notes("c"), notes("d"), refuses("refuses"), saves(), moves("moves", payment.OrderProcessing),
		&testStep{name: "fork", branches: []string{"left", "right"}, do: func(run *pipeline.Run) error { run.Branch("left"); return nil }},
		&testStep{name: "turn", branches: []string{"left", "right"}, do: func(run *pipeline.Run) error { run.Branch("right"); return nil }},
	}
	trial := func(uses ...pipeline.Use) *pipeline.Trial {
		definitions := mainly()
		definitions["main"] = pipeline.Definition{Name: "main", Steps: uses}
		definitions["left"], definitions["right"] = define("left", nil, []string{"c"}, nil), define("right", nil, []string{"d"}, nil)
		return setup(t, definitions, steps...).try()
	}
	named := func(names ...string) *pipeline.Trial { return trial(pipeline.Named(names...)...) }
	skipped := pipeline.Use{Name: "b", When: holds{"order.total > 100", never}}
	kept := pipeline.Use{Name: "b", When: holds{"order.total > 1", always}}
	note := func(text string, before, after string) pipeline.Difference {
		return pipeline.Difference{Kind: pipeline.ChangeDiff, Subject: "note " + text, Before: before, After: after}
	}
	for name, c := range map[string]struct {
		before, after *pipeline.Trial
		want          []pipeline.Difference
	}{
		"none":                                   {named("a", "b"), named("a", "b"), nil},
		"a condition that holds decides nothing": {named("a", "b"), trial(pipeline.Use{Name: "a"}, kept), nil},
		"added": {named("a"), named("a", "b"), []pipeline.Difference{
			{Kind: pipeline.StepAdded, Subject: "b", After: "done"}, note("system", "", "b"),
		}},
		"the same twice": {named("a"), trial(pipeline.Use{Name: "a"}, pipeline.Use{Name: "again", Step: "a"}), []pipeline.Difference{
			{Kind: pipeline.StepAdded, Subject: "again", After: "done"}, note("system", "", "a"),
		}},
		"removed": {named("a", "b"), named("b"), []pipeline.Difference{
			{Kind: pipeline.StepRemoved, Subject: "a", Before: "done"}, note("system", "a", ""),
		}},
		"moved": {named("a", "b", "c"), named("b", "c", "a"), []pipeline.Difference{
			{Kind: pipeline.StepMoved, Subject: "a", Before: "first", After: "after c"},
		}},
		"skipped": {named("a", "b"), trial(pipeline.Use{Name: "a"}, skipped), []pipeline.Difference{
			{Kind: pipeline.StepResult, Subject: "b", Before: "done", After: "skipped, does not hold: order.total > 100"}, note("system", "b", ""),
		}},
		"refused": {named("a", "b"), named("refuses", "a", "b"), []pipeline.Difference{
			{Kind: pipeline.StepResult, Subject: "a", Before: "done", After: "not reached"},
			{Kind: pipeline.StepResult, Subject: "b", Before: "done", After: "not reached"},
			{Kind: pipeline.StepAdded, Subject: "refuses", After: "refused, not_today: come back tomorrow"},
			{Kind: pipeline.Outcome, Subject: "run", Before: "done", After: "refused, not_today: come back tomorrow"},
			note("system", "a", ""), note("system", "b", ""),
		}},
		"another branch": {trial(pipeline.Use{Name: "fork"}), trial(pipeline.Use{Name: "fork", Step: "turn"}), []pipeline.Difference{
			{Kind: pipeline.StepResult, Subject: "fork", Before: "left", After: "right"}, note("system", "c", "d"),
		}},
		"other changes": {named("moves", "save-order"), named("save-order", "moves"), []pipeline.Difference{
			{Kind: pipeline.StepMoved, Subject: "moves", Before: "first", After: "after save-order"},
			{Kind: pipeline.ChangeDiff, Subject: "order status", Before: "processing"},
		}},
	} {
		require.Equal(t, c.want, pipeline.Compare(c.before, c.after), name)
	}
}

// Nothing that is written down waits for a trial: it works without a book.
func TestATrialNeedsNoBook(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("a"), notes("a"))
	b.book.before = func(int) error { return context.Canceled }
	require.NoError(t, b.try().Err)
	require.Zero(t, b.book.stretches)
}
