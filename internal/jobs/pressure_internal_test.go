package jobs

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestLoadIsSeenAndForgotten(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	var p pressure
	lent := int64(1_000_000)
	require.False(t, p.note(now, lent), "what was before says nothing")
	step := func(d time.Duration, more int64) bool {
		now, lent = now.Add(d), lent+more
		return p.note(now, lent)
	}
	many := busyRate * processors()
	require.False(t, step(time.Second, many), "as much as there may be")
	require.True(t, step(time.Second, many+1))
	require.True(t, step(time.Millisecond, 0))
	require.True(t, step(900*time.Millisecond, 0))
	require.False(t, step(time.Second, 0))
	require.True(t, step(sampleEvery, many/4), "seen within a fifth of a second")
}
