package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

// schedule is the published one: when the PSP is asked after how many questions.
func schedule() []time.Duration {
	day := 24 * time.Hour
	return []time.Duration{
		15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, day, day, day, day, day, day,
	}
}

func TestThePSPIsAskedOnThePublishedSchedule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := rapid.StringMatching(`[A-Z0-9]{20}`).Draw(t, "reference")
		for asked, base := range schedule() {
			delay := payment.InquiryDelay(ref, asked)
			require.Equal(t, delay, payment.InquiryDelay(ref, asked), "the schedule of a transaction is the same everywhere")
			require.GreaterOrEqual(t, delay, base-base/5)
			require.LessOrEqual(t, delay, base+base/5)
		}
	})
	require.Equal(t, 15*time.Second, payment.InquiryDelay(reference("A"), 0), "the first question is on the dot")
	require.Equal(t, payment.InquiryDelay(reference("A"), 11), payment.InquiryDelay(reference("A"), 1_000_000), "then daily")
}

// asking asks about a transaction until its schedule ends, and returns how long it
// waited each time.
func asking(tx *payment.Transaction, at time.Time) (waits []time.Duration) {
	for next := at.Add(payment.InquiryDelay(tx.Reference, 0)); !next.IsZero(); tx.Inquiries++ {
		waits = append(waits, next.Sub(at))
		at = next
		next = tx.NextInquiry(at)
	}
	return waits
}

func TestTheScheduleOfQuestionsEnds(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	for _, state := range []payment.State{payment.Sending, payment.Unknown, payment.ActionRequired} {
		waits := asking(&payment.Transaction{State: state, Reference: reference("A")}, at)
		require.Len(t, waits, len(schedule()), "%s: once for each delay, on five days more than that of a day", state)
		for i, wait := range waits {
			require.Equal(t, payment.InquiryDelay(reference("A"), i), wait)
		}
	}
	waits := asking(&payment.Transaction{State: payment.Pending, Reference: reference("A")}, at)
	require.Len(t, waits, len(schedule())+8, "what the PSP knows to be pending may take weeks")
	week := 7 * 24 * time.Hour
	for _, wait := range waits[len(schedule()):] {
		require.InDelta(t, week, wait, float64(week/5))
	}
}

func TestTheEndOfTheScheduleIsACaseAndNoGuess(t *testing.T) {
	t.Parallel()
	b := unpaid(t, "129.95")
	tx := begun(b, payment.AuthorizeAndCapture, "A", b.Total).Initial()
	at := tx.CreatedAt.Add(240 * time.Hour)
	b.Asked(tx.N, 7, time.Time{}, at, "Nobody knows.")
	require.Zero(t, tx.Inquiries, "somebody else has asked meanwhile")
	b.Asked(tx.N, 0, at, at, "Nobody knows.")
	require.Equal(t, 1, tx.Inquiries)
	require.Equal(t, at, tx.DueAt)
	require.Empty(t, b.Staged.Cases)

	b.Asked(tx.N, 1, time.Time{}, at, "Nobody knows.")
	require.Equal(t, payment.Sending, tx.State)
	require.Zero(t, tx.DueAt)
	require.Len(t, b.Staged.Cases, 1)
	found := b.Staged.Cases[0]
	require.Equal(t, payment.CaseUnknownOutcome, found.Kind)
	require.Equal(t, tx.N, found.Transaction)
	require.Equal(t, tx.Amount, *found.Amount, "what is at risk")
	require.Contains(t, found.Detail, tx.CreatedAt.UTC().Format(time.DateTime), "since when")
	require.True(t, tx.Askable(), "who waits for it may still ask")
	require.NotEmpty(t, b.IncomingTransactions(), "nothing else is charged meanwhile")

	_, err := b.Record(payment.Fact{Source: payment.SourceNotification, Reference: tx.Reference, State: payment.Approved}, at)
	require.NoError(t, err)
	require.Equal(t, payment.Approved, tx.State, "a fact that comes later still decides")
}

func TestWhatAPSPWasAskedAboutIsNoTransferThatNobodyMade(t *testing.T) {
	t.Parallel()
	require.True(t, (&payment.Transaction{State: payment.Pending}).AwaitsTransfer())
	require.False(t, (&payment.Transaction{State: payment.Pending, Inquiries: payment.InquiriesMax}).AwaitsTransfer())
}

func TestQuestionsAboutManyTransactionsSpreadOut(t *testing.T) {
	t.Parallel()
	seen := make(map[time.Duration]bool)
	for i := range 26 {
		seen[payment.InquiryDelay(reference(string(rune('A'+i))), 11).Truncate(10*time.Minute)] = true
	}
	require.Greater(t, len(seen), 10)
}
