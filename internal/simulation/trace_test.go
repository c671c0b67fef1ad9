package simulation

import (
	"fmt"
	"strings"
	"sync"
	"time"
)

// trace is what happened in a history, line by line. Nothing in it depends on
// anything but the seed.
type trace struct {
	began time.Time
	over  bool // time is real again
	mu    sync.Mutex
	lines []string
}

// add writes a step down.
func (t *trace) add(step int, g *gate, f fault) {
	where := "-"
	if g.at != nil {
		where = g.at.name
	}
	what := g.what
	if f != none {
		what += "   *** " + string(f)
	}
	t.line(fmt.Sprintf("%5d  %-3s %-34s %s", step, where, g.who, what))
}

// note writes down what is no step: an answer, an instance that starts.
func (t *trace) note(format string, args ...any) {
	t.line("       " + fmt.Sprintf(format, args...))
}

func (t *trace) line(text string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	at := "end"
	if !t.over {
		at = time.Since(t.began).Truncate(time.Microsecond).String()
	}
	t.lines = append(t.lines, fmt.Sprintf("%14s %s", at, text))
}

// String is the whole trace.
func (t *trace) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return strings.Join(t.lines, "\n")
}
