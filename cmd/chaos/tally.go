package main

import (
	"math/rand/v2"
	"sync"
	"time"
)

// tally counts by name.
type tally struct {
	mu     sync.Mutex
	counts map[string]int
}

func newTally() *tally { return &tally{counts: map[string]int{}} }

func (t *tally) add(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[name]++
}

func (t *tally) of(name string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts[name]
}

// dice are seeded, and safe for concurrent use. Each part of the program has its
// own, so that what one part draws does not change what another one does.
type dice struct {
	mu   sync.Mutex
	rand *rand.Rand
}

func newDice(seed, part uint64) *dice { return &dice{rand: rand.New(rand.NewPCG(seed, part))} } //nolint:gosec // chance, not secrets

// below draws from 0 to n-1.
func (d *dice) below(n int) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.IntN(n)
}

func (d *dice) chance(percent float64) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.rand.Float64()*100 < percent
}

func (d *dice) between(low, high time.Duration) time.Duration {
	return low + time.Duration(d.below(int(high-low)))
}

// share is an outcome and how often it comes, in parts of all.
type share struct {
	name  string
	parts int
}

// draw picks an outcome.
func (d *dice) draw(shares []share) string {
	total := 0
	for _, s := range shares {
		total += s.parts
	}
	at := d.below(total)
	for _, s := range shares {
		if at -= s.parts; at < 0 {
			return s.name
		}
	}
	return shares[len(shares)-1].name
}
