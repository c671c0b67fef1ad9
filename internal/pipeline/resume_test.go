package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// crashed returns a bench on which a run was left between its commits: the PSP
// was called, and its answer was never written down.
func crashed(t *testing.T, definitions pipeline.Definitions, psp *callStep, steps ...pipeline.Step) *bench {
	t.Helper()
	b := setup(t, definitions, append(steps, psp)...)
	b.book.before = failing(2)
	_, err := b.execute(b.request())
	require.ErrorIs(t, err, payment.ErrUnrecorded)
	require.ErrorIs(t, err, errGone)
	require.Equal(t, payment.KindUnavailable, payment.KindOf(err))
	require.Equal(t, payment.RunCalling, b.book.journal()[0].State)
	require.Equal(t, payment.Sending, b.book.order(b.id).Payments[0].Transactions[0].State)
	b.at = b.book.journal()[0].DueAt
	return b
}

// I2: what may have been sent is never sent again.
func TestAfterACrashARunGoesOnAtTheJournaledStepAndNeverCallsAgain(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	selector := &testStep{name: "selector", branches: []string{"child"}, do: func(run *pipeline.Run) error { run.Branch("child"); return nil }}
	b := crashed(t, pipeline.Definitions{
		"main": define("main", []string{"a"}, []string{"selector"}, []string{"c"}), "child": define("child", nil, []string{"pays", "b"}, nil),
		"confirm": define("confirm", nil, nil, nil),
	}, psp, notes("a"), notes("b"), notes("c"), selector)
	require.Equal(t, []string{"a"}, b.timeline())
	n := b.book.journal()[0].N
	run, err := b.resume(n)
	require.NoError(t, err)
	require.NotNil(t, run)
	require.Equal(t, 1, psp.calls)
	r := b.book.journal()[0]
	require.Equal(t, payment.RunDone, r.State)
	require.Equal(t, []string{"a: done", "selector: child", "selector/pays: called", "selector/b: done", "c: done"}, results(r))
	require.Equal(t, []string{"a", "b", "c"}, b.timeline(), "each once")
	o := b.book.order(b.id)
	require.Len(t, o.Payments[0].Transactions, 1)
	require.Equal(t, payment.Sending, o.Payments[0].Transactions[0].State, "nothing is known: the PSP is asked")
}

// A crash right after the facts were recorded must not keep confirm from them.
func TestAfterACrashBetweenTwoCallsTheFactsOfTheFirstAreConfirmed(t *testing.T) {
	t.Parallel()
	psp, tells := pays(payment.Approved), &callStep{testStep: testStep{name: "tells"}}
	b := setup(t, mainAnd([]string{"pays", "tells"}, []string{"decides"}), psp, tells, decides())
	b.book.before = failing(3)
	_, err := b.execute(b.request())
	require.ErrorIs(t, err, payment.ErrUnrecorded)
	b.requirePaid()
	_, err = b.resume(b.book.journal()[0].N)
	require.NoError(t, err)
	b.requireDecided()
	require.Equal(t, []int{1, 1}, []int{psp.calls, tells.calls})
}

// A pipeline that changed while a run was under way: the run waits for a person,
// and does not begin anew when the pipeline is changed back.
func TestARunWhosePipelineChangedIsNotGuessedAt(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	definitions := mainly("a", "pays", "b")
	steps := []pipeline.Step{notes("a"), notes("b"), psp}
	b := crashed(t, definitions, psp, steps[:2]...)
	n := b.book.journal()[0].N

	b.define(mainly("b", "pays", "a"), steps...)
	_, err := b.resume(n)
	require.ErrorContains(t, err, "has changed since the run began")
	r := b.book.journal()[0]
	require.Equal(t, payment.RunFailed, r.State)
	require.Equal(t, []string{"a: done", "pays: called"}, results(r), "what was committed stays committed")
	require.Equal(t, []string{"a"}, b.timeline())

	b.define(definitions, steps...)
	_, err = b.resume(n)
	require.NoError(t, err)
	require.Equal(t, 1, psp.calls, "it was called already")
	require.Len(t, b.book.order(b.id).Payments, 1)
	require.Equal(t, []string{"a", "b"}, b.timeline())
}

// The same version with another journal: somebody edited rows by hand.
func TestAJournalThatDoesNotFitItsPipelineIsLeftAlone(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	b := crashed(t, mainly("a", "pays", "b"), psp, notes("a"), notes("b"))
	r := b.book.runs[b.book.journal()[0].N]
	r.Steps = append([]payment.StepRecord{{Step: "b", Result: "failed"}, {Step: "a", Result: "done"}, {Step: "z", Result: "done"}}, r.Steps...)
	_, err := b.resume(r.N)
	require.ErrorContains(t, err, `journaled step "z" is not where the pipeline has it`)
	require.Equal(t, []string{"a: done", "z: done", "a: done", "pays: called"}, results(b.book.journal()[0]))
	require.Equal(t, 1, psp.calls)
}

func TestARunThatSomebodyElseTookUpIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := crashed(t, mainly("a", "pays", "b"), pays(payment.Approved), notes("a"), notes("b"))
	r := b.book.journal()[0]
	b.book.take(r.N)
	_, err := b.execute(pipeline.Request{
		Open: payment.Opening{Order: b.id, Journal: r}, Pick: b.pick("main"), Confirm: b.pick("confirm"), Resume: r, Retry: true,
	})
	require.ErrorIs(t, err, payment.ErrStale)
	require.Equal(t, []string{"a"}, b.timeline())
}

// A job took up the run while the PSP was still being called: what it says then
// is a fact like any other.
func TestFactsOfARunThatWasTakenUpElsewhereAreConfirmedUnderANewRun(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	b := setup(t, mainAnd([]string{"pays", "b"}, []string{"decides"}), psp, notes("b"), decides())
	inner := psp.call
	psp.call = func(ctx context.Context, run *pipeline.Run) []payment.Fact {
		b.book.take(run.Record().N)
		return inner(ctx, run)
	}
	req := b.request()
	req.Open.Claim = &payment.Claim{Key: "k"}
	req.Reply = func(run *pipeline.Run) *payment.Reply { return &payment.Reply{Body: []byte(run.Payment.Status)} }
	_, err := b.execute(req)
	require.NoError(t, err)
	b.requireDecided()
	require.Equal(t, 1, psp.calls)
	require.Equal(t, payment.RunCalling, b.book.journal()[0].State, "that is for whoever took it up")
	require.Equal(t, "confirm", b.book.journal()[1].Pipeline)
	require.Empty(t, b.timeline())
	require.Equal(t, "paid", string(b.book.claims["k"].Reply.Body))
}

func TestFactsStayWhenTheRunIsTakenUpWhileItsFailureIsWrittenDown(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainAnd([]string{"pays", "breaks"}, []string{"decides"}), pays(payment.Approved), breaks("breaks", &broken), decides())
	b.book.before = func(n int) error {
		if n == 3 { // the failed step is about to be journaled
			for _, r := range b.book.runs {
				r.Token[0]++
			}
		}
		return nil
	}
	_, err := b.execute(b.request())
	require.NoError(t, err)
	b.requireDecided()
}

func TestARefusalOfAResumedRunEndsIt(t *testing.T) {
	t.Parallel()
	b := crashed(t, mainly("pays", "refuses"), pays(payment.Approved), refuses("refuses"))
	_, err := b.resume(b.book.journal()[0].N)
	require.Same(t, errRefused, err)
	r := b.book.journal()[0]
	require.Equal(t, payment.RunFailed, r.State)
	require.True(t, r.DueAt.IsZero(), "trying again would be refused again")
	require.Empty(t, b.timeline())
}

func TestAResumedRunThatCannotBePickedIsTriedAgainAndThenGivenUp(t *testing.T) {
	t.Parallel()
	b := crashed(t, mainly("pays"), pays(payment.Approved))
	n := b.book.journal()[0].N
	delete(b.set, "main")
	for range 10 {
		_, err := b.resume(n)
		require.ErrorContains(t, err, "there is no such pipeline")
		b.at = b.at.Add(time.Hour)
	}
	require.True(t, b.book.journal()[0].DueAt.IsZero())
	require.Equal(t, payment.CaseFailedRun, b.book.cases[0].Kind)
	require.Equal(t, []string{"pays: called"}, results(b.book.journal()[0]))
}
