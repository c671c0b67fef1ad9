package pipeline_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// asks is a step that asks the shop: it may be repeated, and what the shop says
// is done in the next stretch.
type asks struct {
	testStep
	ids    []string
	answer func(run *pipeline.Run) error
	during func() // while the shop thinks
}

func asking(answer func(run *pipeline.Run) error) *asks {
	return &asks{testStep: testStep{name: "asks"}, answer: answer}
}

func (s *asks) Repeatable() {}

func (s *asks) Call(_ context.Context, run *pipeline.Run) pipeline.Answer {
	s.ids = append(s.ids, run.CallID())
	if s.during != nil {
		s.during()
	}
	return pipeline.Answer{Then: s.answer}
}

// opens begins a payment before the first step, as pay does.
func (b *bench) opens() pipeline.Request {
	req := b.request()
	req.Prepare = func(run *pipeline.Run) error {
		run.Payment = run.Order.OpenPayment("card", "sandbox", "shop", payment.ModeTest, run.Order.Due(), run.At)
		return nil
	}
	return req
}

// sends announces what was opened and has it approved.
func sends() *callStep {
	psp := pays(payment.Approved)
	psp.do = func(run *pipeline.Run) error {
		if run.Resumed {
			return errRefused
		}
		run.Announce(run.Payment, payment.AuthorizeAndCapture, run.Payment.Amount)
		return nil
	}
	return psp
}

func TestWhatACallBringsMayChangeTheRunBeforeTheNextStep(t *testing.T) {
	t.Parallel()
	shop := asking(func(run *pipeline.Run) error { run.Note("the shop says yes"); return nil })
	b := setup(t, mainAnd([]string{"a", "asks", "b", "pays"}, []string{"decides"}), notes("a"), notes("b"), shop, sends(), decides())
	_, err := b.execute(b.opens())
	require.NoError(t, err)
	b.requireDecided()
	require.Equal(t, []string{"a", "the shop says yes", "b"}, b.timeline())
	require.Equal(t, []string{"a: done", "asks: called", "b: done", "pays: called"}, results(b.book.journal()[0]))
	require.Equal(t, 3, b.book.commits)
}

func TestAShopThatRefusesEndsThePaymentBeforeAnythingIsSent(t *testing.T) {
	t.Parallel()
	shop := asking(func(*pipeline.Run) error { return errRefused })
	psp := sends()
	b := setup(t, mainAnd([]string{"asks", "b", "pays"}, []string{"decides"}), notes("b"), shop, psp, decides())
	req := b.opens()
	req.Open.Claim = &payment.Claim{Key: "k"}
	var replied *payment.Error
	req.Reply = func(run *pipeline.Run) *payment.Reply { replied = run.Refusal; return &payment.Reply{Status: 422} }
	_, err := b.execute(req)
	require.ErrorIs(t, err, errRefused)
	require.NotErrorIs(t, err, payment.ErrUnrecorded, "nothing was sent")
	require.Equal(t, errRefused, replied, "the answer is kept for who repeats the request")
	require.Zero(t, psp.calls)
	p := b.book.order(b.id).Payments[0]
	require.Equal(t, payment.StatusFailed, p.Status, "and another attempt may begin")
	require.Empty(t, p.Transactions)
	r := b.book.journal()[0]
	require.Equal(t, payment.RunFailed, r.State)
	require.True(t, r.DueAt.IsZero(), "nobody tries it again")
	require.Equal(t, []string{"asks: failed"}, results(r))
	require.Empty(t, b.timeline())
}

func TestAnAnswerThatCannotBeReadFailsTheRun(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]func(*pipeline.Run) error{
		"an error": func(*pipeline.Run) error { return errBroken }, "a panic": func(*pipeline.Run) error { panic("boom") },
	} {
		b := setup(t, mainAnd([]string{"asks", "pays"}, []string{"decides"}), asking(answer), sends(), decides())
		_, err := b.execute(b.opens())
		require.Error(t, err, name)
		require.Equal(t, payment.StatusFailed, b.book.order(b.id).Payments[0].Status, name)
		require.Equal(t, payment.RunFailed, b.book.journal()[0].State, name)
	}
}

// What was asked before a crash is asked again, under the same name; but nobody
// is charged who is not there any more.
func TestAfterACrashTheShopIsAskedAgainAndNothingIsBegun(t *testing.T) {
	t.Parallel()
	shop := asking(func(run *pipeline.Run) error { run.Note("yes"); return nil })
	psp := sends()
	b := setup(t, mainAnd([]string{"asks", "pays"}, []string{"decides"}), shop, psp, decides())
	b.book.before = failing(2)
	_, err := b.execute(b.opens())
	require.ErrorIs(t, err, errGone)
	require.NotErrorIs(t, err, payment.ErrUnrecorded)
	require.Equal(t, payment.RunCalling, b.book.journal()[0].State)

	b.at = b.book.journal()[0].DueAt
	_, err = b.resume(b.book.journal()[0].N)
	require.ErrorIs(t, err, errRefused)
	require.Len(t, shop.ids, 2)
	require.Equal(t, shop.ids[0], shop.ids[1])
	require.Regexp(t, `^run_.+/asks$`, shop.ids[0])
	require.Zero(t, psp.calls)
	require.Equal(t, payment.StatusFailed, b.book.order(b.id).Payments[0].Status)
}

func TestAfterACrashAHarmlessCallGoesOnWithTheRun(t *testing.T) {
	t.Parallel()
	shop := asking(func(run *pipeline.Run) error { run.Note("yes"); return nil })
	b := setup(t, mainly("a", "asks", "b"), notes("a"), notes("b"), shop)
	b.book.before = failing(2)
	_, err := b.execute(b.request())
	require.ErrorIs(t, err, errGone)
	b.at = b.book.journal()[0].DueAt
	_, err = b.resume(b.book.journal()[0].N)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "yes", "b"}, b.timeline(), "each once")
	require.Equal(t, []string{"a: done", "asks: called", "b: done"}, results(b.book.journal()[0]))
	require.Equal(t, payment.RunDone, b.book.journal()[0].State)
}

// While the shop thinks, a job may take the run up: one of both goes on.
func TestARunThatWasTakenUpElsewhereDoesNothingMore(t *testing.T) {
	t.Parallel()
	psp := sends()
	shop := asking(func(*pipeline.Run) error { return nil })
	b := setup(t, mainAnd([]string{"asks", "pays"}, []string{"decides"}), shop, psp, decides())
	shop.during = func() { b.book.take(b.book.journal()[0].N) }
	_, err := b.execute(b.opens())
	require.ErrorIs(t, err, payment.ErrStale)
	require.Zero(t, psp.calls)
	require.Empty(t, b.book.order(b.id).Payments[0].Transactions)
}

// A refusal after money moved must not leave the order unpaid in silence.
func TestARefusalOfConfirmIsACase(t *testing.T) {
	t.Parallel()
	b := setup(t, mainAnd([]string{"pays"}, []string{"refuses"}), pays(payment.Approved), refuses("refuses"))
	b.run()
	b.requirePaid()
	require.Len(t, b.book.cases, 1)
	require.Equal(t, payment.CaseFailedRun, b.book.cases[0].Kind)
}

// holds is a condition of a test.
type holds struct {
	source string
	holds  func(run *pipeline.Run) (bool, error)
}

func (h holds) Holds(run *pipeline.Run) (bool, error) { return h.holds(run) }
func (h holds) String() string                        { return h.source }

func (b *bench) runWhen(name string, h func(*pipeline.Run) (bool, error), steps ...pipeline.Step) error {
	b.Helper()
	definitions := mainly("a", name, "b")
	definitions["main"].Steps[1].When = holds{"order.total > 1", h}
	b.define(definitions, steps...)
	_, err := b.execute(b.request())
	return err
}

func TestAStepWhoseConditionDoesNotHoldIsSkipped(t *testing.T) {
	t.Parallel()
	for _, step := range []pipeline.Step{notes("maybe"), &callStep{testStep: testStep{name: "maybe"}}, &testStep{name: "maybe", do: func(run *pipeline.Run) error {
		run.Branch("confirm")
		return nil
	}, branches: []string{"confirm"}}} {
		b := setup(t, mainly("a", "b"), notes("a"), notes("b"))
		require.NoError(t, b.runWhen("maybe", func(*pipeline.Run) (bool, error) { return false, nil }, notes("a"), notes("b"), step))
		require.Equal(t, []string{"a", "b"}, b.timeline())
		require.Equal(t, []string{"a: done", "maybe: skipped", "b: done"}, results(b.book.journal()[0]))
		require.Equal(t, 1, b.book.commits)
	}
}

func TestAConditionSeesWhatTheStepsBeforeChanged(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("a"), notes("a"))
	first := &testStep{name: "a", do: func(run *pipeline.Run) error { run.Redirect = "x"; return nil }}
	err := b.runWhen("maybe", func(run *pipeline.Run) (bool, error) { return run.Redirect == "x", nil }, first, notes("maybe"), notes("b"))
	require.NoError(t, err)
	require.Equal(t, []string{"maybe", "b"}, b.timeline())
}

func TestAConditionThatCannotBeDecidedFailsItsStep(t *testing.T) {
	t.Parallel()
	for _, h := range []func(*pipeline.Run) (bool, error){
		func(*pipeline.Run) (bool, error) { return true, errors.New("no idea") },
		func(*pipeline.Run) (bool, error) { panic("boom") },
	} {
		b := setup(t, mainly("a"), notes("a"))
		err := b.runWhen("maybe", h, notes("a"), notes("maybe"), notes("b"))
		require.ErrorContains(t, err, "step maybe")
		require.Empty(t, b.timeline())
	}
}

// A skipped step stays skipped when a job goes on with the run, whatever the
// condition would say by then.
func TestARunThatIsTakenUpKeepsWhatItSkipped(t *testing.T) {
	t.Parallel()
	definitions := mainly("maybe", "pays", "b")
	rich := false
	definitions["main"].Steps[0].When = holds{"rich", func(*pipeline.Run) (bool, error) { return rich, nil }}
	psp := pays(payment.Approved)
	b := crashed(t, definitions, psp, notes("maybe"), notes("b"))
	rich = true
	_, err := b.resume(b.book.journal()[0].N)
	require.NoError(t, err)
	require.Equal(t, []string{"maybe: skipped", "pays: called", "b: done"}, results(b.book.journal()[0]))
}

// Settings may be replaced while a PSP is called: the run goes on as it began.
func TestARunKeepsThePipelineThatItBeganWith(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	b := setup(t, mainly("pays", "b"), psp, notes("b"), notes("c"))
	inner := psp.call
	psp.call = func(ctx context.Context, run *pipeline.Run) []payment.Fact {
		b.define(mainly("c", "pays"), psp, notes("c"))
		return inner(ctx, run)
	}
	b.run()
	require.Equal(t, []string{"pays: called", "b: done"}, results(b.book.journal()[0]))
	require.Equal(t, []string{"b"}, b.timeline())
	require.Equal(t, time.Time{}, b.book.journal()[0].DueAt)
}
