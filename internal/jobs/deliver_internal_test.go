package jobs

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// stream is an outbox in which events wait.
type stream struct {
	Outbox

	waiting, handedOn int
}

func (s *stream) EventsWaiting(context.Context, int) ([]string, error) { return []string{"demo"}, nil }

func (s *stream) PumpEvents(_ context.Context, _ string, _ time.Time, limit int) (bool, error) {
	n := min(limit, s.waiting)
	s.waiting -= n
	s.handedOn += n
	return n == limit, nil
}

func (s *stream) DueTargets(context.Context, time.Time, int) ([]payment.Target, error) {
	return nil, nil
}

// pumping is a pump, and what requests take of the database each second.
func pumping(s *stream, perSecond int64) (j *Jobs, second func() int) {
	now, lent := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC), int64(0)
	j = &Jobs{Deps: Deps{
		Now: func() time.Time { return now },
		Out: Out{Books: s, Lent: func() int64 { return lent }},
	}}
	j.synced.once = true
	j.busy() // what was lent before says nothing
	return j, func() int {
		now, lent = now.Add(time.Second), lent+perSecond
		before := s.handedOn
		if err := j.Pump(context.Background()); err != nil {
			return -1
		}
		return s.handedOn - before
	}
}

func TestUnderLoadAFewEventsAreHandedOnAndMoreAsLongAsTheyFallBehind(t *testing.T) {
	t.Parallel()
	few := pumpMaxBusy * int(processors())
	s := &stream{waiting: 1000 * few}
	_, second := pumping(s, busyRate*processors()*10)
	for _, share := range []int{1, 4, 16} {
		require.Equal(t, min(share*few, pumpRounds*pumpMax), second())
	}
	for range 3 {
		second()
	}
	most := second()
	require.Equal(t, min(few<<levelMax, pumpRounds*pumpMax), most, "however long it lasts")

	s.waiting = 0
	for range levelMax {
		require.Zero(t, second())
	}
	s.waiting = 1000 * few
	require.Equal(t, few, second(), "they caught up")
}

func TestWithoutLoadEventsAreHandedOnAtOnce(t *testing.T) {
	t.Parallel()
	s := &stream{waiting: pumpRounds*pumpMax + 1}
	j, second := pumping(s, 0)
	require.Equal(t, pumpRounds*pumpMax, second())
	require.Equal(t, 1, j.rounds.share(), "nothing was held back")
	require.Equal(t, 1, second())
}

func TestATargetThatTakesDeliveriesQuicklyGetsMoreAtOnce(t *testing.T) {
	t.Parallel()
	s := &stream{waiting: 1 << 30}
	idle, _ := pumping(s, 0)
	limit := deliverMax
	for range 10 {
		limit = idle.nextLimit(limit, quick-1)
	}
	require.Equal(t, deliverMost, limit)
	require.Equal(t, deliverMax, idle.nextLimit(limit, quick), "no longer")

	busy, second := pumping(s, busyRate*processors()*10)
	second()
	require.Equal(t, 1<<levelUp, busy.rounds.share())
	require.Equal(t, deliverMax<<levelUp, busy.nextLimit(deliverMost, 0), "as much as deliveries may take under load")
}

func TestAJobThatTheQueueDidNotTakeIsAskedForAgainSoon(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	target := payment.Target{Store: "demo"}
	r := &rounds{}
	require.True(t, r.mayBegin(target, now))
	require.False(t, r.mayBegin(target, now.Add(roundLost-1)), "it is about to begin")
	require.True(t, r.mayBegin(target, now.Add(roundLost)), "it did not")
	r.begin(target, now)
	require.False(t, r.mayBegin(target, now.Add(roundMax)), "it is at work")
	require.True(t, r.mayBegin(target, now.Add(workMax)), "it was lost")
	r.begin(target, now)
	r.end(target)
	require.True(t, r.mayBegin(target, now))
}
