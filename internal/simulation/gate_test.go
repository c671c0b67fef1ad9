package simulation

import (
	"cmp"
	"context"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
)

// gate is a boundary at which a goroutine stops until the scheduler lets it go on.
type gate struct {
	// who names the one that waits: a shopper, a sweep, a notification. At any time
	// one goroutine at most waits under a name, so that names order the gates.
	who  string
	what string
	// at is the instance that waits, nil for the world outside.
	at *instance
	// faults may be done to it; the scheduler chooses. More often than elsewhere
	// where rate is set.
	faults []fault
	rate   float64

	verdict chan fault
}

// scheduler lets one goroutine go on at a time. Its choices come from the seed.
type scheduler struct {
	rng   *rand.Rand
	trace *trace
	plan  *plan
	// crash ends an instance.
	crash func(*instance)

	mu     sync.Mutex
	parked []*gate
	wake   chan struct{}
	steps  int
	healed atomic.Bool
}

// pass stops at a gate. It returns what is to go wrong there, and died when the
// instance does, or when given is closed first.
func (s *scheduler) pass(g *gate, given <-chan struct{}) fault {
	g.verdict = make(chan fault)
	var dead <-chan struct{}
	if g.at != nil {
		if g.at.isDead() {
			return died
		}
		dead = g.at.dead
	}
	s.mu.Lock()
	s.parked = append(s.parked, g)
	s.mu.Unlock()
	s.wakeUp()
	select {
	case f := <-g.verdict:
		return f
	case <-dead:
	case <-given:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.parked = slices.DeleteFunc(s.parked, func(other *gate) bool { return other == g })
	return died
}

// wakeUp tells the scheduler that there is something to look at.
func (s *scheduler) wakeUp() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// step lets one of those that wait go on. It tells whether there was one.
func (s *scheduler) step() bool {
	s.mu.Lock()
	if len(s.parked) == 0 {
		s.mu.Unlock()
		return false
	}
	slices.SortFunc(s.parked, func(a, b *gate) int {
		return cmp.Or(cmp.Compare(a.who, b.who), cmp.Compare(a.what, b.what))
	})
	i := s.rng.IntN(len(s.parked))
	g := s.parked[i]
	s.parked = slices.Delete(s.parked, i, i+1)
	s.mu.Unlock()

	s.steps++
	f := s.judge(g)
	s.trace.add(s.steps, g, f)
	if f == crashed {
		s.crash(g.at) // all that waits there ends, this one too
		return true
	}
	g.verdict <- f
	return true
}

// judge chooses what goes wrong at a gate: mostly nothing.
func (s *scheduler) judge(g *gate) fault {
	if s.healed.Load() {
		return none
	}
	if g.at != nil && s.plan.crashes > 0 && s.rng.Float64() < s.plan.crashRate {
		s.plan.crashes--
		return crashed
	}
	var possible []fault
	for _, f := range g.faults {
		if s.plan.on[f.class()] {
			possible = append(possible, f)
		}
	}
	if len(possible) == 0 || s.rng.Float64() >= max(g.rate, s.plan.rate) {
		return none
	}
	return possible[s.rng.IntN(len(possible))]
}

// name is the key of a context under which it says who acts.
type name struct{}

// as returns a context of somebody who acts.
func as(ctx context.Context, who string) context.Context {
	return context.WithValue(ctx, name{}, who)
}

// whoIn tells who acts.
func whoIn(ctx context.Context) string {
	who, _ := ctx.Value(name{}).(string)
	return who
}
