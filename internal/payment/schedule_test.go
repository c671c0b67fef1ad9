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
	return []time.Duration{
		15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute, 30 * time.Minute,
		time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour, 24 * time.Hour, 24 * time.Hour,
	}
}

func TestThePSPIsAskedOnThePublishedSchedule(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ref := rapid.StringMatching(`[A-Z0-9]{20}`).Draw(t, "reference")
		for asked, base := range schedule() {
			delay := payment.InquiryDelay(ref, asked)
			require.Equal(t, delay, payment.InquiryDelay(ref, asked), "the schedule of a transaction is the same everywhere")
			require.GreaterOrEqual(t, delay, base)
			require.Less(t, delay, base+base/5)
		}
	})
	require.Equal(t, 15*time.Second, payment.InquiryDelay(reference("A"), 0), "the first question is on the dot")
	require.Equal(t, payment.InquiryDelay(reference("A"), 11), payment.InquiryDelay(reference("A"), 1_000_000), "then daily")
}

func TestQuestionsAboutManyTransactionsSpreadOut(t *testing.T) {
	t.Parallel()
	seen := make(map[time.Duration]bool)
	for i := range 26 {
		seen[payment.InquiryDelay(reference(string(rune('A'+i))), 11).Truncate(10*time.Minute)] = true
	}
	require.Greater(t, len(seen), 10)
}
