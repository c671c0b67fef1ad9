package pipeline_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// tells is a step that says what its run is about and who caused it.
func tells() *testStep {
	return &testStep{name: "tells", do: func(run *pipeline.Run) error {
		for _, f := range run.Findings {
			run.Note("about " + string(f.Source) + " " + string(f.Before) + " " + string(f.Transaction.State))
			if f.Payment != run.Order.Payments[0] || f.Transaction != f.Payment.Transactions[0] || !f.Changed {
				run.Note("about something else")
			}
		}
		run.Note("about " + run.From.String() + " " + run.Order.Source)
		return nil
	}}
}

// notified is a notification of a payment that was announced.
func (b *bench) notified() pipeline.Request {
	reference := b.announced()
	req := b.request()
	req.Open = payment.Opening{
		Reference: reference, Notification: &payment.Notification{ID: payment.NotificationID{1}, EventID: "evt_1"},
	}
	req.Facts, req.Retry, req.From = []payment.Fact{approved(reference)}, true, netip.MustParseAddr("192.0.2.7")
	return req
}

// requireTold expects the step to have told, once, what it was about.
func (b *bench) requireTold(about ...string) {
	b.Helper()
	var texts []string
	for _, n := range b.book.notes {
		if text, told := strings.CutPrefix(n.Text, "about "); told {
			texts = append(texts, text)
		}
	}
	require.Equal(b, about, texts)
	for _, r := range b.book.journal() {
		require.Equal(b, payment.RunDone, r.State)
		require.Empty(b, r.Findings, "what nobody goes on with is not kept")
		require.False(b, r.From.IsValid())
	}
}

// What comes after a call sees what it would have seen without.
func TestAStepSeesWhatTheRunIsAboutThoughTheShopWasAskedBefore(t *testing.T) {
	t.Parallel()
	yes := func(*pipeline.Run) error { return nil }
	for name, steps := range map[string][]string{
		"nobody is asked": {"tells"}, "the shop is asked": {"asks", "tells"}, "it is asked twice": {"asks", "asks-again", "tells"},
	} {
		again := asking(yes)
		again.name = "asks-again"
		b := setup(t, mainly(steps...), asking(yes), again, tells())
		_, err := b.execute(b.notified())
		require.NoError(t, err, name)
		b.requireTold("notification sending approved", "192.0.2.7 notification")
	}
}

// Whoever goes on with the run, after a crash or a failure, may be another instance.
func TestWhoeverTakesUpARunSeesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	for name, before := range map[string]func(b *bench){
		"it dies before the shop has answered": func(b *bench) { b.book.before = failing(2) },
		"it dies with the next commit":         func(b *bench) { b.book.before = failing(3) },
	} {
		b := setup(t, mainly("asks", "asks-again", "tells"), asking(nil), &asks{testStep: testStep{name: "asks-again"}}, tells())
		before(b)
		_, err := b.execute(b.notified())
		require.Error(t, err, name)
		b.at = b.book.journal()[0].DueAt
		_, err = b.resume(b.book.journal()[0].N)
		require.NoError(t, err, name)
		b.requireTold("notification sending approved", "192.0.2.7 notification")
	}
}

func TestARunThatIsTriedAgainSeesWhatItIsAbout(t *testing.T) {
	t.Parallel()
	broken := true
	for name, steps := range map[string][]string{
		"a step failed after the shop was asked": {"asks", "tells", "breaks"}, "a step failed": {"tells", "breaks"},
	} {
		broken = true
		b := setup(t, mainly(steps...), asking(nil), tells(), breaks("breaks", &broken))
		req := b.notified()
		req.Open = payment.Opening{Order: b.id} // what nobody would repeat
		_, _ = b.execute(req)
		b.requirePaid()
		for range 2 {
			_, err := b.resume(b.book.journal()[0].N)
			require.ErrorIs(t, err, errBroken, name)
		}
		broken = false
		_, err := b.resume(b.book.journal()[0].N)
		require.NoError(t, err, name)
		b.requireTold("notification sending approved", "192.0.2.7 notification")
	}
}

// A notification that fitted nothing at first is applied with its facts: what its run
// is about then is the run's, however often the shop must be asked.
func TestARunOfANotificationThatFitsByNowSeesWhatItIsAboutThoughTheShopIsDown(t *testing.T) {
	t.Parallel()
	down := true
	shop := asking(func(*pipeline.Run) error {
		if down {
			return errBroken
		}
		return nil
	})
	b := setup(t, mainly("asks", "tells"), shop, tells())
	req := b.notified()
	req.Notification, req.Open = req.Open.Notification, payment.Opening{Order: b.id}
	_, err := b.execute(req)
	require.ErrorIs(t, err, errBroken)
	require.Equal(t, payment.NotificationApplied, b.book.inbox["evt_1"].State)
	down = false
	_, err = b.resume(b.book.journal()[0].N)
	require.NoError(t, err)
	b.requireTold("notification sending approved", "192.0.2.7 notification")
}

// What the PSP answered is decided on after the shop was asked, by whoever is there.
func TestConfirmSeesTheAnswerThoughTheShopIsAskedAfterThePSP(t *testing.T) {
	t.Parallel()
	for name, dies := range map[string]int{"nobody dies": 0, "before the shop has answered": 3, "in confirm": 4} {
		shop := asking(nil)
		b := setup(t, mainAnd([]string{"pays", "asks"}, []string{"asks", "tells"}), pays(payment.Approved), shop, tells())
		b.book.before = failing(dies)
		_, err := b.execute(b.request())
		require.Equal(t, dies > 0, err != nil, name)
		for _, r := range b.book.journal() {
			if r.State == payment.RunCalling {
				_, err = b.resume(r.N)
				require.NoError(t, err, name)
			}
		}
		b.requireTold("answer sending approved", "invalid IP answer")
	}
}
