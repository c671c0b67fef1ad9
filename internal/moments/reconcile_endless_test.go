package moments_test

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// circling makes the list of the PSP go from its second page to its first for ever,
// and counts the pages that it is asked for.
func (b *bundle) circling() *atomic.Int64 {
	var asked atomic.Int64
	psp := b.psp
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !r.URL.Query().Has("limit") {
			psp.ServeHTTP(w, r)
			return
		}
		next := "one"
		if asked.Add(1)%2 == 0 {
			next = "two"
		}
		_, _ = w.Write([]byte(`{"data":[],"next_cursor":"` + next + `"}`))
	})
	return &asked
}

func TestAPSPWhoseListGoesRoundIsTriedAgainTheNextNightAndPeopleLearnOfIt(t *testing.T) {
	t.Parallel()
	b := setup(t)
	c := b.night()
	psp := b.psp
	asked := b.circling()
	began := c.CoveredUntil
	nightly := func(c payment.Comparison) (err error) {
		for range 20 {
			var more bool
			if more, err = b.Reconcile(t.Context(), c); !more {
				return err
			}
			c = b.lease()
		}
		return nil
	}
	require.ErrorIs(t, nightly(c), payment.ErrEndlessList)
	require.Less(t, asked.Load(), int64(10))
	found := b.differences()
	require.Len(t, found, 1)
	require.Contains(t, found[0].Detail, "account sandbox lists without end")
	require.Contains(t, found[0].Detail, began.Format(time.RFC3339))
	b.clock.advance(12 * time.Hour)
	due, err := b.store.DueComparisons(t.Context(), b.clock.now(), b.clock.now(), 10)
	require.NoError(t, err)
	require.Empty(t, due, "not before the next night")

	require.ErrorIs(t, nightly(b.night()), payment.ErrEndlessList)
	require.Len(t, b.differences(), 1, "the same case")

	b.psp = psp
	b.compare(b.night())
	b.circling()
	require.ErrorIs(t, nightly(b.night()), payment.ErrEndlessList)
	require.Len(t, b.differences(), 2, "it was well meanwhile")
}

func TestAComparisonByHandOfAListThatGoesRoundEndsWithAnError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	asked := b.circling()
	now := b.clock.now()
	_, err := b.ReconcileNow(t.Context(), "demo", "sandbox", now.Add(-48*time.Hour), now)
	require.ErrorContains(t, err, "compare account sandbox of demo: the PSP's list does not end: it goes round")
	require.Less(t, asked.Load(), int64(10))
}
