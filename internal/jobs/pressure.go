package jobs

import (
	"runtime"
	"sync"
	"time"
)

// While requests take connections more often than busyRate, for each processor and
// second, they need the machine: what may be late waits. That is far from what either
// can do alone, and grows with the machine.
const (
	busyRate = 200
	// busyLasts is for how long load that was seen is reckoned with.
	busyLasts   = time.Second
	sampleEvery = 200 * time.Millisecond
)

// pressure tells load from what requests take of the database.
type pressure struct {
	mu    sync.Mutex
	at    time.Time
	lent  int64
	until time.Time
}

// note takes in how many connections were lent so far, and tells whether requests
// need the machine, or did a moment ago.
func (p *pressure) note(now time.Time, lent int64) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	passed := now.Sub(p.at)
	if p.at.IsZero() || passed >= sampleEvery {
		if !p.at.IsZero() && (lent-p.lent)*int64(time.Second) > busyRate*processors()*int64(passed) {
			p.until = now.Add(busyLasts)
		}
		p.at, p.lent = now, lent
	}
	return now.Before(p.until)
}

func processors() int64 { return int64(runtime.GOMAXPROCS(0)) }

// busy tells whether deliveries and the audit should take it slowly.
func (j *Jobs) busy() bool { return j.Out.Lent != nil && j.pressure.note(j.Now(), j.Out.Lent()) }
