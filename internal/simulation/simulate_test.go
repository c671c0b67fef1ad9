package simulation

import (
	"flag"
	"fmt"
	"os"
	"testing"
	"time"
)

// The flags that make simulate sets.
var (
	histories = flag.Int("histories", 24, "how many histories")
	firstSeed = flag.Uint64("seed", 1, "the seed of the first")
	showTrace = flag.Bool("trace", false, "print every trace")
)

type sums struct {
	counts
	virtual time.Duration
}

var total sums

func (s *sums) add(h *history) {
	s.steps += h.count.steps
	s.crashes += h.count.crashes
	s.lostCommits += h.count.lostCommits
	s.cuts += h.count.cuts
	s.charges += h.count.charges
	s.notifications += h.count.notifications
	s.virtual += h.virtual
}

// Whatever goes wrong, the books and the PSP's ledger agree in the end.
func TestHistories(t *testing.T) {
	db := newDatabase(t)
	bad := 0
	began := time.Now()
	for n := range *histories {
		h := simulate(t, db, *firstSeed+uint64(n))
		if *showTrace {
			fmt.Fprintln(os.Stderr, h.trace)
		}
		if len(h.violations) > 0 {
			bad++
			t.Errorf("seed %d (%s): %v", h.seed, h.plan, h.violations)
		}
		total.add(h)
	}
	t.Logf("%d histories in %s, %d bad, %+v", *histories, time.Since(began), bad, total)
}
