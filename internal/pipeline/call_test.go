package pipeline_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// decides is a confirm pipeline's step: what is paid goes on.
func decides() *testStep {
	return &testStep{name: "decides", do: func(run *pipeline.Run) error {
		if run.Order.Covered() {
			run.Order.MoveTo(payment.OrderProcessing)
		}
		run.Order.Save()
		return nil
	}}
}

func (b *bench) requireDecided() {
	b.Helper()
	b.requirePaid()
	require.Equal(b, payment.OrderProcessing, b.book.order(b.id).Saved.Status, "confirm has decided on it")
}

func TestACallStandsBetweenTwoCommitsAndConfirmFollowsInTheSecond(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	b := setup(t, mainAnd([]string{"a", "pays", "b"}, []string{"decides"}), notes("a"), notes("b"), psp, decides())
	inner := psp.call
	psp.call = func(ctx context.Context, run *pipeline.Run) []payment.Fact {
		require.False(t, b.book.busy(), "no transaction is open while the PSP is called")
		require.Equal(t, 1, b.book.commits, "what was announced is committed")
		require.Equal(t, payment.Sending, b.book.order(b.id).Payments[0].Transactions[0].State)
		require.Equal(t, payment.RunCalling, b.book.journal()[0].State)
		require.Equal(t, []string{"a: done", "pays: called"}, results(b.book.journal()[0]))
		require.Equal(t, noon().Add(2*time.Minute), b.book.journal()[0].DueAt, "a job looks after it should we die")
		require.NoError(t, ctx.Err())
		_, bounded := ctx.Deadline()
		require.True(t, bounded)
		return inner(ctx, run)
	}
	run := b.run()
	require.Equal(t, 2, b.book.commits)
	require.Equal(t, 1, psp.calls)
	b.requireDecided()
	require.Equal(t, payment.OrderProcessing, run.Order.Saved.Status)
	require.Equal(t, "card", run.Payment.Method)
	journal := b.book.journal()
	require.Len(t, journal, 2)
	require.Equal(t, []string{"a: done", "pays: called", "b: done"}, results(journal[0]))
	require.Equal(t, []string{"decides: done"}, results(journal[1]))
	for _, r := range journal {
		require.Equal(t, payment.RunDone, r.State)
		require.True(t, r.DueAt.IsZero())
		require.Equal(t, run.Payment.N, r.Payment)
	}
	require.Equal(t, "confirm", journal[1].Pipeline)
	require.Equal(t, journal[0].Token, journal[1].Token, "one commit")
	require.Equal(t, []string{"a", "b"}, b.timeline())
}

// I2: sends(a) ≤ 1, whatever the database wants.
func TestACallIsMadeOnceEvenWhenStretchesAreRetried(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	b := setup(t, mainAnd([]string{"pays"}, []string{"decides"}), psp, decides())
	b.book.again = twice(1, 2)
	b.run()
	require.Equal(t, 1, psp.calls)
	require.Len(t, b.book.order(b.id).Payments, 1)
	require.Len(t, b.book.journal(), 2)
	b.requireDecided()
}

func TestACallGoesOnWhenTheCallerHasGone(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	b := setup(t, mainAnd([]string{"pays"}, []string{"decides"}), psp, decides())
	ctx, cancel := context.WithCancel(t.Context())
	inner := psp.call
	psp.call = func(ctx context.Context, run *pipeline.Run) []payment.Fact {
		cancel()
		require.NoError(t, ctx.Err())
		return inner(ctx, run)
	}
	_, err := b.runner.Execute(ctx, b.request())
	require.NoError(t, err)
	b.requireDecided()
}

func TestACallThatBringsNothingIsNotConfirmed(t *testing.T) {
	t.Parallel()
	b := setup(t, mainAnd([]string{"asks", "b"}, []string{"decides"}), &callStep{testStep: testStep{name: "asks"}}, notes("b"), decides())
	b.run()
	require.Len(t, b.book.journal(), 1)
	require.Equal(t, []string{"b"}, b.timeline())
}

// What does a panic of a call become? Nobody knows what was sent: the PSP is asked.
func TestAPanicOfACallIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	psp.call = func(context.Context, *pipeline.Run) []payment.Fact { panic("boom") }
	b := setup(t, mainAnd([]string{"pays"}, []string{"decides"}), psp, decides())
	b.run()
	x := b.book.order(b.id).Payments[0].Transactions[0]
	require.Equal(t, payment.Unknown, x.State)
	require.Equal(t, "internal_error", x.Reason.Code)
	require.False(t, x.DueAt.IsZero())
	require.Equal(t, payment.RunDone, b.book.journal()[0].State)
}

func TestNoCallIsMadeOfWhatWasNotCommitted(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(*book){
		"it failed":             func(k *book) { k.before = failing(1) },
		"its answer never came": func(k *book) { k.lose = failing(1) },
	} {
		psp := pays(payment.Approved)
		b := setup(t, mainAnd([]string{"pays"}, nil), psp)
		broken(b.book)
		_, err := b.execute(b.request())
		require.ErrorIs(t, err, errGone, name)
		require.Zero(t, psp.calls, "%s: whether anybody knows of it is not known", name)
	}
}

func TestFactsStayWhenAStepAfterTheCallFails(t *testing.T) {
	t.Parallel()
	broken := true
	psp := pays(payment.Approved)
	b := setup(t, mainAnd([]string{"pays", "b", "breaks"}, []string{"decides"}), psp, notes("b"), breaks("breaks", &broken), decides())
	run, err := b.execute(b.request())
	require.NoError(t, err)
	require.Equal(t, payment.RunFailed, run.Record().State)
	b.requirePaid()
	r := b.book.journal()[0]
	require.Equal(t, []string{"pays: called", "b: dropped", "breaks: failed"}, results(r))
	require.Equal(t, noon().Add(30*time.Second), r.DueAt)

	broken = false
	_, err = b.resume(r.N)
	require.NoError(t, err)
	require.Equal(t, 1, psp.calls)
	require.Equal(t, []string{"pays: called", "b: done", "breaks: done"}, results(b.book.journal()[0]))
	require.Equal(t, []string{"b"}, b.timeline())
	b.requireDecided()
}

func TestFactsStayWhenConfirmFailsAfterTheCall(t *testing.T) {
	t.Parallel()
	for name, retries := range map[string]func(int) bool{"once": twice(), "with retries of the database": twice(2, 3)} {
		broken := true
		psp := pays(payment.Approved)
		b := setup(t, mainAnd([]string{"pays", "b"}, []string{"breaks", "decides"}), psp, notes("b"), breaks("breaks", &broken), decides())
		b.book.again = retries
		_, err := b.execute(b.request())
		require.NoError(t, err, name)
		b.requirePaid()
		main, confirm := b.book.journal()[0], b.book.journal()[1]
		require.Equal(t, payment.RunFailed, main.State, "%s: its step was dropped with the rest", name)
		require.Equal(t, []string{"pays: called"}, results(main), name)
		require.Equal(t, noon().Add(30*time.Second), main.DueAt, name)
		require.Equal(t, payment.RunFailed, confirm.State, name)
		require.Equal(t, noon().Add(30*time.Second), confirm.DueAt, name)

		broken = false
		_, err = b.resume(confirm.N)
		require.NoError(t, err, name)
		b.requireDecided()
		_, err = b.resume(main.N)
		require.NoError(t, err, name)
		require.Equal(t, []string{"b"}, b.timeline(), name)
		require.Equal(t, 1, psp.calls, name)
	}
}

func TestARunWhoseConfirmFailsIsDoneWhenNoneOfItsStepsWasLost(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainAnd([]string{"pays"}, []string{"breaks"}), pays(payment.Approved), breaks("breaks", &broken))
	_, err := b.execute(b.request())
	require.NoError(t, err)
	require.Equal(t, payment.RunDone, b.book.journal()[0].State)
	require.Equal(t, payment.RunFailed, b.book.journal()[1].State)
}

func TestFactsOfACallStayWhenThereIsNoConfirmPipeline(t *testing.T) {
	t.Parallel()
	psp := pays(payment.Approved)
	b := setup(t, mainAnd([]string{"pays"}, []string{"decides"}), psp, decides())
	req := b.request()
	req.Confirm = b.pick("gone")
	_, err := b.execute(req)
	require.NoError(t, err)
	b.requirePaid()
	r := b.book.journal()[0]
	require.Equal(t, payment.RunFailed, r.State)
	_, err = b.resume(r.N)
	require.NoError(t, err)
	b.requireDecided()
	require.Equal(t, 1, psp.calls)
}

func TestEveryCallsFactsAreConfirmed(t *testing.T) {
	t.Parallel()
	psp, tells := pays(payment.Approved), &callStep{testStep: testStep{name: "tells"}}
	b := setup(t, mainAnd([]string{"pays", "tells"}, []string{"decides"}), psp, tells, decides())
	b.run()
	require.Equal(t, []int{1, 1}, []int{psp.calls, tells.calls})
	require.Equal(t, 3, b.book.commits)
	b.requireDecided()
}

func TestAConfirmPipelineMayCallToo(t *testing.T) {
	t.Parallel()
	tells := &callStep{testStep: testStep{name: "tells"}, call: func(_ context.Context, run *pipeline.Run) []payment.Fact {
		return []payment.Fact{approved(run.Payment.Initial().Reference)} // confirm does not confirm itself
	}}
	b := setup(t, mainAnd([]string{"pays"}, []string{"decides", "tells", "b"}), pays(payment.Approved), tells, notes("b"), decides())
	b.run()
	require.Equal(t, 1, tells.calls)
	require.Equal(t, []string{"b"}, b.timeline())
	require.Len(t, b.book.journal(), 2)
	require.Equal(t, payment.RunDone, b.book.journal()[1].State)
	b.requireDecided()
}

func TestTheAnswerOfACallIsRenderedOnceItIsKnown(t *testing.T) {
	t.Parallel()
	for _, fails := range []bool{false, true} {
		b := setup(t, mainAnd([]string{"pays"}, []string{"breaks"}), pays(payment.Approved), breaks("breaks", &fails))
		req := b.request()
		req.Open.Claim = &payment.Claim{Key: "k"}
		req.Reply = func(run *pipeline.Run) *payment.Reply {
			return &payment.Reply{Body: []byte(run.Payment.Initial().State)}
		}
		inner := b.book.before
		b.book.before = func(n int) error {
			if n == 2 {
				require.Nil(t, b.book.claims["k"].Reply, "taken, not answered")
			}
			return inner(n)
		}
		_, err := b.execute(req)
		require.NoError(t, err)
		require.Equal(t, "approved", string(b.book.claims["k"].Reply.Body))
	}
}

// The commit of the announcement is held up for so long that the PSP may have been
// believed about not having it.
func TestWhatWasAnnouncedTooLongAgoIsNotSent(t *testing.T) {
	t.Parallel()
	for late, calls := range map[time.Duration]int{payment.SendMax: 1, payment.SendMax + time.Millisecond: 0} {
		psp := pays(payment.Approved)
		b := setup(t, mainAnd([]string{"pays"}, []string{"decides"}), psp, decides())
		announce := psp.do
		psp.do = func(run *pipeline.Run) error {
			err := announce(run)
			b.at = b.at.Add(late) // the commit goes through, late
			return err
		}
		b.run()
		require.Equal(t, calls, psp.calls)
		x := b.book.order(b.id).Payments[0].Transactions[0]
		if calls == 0 {
			require.Equal(t, payment.NotSent, x.State)
			require.Equal(t, "held_up", x.Reason.Code)
			continue
		}
		require.Equal(t, payment.Approved, x.State)
	}
}
