package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"runtime"
	"slices"
	"sync"
	"time"
)

const (
	// lagRounds is how many times as long as a cell orders are confirmed: a backlog
	// that grows is to be told from one that does not.
	lagRounds = 3
	// lagDrainMax is when waiting for the rest is given up.
	lagDrainMax = 2 * time.Minute
	lagLook     = 50 * time.Millisecond
)

// lag is how far deliveries of events are behind while orders are confirmed.
type lag struct {
	clients       int
	without, with sample // of confirm: without an endpoint, and with one
	made          int    // events, while the load ran
	waiting       []int  // events that were not taken yet, at each quarter of that time
	late          sample // how long after it happened each was taken
	drained       time.Duration
	left          int // when waiting for them was given up
}

// listener is an endpoint that takes every event at once.
type listener struct {
	mu    sync.Mutex
	taken map[string]struct{}
	late  []uint32 // in microseconds
}

func (l *listener) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	var event struct {
		ID        string    `json:"id"`
		CreatedAt time.Time `json:"created_at"`
	}
	if err != nil || json.Unmarshal(body, &event) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	l.mu.Lock()
	if _, again := l.taken[event.ID]; !again {
		l.taken[event.ID] = struct{}{}
		l.late = append(l.late, uint32(time.Since(event.CreatedAt).Microseconds()))
	}
	l.mu.Unlock()
	w.WriteHeader(http.StatusNoContent)
}

func (l *listener) count() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.taken)
}

// all is how late each event was taken.
func (l *listener) all() sample {
	l.mu.Lock()
	defer l.mu.Unlock()
	return sample{Latencies: slices.Sorted(slices.Values(l.late))}
}

// lagging measures how far deliveries are behind while the most clients confirm
// orders as fast as they can.
func (m *measurement) lagging(ctx context.Context) (*lag, error) {
	l, length := &lag{clients: slices.Max(m.clients)}, lagRounds*m.cell
	fmt.Fprintf(os.Stderr, "measuring how far deliveries are behind confirm with %d clients\n", l.clients)
	r := &receivers{service: m.service, pool: m.pool}
	defer r.close()
	endpoint := &listener{taken: map[string]struct{}{}}
	if err := r.open(ctx, endpoint.ServeHTTP); err != nil {
		return nil, err
	}
	if _, err := m.onService(ctx, opConfirm, l.clients, warmUp); err != nil {
		return nil, err
	}
	var err error
	if l.without, err = m.onService(ctx, opConfirm, l.clients, m.cell); err != nil {
		return nil, err
	}
	o, err := m.order(ctx, opConfirm, l.clients, length)
	if err != nil {
		return nil, err
	}
	if err := r.activate(ctx, true); err != nil {
		return nil, err
	}
	err = m.pool.QueryRow(ctx, "select max(since) from webhook_endpoints where active").Scan(&m.since)
	if err != nil {
		return nil, err
	}
	looks := l.look(ctx, m, endpoint, length)
	if l.with, err = m.serve(ctx, opConfirm, o); err != nil {
		return nil, err
	}
	if err := <-looks; err != nil {
		return nil, err
	}
	if l.made, err = m.events(ctx); err != nil {
		return nil, err
	}
	if err := l.drain(ctx, endpoint); err != nil {
		return nil, err
	}
	return l, r.activate(ctx, false)
}

// look notes at each quarter of the time how many events wait.
func (l *lag) look(ctx context.Context, m *measurement, endpoint *listener, length time.Duration) <-chan error {
	const looks = 4
	done := make(chan error, 1)
	go func() {
		for range looks {
			if err := pause(ctx, length/looks); err != nil {
				done <- err
				return
			}
			made, err := m.events(ctx)
			if err != nil {
				done <- err
				return
			}
			l.waiting = append(l.waiting, made-endpoint.count())
		}
		done <- nil
	}()
	return done
}

// events counts those since the endpoint was turned on.
func (m *measurement) events(ctx context.Context) (n int, err error) {
	err = m.pool.QueryRow(ctx, "select count(*) from events where store = 'demo' and sequence > $1", m.since).Scan(&n)
	return n, err
}

// drain waits until all events were taken.
func (l *lag) drain(ctx context.Context, endpoint *listener) error {
	begun := time.Now()
	for {
		l.left, l.drained = l.made-endpoint.count(), time.Since(begun)
		if l.left <= 0 || l.drained > lagDrainMax {
			l.late = endpoint.all()
			return nil
		}
		if err := pause(ctx, lagLook); err != nil {
			return err
		}
	}
}

// report writes what was found.
func (l *lag) report(w io.Writer) error {
	taken := l.made - l.waiting[len(l.waiting)-1]
	_, err := fmt.Fprintf(w, `
deliveries while %d clients confirm, to one endpoint that takes every event at once, on %d processors:
  confirm %.0f/s without it, %.0f/s with it (%d and %d µs of the service, %d and %d µs of PostgreSQL)
  %.0f events/s made, %.0f/s taken meanwhile; waiting at each quarter of %s: %v
  an event is taken after %s ms (median), %s ms (p99); after the load all were taken in %s, %d are left
`, l.clients, runtime.NumCPU(), l.without.rate(), l.with.rate(),
		l.without.each(l.without.programTime), l.with.each(l.with.programTime),
		l.without.each(l.without.databaseTime), l.with.each(l.with.databaseTime),
		float64(l.made)/l.with.Took.Seconds(), float64(taken)/l.with.Took.Seconds(), l.with.Took.Round(time.Second), l.waiting,
		l.late.quantile(0.5), l.late.quantile(0.99), l.drained.Round(time.Second/10), max(0, l.left))
	return err
}
