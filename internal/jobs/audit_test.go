package jobs_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/jobs"
	"github.com/paysvc/paysvc/internal/payment"
)

// archive is an audit: how many events of each store wait, and how many were taken
// over at a time.
type archive struct {
	mu     sync.Mutex
	waits  map[string]int
	taken  []int
	broken string // a store that cannot be taken over
	hold   chan struct{}
	last   time.Time // when the last of those taken over happened
}

func (a *archive) UnauditedStores(context.Context) ([]string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	var stores []string
	for _, name := range []string{"broken", "demo"} {
		if a.waits[name] > 0 {
			stores = append(stores, name)
		}
	}
	return stores, nil
}

func (a *archive) AuditEvents(_ context.Context, store string, limit int) (time.Time, bool, error) {
	if a.hold != nil {
		<-a.hold
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if store == a.broken {
		return a.last, false, errors.New("it cannot be read")
	}
	n := min(limit, a.waits[store])
	a.waits[store] -= n
	a.taken = append(a.taken, n)
	return a.last, n == limit, nil
}

func (a *archive) AuditHeads(context.Context) ([]payment.AuditHead, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return []payment.AuditHead{{Store: "demo", Position: int64(len(a.taken)), Hash: []byte{0xab}}}, nil
}

func (a *archive) left(store string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.waits[store]
}

func auditing(t *testing.T, a jobs.Audits, change ...func(*jobs.Deps)) *jobs.Jobs {
	t.Helper()
	d := jobs.Deps{Audits: a, Now: time.Now, Log: zerolog.Nop(), Queue: &tray{}}
	for _, c := range change {
		c(&d)
	}
	j, err := jobs.New(t.Context(), d)
	require.NoError(t, err)
	t.Cleanup(j.Close)
	return j
}

func TestEventsAreTakenOverBatchByBatch(t *testing.T) {
	t.Parallel()
	a := &archive{waits: map[string]int{"demo": 1234}}
	require.NoError(t, auditing(t, a).Sweep(t.Context(), "audit"))
	require.Equal(t, []int{500, 500, 234}, a.taken)
}

func TestALongHistoryHoldsUpNobody(t *testing.T) {
	t.Parallel()
	a := &archive{waits: map[string]int{"demo": 1_000_000}}
	j := auditing(t, a)
	require.NoError(t, j.Sweep(t.Context(), "audit"))
	require.Equal(t, 1_000_000-40*500, a.left("demo"), "the rest comes with the next look")
	j.Drain()
	require.NoError(t, j.Sweep(t.Context(), "audit"))
	require.Equal(t, 1_000_000-41*500, a.left("demo"), "an instance that stops begins little")
}

func TestTheAuditGivesWayToPayments(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &archive{waits: map[string]int{"demo": 1_000_000}, last: time.Now()}
		var lent int64
		j := auditing(t, a, func(d *jobs.Deps) { d.Out.Lent = func() int64 { lent += 100_000; return lent } })
		for range 3 {
			require.NoError(t, j.Sweep(t.Context(), "audit"))
			time.Sleep(300 * time.Millisecond)
		}
		first := a.taken[:40] // nobody knew of the load
		require.Equal(t, []int{500, 500}, a.taken[len(first):], "one batch a look")
		a.last = time.Now().Add(-time.Hour)
		require.NoError(t, j.Sweep(t.Context(), "audit"))
		require.Len(t, a.taken, len(first)+2+40, "it may be late, but not for good")
	})
}

func TestAStoreThatCannotBeAuditedHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	a := &archive{waits: map[string]int{"broken": 1, "demo": 7}, broken: "broken"}
	require.ErrorContains(t, auditing(t, a).Sweep(t.Context(), "audit"), "it cannot be read")
	require.Zero(t, a.left("demo"))
}

func TestAnInstanceAuditsOnceAtATime(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := &archive{waits: map[string]int{"demo": 1}, hold: make(chan struct{})}
		j := auditing(t, a)
		var first sync.WaitGroup
		first.Go(func() { _ = j.Sweep(t.Context(), "audit") })
		synctest.Wait()
		require.NoError(t, j.Sweep(t.Context(), "audit"), "the other one is at work")
		require.Equal(t, 1, a.left("demo"))
		close(a.hold)
		first.Wait()
		require.Zero(t, a.left("demo"))
	})
}

func TestTheHeadsAreLoggedAtTheStartAndEveryHour(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var log strings.Builder
		a := &archive{waits: map[string]int{"demo": 1}}
		j := auditing(t, a, func(d *jobs.Deps) { d.Log = zerolog.New(&log) })
		for range 2*3600/5 + 1 {
			require.NoError(t, j.Sweep(t.Context(), "audit"))
			time.Sleep(5 * time.Second)
		}
		require.Equal(t, 3, strings.Count(log.String(), "audit head"))
		require.Contains(t, log.String(), `"store":"demo","head":"1:ab"`, "behind what was just taken over")
	})
}
