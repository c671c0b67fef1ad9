package pipeline_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// requirePaid expects the sale to be in the books.
func (b *bench) requirePaid() {
	b.Helper()
	require.Equal(b, payment.StatusPaid, b.book.order(b.id).PaymentStatus())
}

func TestFactsAreRecordedBeforeTheFirstStep(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("looks"), &testStep{name: "looks", do: func(run *pipeline.Run) error {
		run.Note(string(run.Order.PaymentStatus()))
		run.Note(run.Payment.Method)
		run.Note(string(run.Findings[0].Before))
		return nil
	}})
	req := b.request()
	req.Facts = []payment.Fact{approved(b.announced())}
	_, err := b.execute(req)
	require.NoError(t, err)
	require.Equal(t, []string{"paid", "card", "sending"}, b.timeline())
	require.Equal(t, 1, b.book.commits)
}

// I9, I11: money that moved is never rolled back out of our books.
func TestFactsStayWhenALaterStepFails(t *testing.T) {
	t.Parallel()
	broken := true
	for name, failing := range map[string]pipeline.Step{
		"an error":  breaks("fails", &broken),
		"a panic":   &testStep{name: "fails", do: func(*pipeline.Run) error { panic("boom") }},
		"a refusal": refuses("fails"),
	} {
		b := setup(t, mainly("a", "moves", "save-order", "fails"), notes("a"), moves("moves", payment.OrderProcessing), saves(), failing)
		req := b.request()
		req.Facts = []payment.Fact{approved(b.announced())}
		run, err := b.execute(req)
		require.NoError(t, err, "%s: what happened to the money is known", name)
		require.Equal(t, payment.RunFailed, run.Record().State, name)
		b.requirePaid()
		require.Equal(t, payment.OrderPending, b.book.order(b.id).Saved.Status, "%s: what steps did is dropped", name)
		require.Empty(t, b.timeline(), name)
		r := b.book.journal()[0]
		require.Equal(t, payment.RunFailed, r.State, name)
		require.Equal(t, "fails: failed", results(r)[3], name)
	}
}

// Whatever comes between the facts and the first step.
func TestFactsStayWhenThePipelineCannotEvenBegin(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(b *bench, req *pipeline.Request){
		"there is no pipeline": func(b *bench, req *pipeline.Request) { req.Pick = b.pick("gone") },
		"the method is gone": func(_ *bench, req *pipeline.Request) {
			req.Pick = func(*pipeline.Run) (*pipeline.Pipeline, error) { return nil, errRefused }
		},
		"the check fails": func(_ *bench, req *pipeline.Request) {
			req.Prepare = func(*pipeline.Run) error { return errBroken }
		},
	} {
		b := setup(t, mainly("a"), notes("a"))
		n := &payment.Notification{ID: payment.NotificationID{1}, EventID: "evt_1"}
		reference := b.announced()
		req := b.request()
		req.Open = payment.Opening{Reference: reference, Notification: n}
		req.Facts, req.Retry = []payment.Fact{approved(reference)}, true
		change(b, &req)
		_, err := b.execute(req)
		require.NoError(t, err, name)
		b.requirePaid()
		require.Equal(t, payment.NotificationFailed, b.book.inbox["evt_1"].State, "%s: and it is tried again", name)
		require.False(t, b.book.inbox["evt_1"].DueAt.IsZero(), name)
	}
}

func TestAFactAboutNothingOfTheOrderHoldsUpNoneOfTheOthers(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("a"), notes("a"))
	req := b.request()
	req.Facts = []payment.Fact{approved("SOMEBODY00000ELSES00"), approved(b.announced())}
	_, err := b.execute(req)
	require.NoError(t, err)
	b.requirePaid()
	require.Equal(t, []string{"a"}, b.timeline())
	require.Equal(t, payment.CaseOrphan, b.book.cases[0].Kind)
}

func TestAFailedRunWithFactsIsTriedAgainLessAndLessOftenAndThenBecomesACase(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainly("a", "breaks"), notes("a"), breaks("breaks", &broken))
	req := b.request()
	req.Facts = []payment.Fact{approved(b.announced())}
	_, err := b.execute(req)
	require.NoError(t, err)
	n := b.book.journal()[0].N
	var delays []time.Duration
	for try := 1; ; try++ {
		r := b.book.journal()[0]
		require.Equal(t, payment.RunFailed, r.State)
		require.Equal(t, try, r.Tries)
		require.Equal(t, []string{"a: dropped", "breaks: failed"}, results(r), "the journal shows the last try")
		if r.DueAt.IsZero() {
			require.Equal(t, b.at, r.EndedAt)
			break
		}
		require.Empty(t, b.book.cases)
		delays = append(delays, r.DueAt.Sub(b.at))
		b.at = r.DueAt
		_, err = b.resume(n)
		require.ErrorIs(t, err, errBroken)
	}
	require.Equal(t, []time.Duration{
		30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 16 * time.Minute, 32 * time.Minute,
		64 * time.Minute, 128 * time.Minute,
	}, delays)
	require.Len(t, b.book.cases, 1)
	require.Equal(t, payment.CaseFailedRun, b.book.cases[0].Kind)
	require.Equal(t, "main", b.book.cases[0].Subject)
	require.Equal(t, payment.CaseFailedRun, b.book.order(b.id).Review)

	broken = false
	run, err := b.resume(n)
	require.NoError(t, err, "a person may still try it")
	require.Equal(t, payment.RunDone, run.Record().State)
	require.Equal(t, []string{"a: done", "breaks: done"}, results(b.book.journal()[0]))
	require.Empty(t, b.book.journal()[0].Error)
	require.Equal(t, []string{"a"}, b.timeline())
}

func TestARunOfAJobIsTriedAgainAndOneThatSomebodyWaitsForIsNot(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainly("breaks"), breaks("breaks", &broken))
	req := b.request()
	req.Retry = true
	_, err := b.execute(req)
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, b.at.Add(30*time.Second), b.book.journal()[0].DueAt)

	_, err = b.execute(b.request())
	require.ErrorIs(t, err, errBroken)
	require.True(t, b.book.journal()[1].DueAt.IsZero())
}

func TestANotificationIsAppliedInTheCommitOfItsFacts(t *testing.T) {
	t.Parallel()
	b := setup(t, mainly("a"), notes("a"))
	n := &payment.Notification{ID: payment.NotificationID{1}, EventID: "evt_1"}
	reference := b.announced()
	req := b.request()
	req.Open, req.Facts = payment.Opening{Reference: reference, Notification: n}, []payment.Fact{approved(reference)}
	_, err := b.execute(req)
	require.NoError(t, err)
	b.requirePaid()
	require.Equal(t, 1, b.book.commits)
	require.Equal(t, payment.NotificationApplied, b.book.inbox["evt_1"].State)
	require.True(t, b.book.inbox["evt_1"].DueAt.IsZero())

	_, err = b.execute(req)
	require.ErrorIs(t, err, payment.ErrDuplicate)
	require.Equal(t, 1, b.book.commits, "again: nothing")
}

func TestANotificationThatAStepFailsOnIsKeptAndTriedAgainUntilAPersonIsCalled(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainly("breaks"), breaks("breaks", &broken))
	reference := b.announced()
	facts := []payment.Fact{approved(reference)}
	req := b.request()
	req.Open = payment.Opening{Reference: reference, Notification: &payment.Notification{ID: payment.NotificationID{1}, EventID: "evt_1"}}
	req.Facts, req.Retry = facts, true
	_, err := b.execute(req)
	require.NoError(t, err, "it is durable, and so is what it says")
	b.requirePaid()
	require.True(t, b.book.journal()[0].DueAt.IsZero(), "the notification is tried again, and not its run too")

	replay := func() {
		kept := b.book.inbox["evt_1"]
		kept.Tries++ // as whoever applies it again counts
		again := b.request()
		again.Facts, again.Retry, again.Notification = facts, true, &kept
		_, err := b.execute(again)
		require.NoError(t, err)
	}
	var delays []time.Duration
	for tries := 1; ; tries++ {
		kept := b.book.inbox["evt_1"]
		require.Equal(t, payment.NotificationFailed, kept.State)
		require.Contains(t, kept.Error, "it is broken")
		require.Equal(t, tries, kept.Tries)
		if kept.DueAt.IsZero() {
			break
		}
		require.Empty(t, b.book.cases)
		delays = append(delays, kept.DueAt.Sub(b.at))
		b.at = kept.DueAt
		replay()
	}
	require.Len(t, delays, 9)
	require.Equal(t, 30*time.Second, delays[0])
	require.Equal(t, 128*time.Minute, delays[8])
	require.Equal(t, payment.CaseFailedRun, b.book.cases[0].Kind)

	broken = false
	replay()
	require.Equal(t, payment.NotificationApplied, b.book.inbox["evt_1"].State)
	require.Empty(t, b.book.inbox["evt_1"].Error)
}

func TestANotificationThatConcernsNoMoneyIsKeptWhateverStepsMakeOfIt(t *testing.T) {
	t.Parallel()
	for name, main := range map[string][]string{"refused": {"refuses"}, "no pipeline": nil} {
		b := setup(t, mainly("refuses"), refuses("refuses"))
		if main == nil {
			delete(b.set, "main")
		}
		req := b.request()
		req.Open = payment.Opening{Reference: b.announced(), Notification: &payment.Notification{ID: payment.NotificationID{1}, EventID: "evt_1"}}
		_, err := b.execute(req)
		require.NoError(t, err, name)
		require.Equal(t, payment.NotificationFailed, b.book.inbox["evt_1"].State, name)
	}
}

func TestWhatIsKeptOfAFailureSurvivesARetryOfTheDatabase(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainly("breaks"), breaks("breaks", &broken))
	b.book.again = twice(1, 2)
	req := b.request()
	req.Facts = []payment.Fact{approved(b.announced())}
	_, err := b.execute(req)
	require.NoError(t, err)
	b.requirePaid()
	require.Len(t, b.book.journal(), 1)
	require.Equal(t, 1, b.book.journal()[0].Tries)
}

func TestADatabaseThatIsGoneIsSaidSo(t *testing.T) {
	t.Parallel()
	broken := true
	b := setup(t, mainly("breaks"), breaks("breaks", &broken))
	b.book.before = failing(1, 3)
	req := b.request()
	req.Facts = []payment.Fact{approved(b.announced())}
	_, err := b.execute(req)
	require.ErrorIs(t, err, errGone)
	_, err = b.execute(req) // fails in the step, and then to be kept
	require.ErrorIs(t, err, errGone)
	require.ErrorIs(t, err, errBroken)
	require.Zero(t, b.book.commits)
}
