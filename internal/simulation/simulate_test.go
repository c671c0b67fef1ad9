package simulation

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// What make simulate sets. A plain test run takes a few histories.
var (
	histories = flag.Int("histories", 16, "how many histories")
	firstSeed = flag.Uint64("seed", 1, "the seed of the first")
	showTrace = flag.Bool("trace", false, "print every trace")
	repeated  = flag.Int("repeated", 8, "how many histories are repeated")
	always    = flag.String("with", "", "fault classes that are always on")
	first     = flag.Bool("first", false, "stop at the first violation, and do not look for its cause")
)

// Whatever goes wrong, our books and the PSP's ledger agree in the end.
func TestHistories(t *testing.T) {
	t.Parallel()
	r := &report{began: time.Now()}
	t.Cleanup(func() { r.print(t) })
	var next atomic.Int64
	for n := range min(runtime.GOMAXPROCS(0), *histories) {
		t.Run(fmt.Sprintf("worker %d", n), func(t *testing.T) {
			t.Parallel()
			db := newDatabase(t)
			for n := next.Add(1); n <= int64(*histories) && !r.enough(); n = next.Add(1) {
				h := simulate(t, db, *firstSeed+uint64(n-1))
				if r.add(h); len(h.violations) > 0 {
					h.explain(t, n)
				}
				if *showTrace {
					fmt.Fprintln(os.Stderr, h.trace)
				}
			}
		})
	}
}

// A seed is a history: the same each time, step for step, on whatever database.
func TestASeedIsAHistory(t *testing.T) {
	t.Parallel()
	one, other := newDatabase(t), newDatabase(t)
	for seed := range uint64(*repeated) {
		h, again := simulate(t, one, seed+*firstSeed), simulate(t, other, seed+*firstSeed)
		require.Equal(t, strings.Split(h.trace.String(), "\n"), strings.Split(again.trace.String(), "\n"), "seed %d", h.seed)
		require.Equal(t, h.ledger, again.ledger)
	}
}

// report adds up what was simulated.
type report struct {
	began time.Time

	mu        sync.Mutex
	histories int
	bad       int
	counts    counts
	virtual   time.Duration
}

func (r *report) add(h *history) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.histories++
	r.virtual += h.virtual
	if len(h.violations) > 0 {
		r.bad++
	}
	c := &r.counts
	c.steps += h.count.steps
	c.crashes += h.count.crashes
	c.lostCommits += h.count.lostCommits
	c.cuts += h.count.cuts
	c.charges += h.count.charges
	c.notifications += h.count.notifications
	c.posts += len(h.posts)
}

// badMax is how many histories with violations are enough to look at.
const badMax = 5

// enough tells whether to stop: many histories are bad for one reason.
func (r *report) enough() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.bad >= badMax || *first && r.bad > 0
}

func (r *report) print(t *testing.T) {
	t.Helper()
	took := time.Since(r.began)
	t.Logf("%d histories in %s (%.0f a minute), %.0f virtual hours, %d steps, %d crashes, %d lost COMMIT answers, "+
		"%d cut connections, %d charges, %d notifications, %d events posted: %d histories with violations",
		r.histories, took.Round(time.Second), float64(r.histories)/took.Minutes(), r.virtual.Hours(), r.counts.steps,
		r.counts.crashes, r.counts.lostCommits, r.counts.cuts, r.counts.charges, r.counts.notifications, r.counts.posts, r.bad)
}

// explain reports a history with violations: its seed, the fault classes that it
// takes, and the trace with no others.
func (h *history) explain(t *testing.T, n int64) {
	t.Helper()
	if *first {
		t.Errorf("history %d, seed %d: %s", n, h.seed, h.violations[0])
		return
	}
	least, without := h, []string(nil)
	for _, class := range classes() {
		if !h.plan.on[class] {
			continue
		}
		tried := simulate(t, h.db, h.seed, append(slices.Clone(without), class)...)
		if tried.breaks(h.violations[0].invariant) {
			least, without = tried, append(without, class)
		}
	}
	t.Errorf("seed %d: %v\nIt takes these faults: %s\n%s\nmake simulate N=1 SEED=%d shows it again",
		h.seed, h.violations, least.plan, least.trace, h.seed)
}

func (h *history) breaks(invariant string) bool {
	return slices.ContainsFunc(h.violations, func(v violation) bool { return v.invariant == invariant })
}
