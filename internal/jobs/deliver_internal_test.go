package jobs

import (
	"context"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/outbound"
	"github.com/paysvc/paysvc/internal/payment"
)

// stream is an endpoint that takes all, and has always more to take; the last event of
// each batch is so late.
type stream struct {
	Outbox

	late    time.Duration
	batches int
	passed  func()
}

func (s *stream) LeaseDeliveries(_ context.Context, _ payment.Target, now, _ time.Time, limit int) (payment.Batch, bool, error) {
	s.batches++
	b := payment.Batch{More: true}
	for range limit {
		b.Due = append(b.Due, payment.Delivery{Event: payment.Event{At: now.Add(-s.late)}})
	}
	return b, true, nil
}

func (s *stream) FinishDeliveries(context.Context, payment.Target, payment.Result, time.Time) error {
	s.passed()
	return nil
}

// pausesOf is how often a round of a hundred batches paused, with so many requests a second,
// to an endpoint that is so late.
func pausesOf(t *testing.T, perSecond int64, late time.Duration) int {
	t.Helper()
	pauses := 0
	synctest.Test(t, func(t *testing.T) {
		const batch = 20 * time.Millisecond
		s := &stream{late: late}
		begun := time.Now()
		j := &Jobs{Deps: Deps{
			Now: time.Now, Log: zerolog.Nop(),
			Out: Out{Books: s, Poster: taker{}, Lent: func() int64 { return perSecond * int64(time.Since(begun)) / int64(time.Second) }},
		}}
		ctx, stop := context.WithCancel(t.Context())
		s.passed = func() {
			time.Sleep(batch)
			if s.batches == 100 {
				stop()
			}
		}
		j.busy() // what was lent before says nothing
		time.Sleep(time.Second)
		before := time.Now()
		j.Round(ctx, payment.Target{Store: "demo", Endpoint: payment.EndpointID{1}})
		pauses = int((time.Since(before) - time.Duration(s.batches)*batch) / busyPause)
	})
	return pauses
}

// taker takes what is posted.
type taker struct{}

func (taker) Post(context.Context, outbound.Message) (outbound.Answer, error) {
	return outbound.Answer{Status: http.StatusOK}, nil
}

func TestRoundsPauseWhileRequestsNeedTheMachineUnlessEventsAreLate(t *testing.T) {
	t.Parallel()
	load := busyRate*processors() + 1000
	require.Zero(t, pausesOf(t, 0, 0), "nobody needs it")
	require.Positive(t, pausesOf(t, load, lateMax))
	require.Zero(t, pausesOf(t, load, lateMax+1), "events may be late, but not for good")
}

func TestATargetThatTakesDeliveriesQuicklyGetsMoreAtOnce(t *testing.T) {
	t.Parallel()
	limit := batchLeast
	for range 10 {
		limit = nextLimit(limit, quick-1)
	}
	require.Equal(t, batchMost, limit)
	require.Equal(t, batchMost/batchGrowth, nextLimit(limit, quick), "no longer")
	require.Equal(t, batchLeast, nextLimit(batchLeast, time.Hour))
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
