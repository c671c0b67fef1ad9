package pipeline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

func TestPreStepsStepsAndPostStepsRunInThisOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, pipeline.Definitions{"main": define("main", []string{"a", "b"}, []string{"c"}, []string{"d", "e"})},
		notes("a"), notes("b"), notes("c"), notes("d"), notes("e"))
	b.run()
	require.Equal(t, []string{"a", "b", "c", "d", "e"}, b.timeline())
	require.Equal(t, 1, b.book.commits, "all of it is one commit")
}

// What stops a list? An error of a step. And nothing that follows runs: no step,
// no post-step.
func TestAFailedStepStopsItsListAndThoseThatFollow(t *testing.T) {
	t.Parallel()
	broken := true
	lists := map[string]pipeline.Definition{
		"pre":   define("main", []string{"a", "breaks", "b"}, []string{"c"}, []string{"d"}),
		"steps": define("main", []string{"a"}, []string{"breaks", "b", "c"}, []string{"d"}),
		"post":  define("main", nil, []string{"a"}, []string{"breaks", "b", "c", "d"}),
	}
	for list, definition := range lists {
		b := setup(t, pipeline.Definitions{"main": definition},
			notes("a"), notes("b"), notes("c"), notes("d"), breaks("breaks", &broken))
		run, err := b.execute(b.request())
		require.ErrorIs(t, err, errBroken, list)
		require.Equal(t, payment.RunFailed, run.Record().State, list)
		require.Empty(t, b.timeline(), "%s: what the steps before changed is dropped", list)
		require.Len(t, b.book.journal(), 1)
		kept := b.book.journal()[0]
		require.Equal(t, []string{"a: dropped", "breaks: failed"}, results(kept), list)
		require.Equal(t, "it is broken", kept.Steps[1].Error)
		require.Equal(t, "step breaks: it is broken", kept.Error)
		require.Equal(t, 1, kept.Tries)
		require.True(t, kept.DueAt.IsZero(), "a caller waits for it: nobody tries again behind its back")
	}
}

// What does a panic become? The error of its step.
func TestAPanicIsAnErrorOfItsStep(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("a", "panics"), notes("a"),
		&testStep{name: "panics", do: func(*pipeline.Run) error { panic("boom") }})
	_, err := b.execute(b.request())
	require.EqualError(t, err, "step panics: panic of type string")
	require.Equal(t, payment.RunFailed, b.book.journal()[0].State)
	require.Empty(t, b.timeline())
}

func TestMixedCurrenciesInAStepFailTheRunAndNotTheProcess(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("mixes"), &testStep{name: "mixes", do: func(run *pipeline.Run) error {
		run.Order.Total.Add(payment.Money{})
		return nil
	}})
	_, err := b.execute(b.request())
	require.ErrorContains(t, err, "different currencies")
}

// A refusal is for the caller, and leaves no trace.
func TestARefusalDropsEverything(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("a", "moves", "save-order", "effect", "refuses"), notes("a"), moves("moves", payment.OrderProcessing),
		saves(), refuses("refuses"), &testStep{name: "effect", do: func(run *pipeline.Run) error {
			run.Order.Do(payment.DeductStock, "", run.At)
			return nil
		}})
	req := b.request()
	req.Open.Claim = &payment.Claim{Key: "k"}
	req.Retry = true
	before := b.book.order(b.id)
	_, err := b.execute(req)
	require.Same(t, errRefused, err, "as itself, for the caller")
	require.Equal(t, before, b.book.order(b.id))
	require.Empty(t, b.book.journal())
	require.Empty(t, b.book.notes)
	require.Empty(t, b.book.claims, "the key is free for another try")
}

func TestARefusalBeforeTheFirstStepDropsEverythingToo(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("a"), notes("a"))
	req := b.request()
	req.Prepare = func(run *pipeline.Run) error { run.Note("checked"); return errRefused }
	_, err := b.execute(req)
	require.Same(t, errRefused, err)
	require.Zero(t, b.book.commits)

	req.Prepare, req.Pick = nil, func(*pipeline.Run) (*pipeline.Pipeline, error) { return nil, errRefused }
	_, err = b.execute(req)
	require.Same(t, errRefused, err)
	require.Zero(t, b.book.commits)
}

func TestAnOrderWhoseFirstPipelineFailsIsNotMade(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainly("breaks"), breaks("breaks", &broken))
	clear(b.book.orders)
	req := b.request()
	req.Open = payment.Opening{New: newOrder(t), Claim: &payment.Claim{Key: "k"}}
	_, err := b.execute(req)
	require.ErrorIs(t, err, errBroken)
	require.Empty(t, b.book.orders)
	require.Empty(t, b.book.claims)

	broken = false
	_, err = b.execute(req)
	require.NoError(t, err)
	require.Len(t, b.book.orders, 1)
}

// What is written? What steps change on the order lasts only if save-order runs
// after it; all else is written regardless.
func TestOnlySaveOrderMakesChangesOfTheOrderLast(t *testing.T) {
	t.Parallel()
	effect := &testStep{name: "effect", do: func(run *pipeline.Run) error {
		run.Order.Do(payment.DeductStock, "", run.At)
		return nil
	}}
	for name, c := range map[string]struct {
		steps []string
		want  payment.OrderStatus
	}{
		"no save-order":    {[]string{"moves", "effect", "a"}, payment.OrderPending},
		"save-order first": {[]string{"save-order", "moves", "effect", "a"}, payment.OrderPending},
		"save-order after": {[]string{"moves", "save-order", "effect", "a"}, payment.OrderProcessing},
		"between":          {[]string{"moves", "save-order", "effect", "a", "ends"}, payment.OrderProcessing},
	} {
		b := setup(t, mainly(c.steps...), moves("moves", payment.OrderProcessing), moves("ends", payment.OrderComplete),
			saves(), effect, notes("a"))
		b.run()
		o := b.book.order(b.id)
		require.Equal(t, c.want, o.Saved.Status, name)
		require.Equal(t, []string{"a"}, b.timeline(), name)
		require.Contains(t, o.Effects, "deduct_stock", name)
		require.Len(t, b.book.journal(), 1, name)
	}
}

// What does the journal say? Which pipeline in which version, each step by the
// way that led to it, what became of it, when and how long.
func TestTheJournalSaysWhatHappened(t *testing.T) {
	t.Parallel()
	selector := &testStep{name: "selector", branches: []string{"status-ok", "status-cancel"}}
	selector.do = func(run *pipeline.Run) error { run.Branch("status-ok"); return nil }
	deep := &testStep{name: "deep", branches: []string{"child"}, do: func(run *pipeline.Run) error { run.Branch("child"); return nil }}
	b := setup(t, nil)
	slow := &testStep{name: "slow", do: func(*pipeline.Run) error { b.at = b.at.Add(3 * time.Millisecond); return nil }}
	b.define(pipeline.Definitions{
		"main":      define("main", []string{"a"}, []string{"selector"}, []string{"b"}),
		"status-ok": define("status-ok", nil, []string{"deep", "slow"}, nil), "status-cancel": define("status-cancel", nil, nil, nil),
		"child": define("child", nil, []string{"c"}, nil),
	}, notes("a"), notes("b"), notes("c"), selector, deep, slow)
	run := b.run()
	r := b.book.journal()[0]
	require.Equal(t, []string{
		"a: done", "selector: status-ok", "selector/deep: child", "selector/deep/c: done", "selector/slow: done", "b: done",
	}, results(r))
	require.Equal(t, 3*time.Millisecond, r.Steps[4].Took)
	require.Equal(t, noon(), r.Steps[4].BegunAt)
	require.Equal(t, noon().Add(3*time.Millisecond), r.Steps[5].BegunAt)
	require.Equal(t, "main", r.Pipeline)
	require.Equal(t, b.set["main"].Version, r.Hash)
	require.Equal(t, payment.RunDone, r.State)
	require.Equal(t, noon(), r.BegunAt)
	require.Equal(t, noon(), r.EndedAt)
	require.True(t, r.DueAt.IsZero())
	require.Empty(t, r.Error)
	require.Equal(t, r.N, run.Record().N)
}

func TestABranchThatIsNotThereFailsTheRun(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("selector"), &testStep{name: "selector", do: func(run *pipeline.Run) error { run.Branch("gone"); return nil }})
	_, err := b.execute(b.request())
	require.ErrorContains(t, err, `there is no branch "gone"`)
}

func TestEffectsAreStagedOnceHoweverOftenARunIsRepeated(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("effect"), &testStep{name: "effect", do: func(run *pipeline.Run) error {
		run.Order.Do(payment.TrackPromotionCode, "SUMMER", run.At)
		return nil
	}})
	b.book.again = twice(1, 3)
	for range 4 {
		b.run()
	}
	require.Len(t, b.book.order(b.id).Effects, 1)
	require.Len(t, b.book.events, 1)
	require.Equal(t, "promotion.track", b.book.events[0].Type)
	require.Len(t, b.book.journal(), 4)
}

func TestTheAnswerIsRenderedFromTheRunAsItIsCommitted(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("moves", "save-order", "page"), moves("moves", payment.OrderProcessing), saves(),
		&testStep{name: "page", do: func(run *pipeline.Run) error { run.Redirect = string(run.Data); return nil }})
	req := b.request()
	req.Open.Claim, req.Data = &payment.Claim{Key: "k"}, []byte(`"here"`)
	req.Reply = func(run *pipeline.Run) *payment.Reply {
		return &payment.Reply{Status: 200, Body: []byte(string(run.Order.Saved.Status) + run.Redirect)}
	}
	_, err := b.execute(req)
	require.NoError(t, err)
	require.Equal(t, `processing"here"`, string(b.book.claims["k"].Reply.Body))

	_, err = b.execute(req)
	var claimed *payment.Claimed
	require.ErrorAs(t, err, &claimed, "the key is taken")
	require.Len(t, b.book.journal(), 1)
}

// A run that failed was never prepared: there is nothing to answer from.
func TestAFailedRunWithoutFactsLeavesItsKeyFreeAndHasNoAnswer(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainly("breaks"), breaks("breaks", &broken))
	req := b.request()
	req.Open.Claim = &payment.Claim{Key: "k"}
	req.Prepare = func(run *pipeline.Run) error {
		run.Payment = run.Order.OpenPayment("card", "sandbox", "shop", payment.ModeTest, run.Order.Total, run.At)
		return nil
	}
	req.Reply = func(run *pipeline.Run) *payment.Reply {
		return &payment.Reply{Body: []byte(run.Payment.Method)}
	}
	_, err := b.execute(req)
	require.ErrorIs(t, err, errBroken)
	require.Empty(t, b.book.claims)
	require.Len(t, b.book.journal(), 1)
	broken = false
	_, err = b.execute(req)
	require.NoError(t, err)
	require.Equal(t, "card", string(b.book.claims["k"].Reply.Body))
}
