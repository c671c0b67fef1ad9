package main

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/paysvc/paysvc/internal/payment"
)

// recording is what one request sent to the database, in order. The values that
// must be others the next time are slots: all of its UUIDs, its times, and the
// texts that were named when it was made.
type recording struct {
	steps []step
	uuids [][16]byte
	texts []string
	at    time.Time
}

// step is one round trip: a batch, or a query alone.
type step struct {
	batch   bool
	queries []query
}

// ends tells whether the transaction is over after the step.
func (s step) ends() bool { return !s.batch || s.queries[len(s.queries)-1].sql == "commit" }

// query is a statement, its arguments, and what the server said about it.
type query struct {
	sql  string
	args []any
	tag  string
}

// Arguments that are not constant.
type (
	uuidSlot  int
	textSlot  int
	timeSlot  time.Time
	timesSlot []time.Time
)

// values fill the slots of a recording.
type values struct {
	uuids [][16]byte
	texts []string
	now   time.Time
	// later puts deadlines off, so that nothing becomes due while it waits.
	later time.Duration
}

// fresh returns values that were never used before, with the given texts.
func (r *recording) fresh(ids *payment.IDs, texts ...string) *values {
	v := &values{uuids: make([][16]byte, len(r.uuids)), texts: texts, now: time.Now()}
	for i := range v.uuids {
		v.uuids[i] = ids.New()
	}
	return v
}

// order returns the slot of an order's id.
func (r *recording) order(id payment.OrderID) uuidSlot {
	for i, known := range r.uuids {
		if known == [16]byte(id) {
			return uuidSlot(i)
		}
	}
	return -1
}

// deadline tells moments of the request from the times that it set for later.
const deadline = 5 * time.Second

// fill returns a query's arguments.
func (r *recording) fill(q *query, v *values) []any {
	shift := func(t time.Time) time.Time {
		if t.Sub(r.at) > deadline {
			t = t.Add(v.later)
		}
		return t.Add(v.now.Sub(r.at))
	}
	args := make([]any, len(q.args))
	for i, arg := range q.args {
		switch slot := arg.(type) {
		case uuidSlot:
			args[i] = v.uuids[slot]
		case textSlot:
			args[i] = v.texts[slot]
		case timeSlot:
			args[i] = shift(time.Time(slot))
		case timesSlot:
			times := make([]time.Time, len(slot))
			for j, t := range slot {
				times[j] = shift(t)
			}
			args[i] = times
		default:
			args[i] = arg
		}
	}
	return args
}

// parametrize makes slots of what differs from one request to the next.
func (r *recording) parametrize(texts ...string) {
	r.texts = texts
	for _, s := range r.steps {
		for _, q := range s.queries {
			for i, arg := range q.args {
				q.args[i] = r.slot(arg)
			}
		}
	}
}

func (r *recording) slot(arg any) any {
	switch value := arg.(type) {
	case [16]byte:
		for i, known := range r.uuids {
			if known == value {
				return uuidSlot(i)
			}
		}
		r.uuids = append(r.uuids, value)
		return uuidSlot(len(r.uuids) - 1)
	case string:
		for i, known := range r.texts {
			if known == value {
				return textSlot(i)
			}
		}
	case time.Time:
		return timeSlot(value)
	case *time.Time:
		if value != nil {
			return timeSlot(*value)
		}
	case []time.Time:
		return timesSlot(value)
	}
	return arg
}

// recorder is a tracer that keeps what goes to the database.
type recorder struct {
	mu      sync.Mutex
	on      bool
	current recording
}

// during records what work sends.
func (r *recorder) during(work func() error) (*recording, error) {
	r.mu.Lock()
	r.on, r.current = true, recording{at: time.Now()}
	r.mu.Unlock()
	err := work()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.on = false
	made := r.current
	return &made, err
}

// add keeps a round trip that begins, and says so.
func (r *recorder) add(s step) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.on {
		r.current.steps = append(r.current.steps, s)
	}
	return r.on
}

type aloneKey struct{}

// TraceQueryStart implements pgx.QueryTracer.
func (r *recorder) TraceQueryStart(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryStartData) context.Context {
	if !r.add(step{queries: []query{{sql: q.SQL, args: q.Args}}}) {
		return ctx
	}
	return context.WithValue(ctx, aloneKey{}, true)
}

// TraceQueryEnd implements pgx.QueryTracer.
func (r *recorder) TraceQueryEnd(ctx context.Context, _ *pgx.Conn, q pgx.TraceQueryEndData) {
	if alone, _ := ctx.Value(aloneKey{}).(bool); alone {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.current.steps[len(r.current.steps)-1].queries[0].tag = q.CommandTag.String()
	}
}

// TraceBatchStart implements pgx.BatchTracer.
func (r *recorder) TraceBatchStart(ctx context.Context, _ *pgx.Conn, _ pgx.TraceBatchStartData) context.Context {
	r.add(step{batch: true})
	return ctx
}

// TraceBatchQuery implements pgx.BatchTracer.
func (r *recorder) TraceBatchQuery(_ context.Context, _ *pgx.Conn, q pgx.TraceBatchQueryData) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.on {
		return
	}
	last := &r.current.steps[len(r.current.steps)-1]
	last.queries = append(last.queries, query{sql: q.SQL, args: q.Args, tag: q.CommandTag.String()})
}

// TraceBatchEnd implements pgx.BatchTracer.
func (r *recorder) TraceBatchEnd(context.Context, *pgx.Conn, pgx.TraceBatchEndData) {}
