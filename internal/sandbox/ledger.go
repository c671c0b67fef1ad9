package sandbox

import (
	"errors"
	"fmt"
	"sync"
)

// errUnchanged tells update that there is nothing to commit.
var errUnchanged = errors.New("unchanged")

// errClosed is what a closed ledger answers to every change.
var errClosed = errors.New("the simulator is closed")

// refKey finds an operation by the merchant's reference.
type refKey struct{ account, reference string }

// place is where an operation stands.
type place struct {
	payment string
	index   int
}

// ledger is the simulator's truth: payments with their operations, and the
// notifications that are still to be delivered. Every change is in the
// journal before it is visible.
type ledger struct {
	mu       sync.Mutex
	closed   bool
	journal  *journal            // nil keeps nothing
	payments map[string]*payment // by id
	refs     map[refKey]place
	sessions map[string]string // session to payment id
	order    []place           // every operation, oldest first
	outbox   map[string]*notification
}

// entry is one line of the journal, and the unit in which the ledger changes.
type entry struct {
	Payment      *payment      `json:"payment,omitempty"`
	Notification *notification `json:"notification,omitempty"`
	// Done is the key of a notification that needs no further try.
	Done string `json:"done,omitempty"`
}

func openLedger(path string) (*ledger, error) {
	l := &ledger{
		payments: map[string]*payment{}, refs: map[refKey]place{},
		sessions: map[string]string{}, outbox: map[string]*notification{},
	}
	if path == "" {
		return l, nil
	}
	j, err := openJournal(path, l.apply)
	if err != nil {
		return nil, fmt.Errorf("open ledger: %w", err)
	}
	l.journal = j
	return l, nil
}

// apply makes an entry visible.
func (l *ledger) apply(e entry) {
	if p := e.Payment; p != nil {
		known := 0
		if old := l.payments[p.ID]; old != nil {
			known = len(old.Operations)
		}
		l.payments[p.ID] = p
		if p.Session != "" {
			l.sessions[p.Session] = p.ID
		}
		for i := known; i < len(p.Operations); i++ {
			at := place{p.ID, i}
			l.order = append(l.order, at)
			l.refs[refKey{p.Account, p.Operations[i].Reference}] = at
		}
	}
	if n := e.Notification; n != nil {
		l.outbox[n.Key] = n
	}
	if e.Done != "" {
		delete(l.outbox, e.Done)
	}
}

// commit writes an entry and makes it visible. The caller holds mu.
func (l *ledger) commit(e entry) error {
	if l.closed {
		return errClosed
	}
	if l.journal != nil {
		if err := l.journal.append(e); err != nil {
			return fmt.Errorf("write ledger: %w", err)
		}
	}
	l.apply(e)
	return nil
}

// write commits an entry.
func (l *ledger) write(e entry) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.commit(e)
}

// open adds a payment unless its reference is taken, in which case the owner
// of the reference is returned and build is not called.
func (l *ledger) open(key refKey, build func() (entry, error)) (created entry, taken *payment, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.refs[key]; ok {
		return entry{}, l.payments[at.payment], nil
	}
	e, err := build()
	if err != nil {
		return entry{}, nil, err
	}
	return e, nil, l.commit(e)
}

// update changes a payment: change works on a clone with the next version
// and may return a notification to be kept with it. An error of change drops
// the clone; errUnchanged is not an error to the caller.
func (l *ledger) update(id string, change func(next *payment) (*notification, error)) (entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := l.payments[id].clone()
	next.Version++
	n, err := change(next)
	if errors.Is(err, errUnchanged) {
		return entry{Payment: l.payments[id]}, nil
	}
	e := entry{Payment: next, Notification: n}
	if err == nil {
		err = l.commit(e)
	}
	if err != nil {
		return entry{Payment: l.payments[id]}, err
	}
	return e, nil
}

// operation finds what a merchant's reference names.
func (l *ledger) operation(key refKey) (p *payment, index int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at, ok := l.refs[key]
	return l.payments[at.payment], at.index, ok
}

// payment finds a payment by its own reference.
func (l *ledger) payment(key refKey) (*payment, bool) {
	p, index, ok := l.operation(key)
	return p, ok && index == 0
}

// session finds a payment by the id in its page's address.
func (l *ledger) session(id string) (*payment, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	p, ok := l.payments[l.sessions[id]]
	return p, ok
}

// newest lists the last operations, oldest first, at most limit of them.
func (l *ledger) newest(limit int) []listed {
	l.mu.Lock()
	defer l.mu.Unlock()
	order := l.order[max(0, len(l.order)-limit):]
	out := make([]listed, len(order))
	for i, at := range order {
		out[i] = listOperation(l.payments[at.payment], at.index)
	}
	return out
}

// unfinished gives what a restarted simulator has to go on with.
func (l *ledger) unfinished() (pending []place, outbox []*notification) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, at := range l.order {
		if l.payments[at.payment].Operations[at.index].State == statePending {
			pending = append(pending, at)
		}
	}
	for _, n := range l.outbox {
		outbox = append(outbox, n)
	}
	return pending, outbox
}

func (l *ledger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil
	}
	l.closed = true
	if l.journal == nil {
		return nil
	}
	return l.journal.close()
}

// at gives a copy of the operation at a place.
func (l *ledger) at(at place) operation {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.payments[at.payment].Operations[at.index]
}
