package pipeline_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// book keeps orders in memory as a store would: what is loaded shares nothing
// with what is kept, so that what a stretch drops is really gone.
type book struct {
	t  *testing.T
	mu sync.Mutex

	orders  map[payment.OrderID]*payment.Order
	runs    map[int]*payment.RunRecord // of the one order that tests look at
	inbox   map[string]payment.Notification
	claims  map[string]payment.Closing
	notes   []payment.Note
	events  []payment.Event
	cases   []payment.Case
	commits int
	inside  bool // a transaction is open

	// before may fail a stretch before it begins; n counts the stretches from 1.
	before func(n int) error
	// lose lets a stretch commit and loses the answer.
	lose func(n int) error
	// again has the work of a stretch done once more on a fresh load, as after a
	// serialization failure.
	again func(n int) bool

	stretches int
}

func newBook(t *testing.T) *book {
	return &book{
		t: t, orders: make(map[payment.OrderID]*payment.Order), runs: make(map[int]*payment.RunRecord),
		inbox: make(map[string]payment.Notification), claims: make(map[string]payment.Closing),
		before: func(int) error { return nil }, lose: func(int) error { return nil }, again: func(int) bool { return false },
	}
}

var errGone = errors.New("the database is gone")

// Stretch implements pipeline.Book.
func (b *book) Stretch(
	_ context.Context, open payment.Opening, work func(*payment.Order) (payment.Closing, error),
) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	require.False(b.t, b.inside, "a stretch within a stretch")
	b.stretches++
	n := b.stretches
	if err := b.before(n); err != nil {
		return err
	}
	kept, err := b.find(open)
	if err != nil {
		return err
	}
	b.inside = true
	defer func() { b.inside = false }()
	o := loaded(kept)
	closing, err := work(o)
	if b.again(n) {
		o = loaded(kept)
		closing, err = work(o)
	}
	if err != nil {
		return err
	}
	b.write(o, open, closing)
	return b.lose(n)
}

// find locks the order that a stretch is about.
func (b *book) find(open payment.Opening) (*payment.Order, error) {
	require.NotEqual(b.t, payment.ID{}, open.Token, "a stretch without a name cannot be looked up")
	if c := open.Claim; c != nil {
		if _, taken := b.claims[c.Key]; taken {
			return nil, &payment.Claimed{Fingerprint: c.Fingerprint}
		}
	}
	if n := open.Notification; n != nil {
		if _, known := b.inbox[n.EventID]; known {
			return nil, payment.ErrDuplicate
		}
	}
	if open.New != nil {
		return open.New, nil
	}
	if j := open.Journal; j != nil {
		if r := b.runs[j.N]; r == nil || r.Token != j.Token {
			return nil, payment.ErrStale
		}
	}
	for _, o := range b.orders {
		if _, x := o.TransactionByReference(open.Reference); x != nil || o.ID == open.Order {
			return o, nil
		}
	}
	return nil, payment.ErrOrderNotFound
}

func (b *book) write(o *payment.Order, open payment.Opening, closing payment.Closing) {
	o.Progress = o.Saved // nothing else is a column
	b.orders[o.ID] = loaded(o)
	for _, r := range closing.Runs {
		_, known := b.runs[r.N]
		require.Equal(b.t, r.New, !known, "run %d is inserted once and updated after that", r.N)
		require.Equal(b.t, open.Token, r.Token, "a run is found by the name of the stretch that wrote it")
		b.runs[r.N] = record(r)
	}
	if n := open.Notification; n != nil {
		b.inbox[n.EventID] = *n
	}
	if n := closing.Notification; n != nil {
		b.inbox[n.EventID] = *n
	}
	if closing.Claim != nil {
		b.claims[closing.Claim.Key] = closing
	}
	for _, c := range o.Staged.Cases {
		require.NotEqual(b.t, payment.CaseID{}, c.ID, "a case needs an id")
	}
	b.notes, b.events = append(b.notes, o.Staged.Notes...), append(b.events, o.Staged.Events...)
	b.cases = append(b.cases, o.Staged.Cases...)
	b.commits++
}

// loaded returns an order as it comes out of a database: its own copy, nothing
// staged, nothing changed.
func loaded(kept *payment.Order) *payment.Order {
	o := *kept
	o.Staged, o.Progress, o.Actor, o.Source = payment.Staged{}, kept.Saved, "", ""
	o.Lines, o.PromotionCodes = slices.Clone(kept.Lines), slices.Clone(kept.PromotionCodes)
	o.Metadata = maps.Clone(kept.Metadata)
	o.Payments, o.Effects = nil, nil
	for _, p := range kept.Payments {
		c := &payment.Payment{
			N: p.N, Method: p.Method, Gateway: p.Gateway, Account: p.Account, Mode: p.Mode, Amount: p.Amount, Fee: p.Fee,
			Sums: p.Sums, Status: p.Status, NextAction: p.NextAction, CreatedAt: p.CreatedAt,
		}
		for _, x := range p.Transactions {
			c.Transactions = append(c.Transactions, &payment.Transaction{
				N: x.N, Type: x.Type, State: x.State, Amount: x.Amount, Reference: x.Reference, GatewayReference: x.GatewayReference,
				Parent: x.Parent, Held: x.Held, Reason: x.Reason, CreatedAt: x.CreatedAt, SettledAt: x.SettledAt, DueAt: x.DueAt,
				Inquiries: x.Inquiries,
			})
		}
		o.Payments = append(o.Payments, c)
	}
	for key, e := range kept.Effects {
		if o.Effects == nil {
			o.Effects = make(map[string]*payment.Effect)
		}
		o.Effects[key] = &payment.Effect{
			Key: e.Key, Kind: e.Kind, State: e.State, Subject: e.Subject, DueAt: e.DueAt, Tries: e.Tries, Note: e.Note,
		}
	}
	return &o
}

func record(r *payment.RunRecord) *payment.RunRecord {
	c := *r
	c.Steps, c.New = slices.Clone(r.Steps), false
	return &c
}

// order returns the order as it is kept.
func (b *book) order(id payment.OrderID) *payment.Order {
	b.mu.Lock()
	defer b.mu.Unlock()
	require.Contains(b.t, b.orders, id)
	return loaded(b.orders[id])
}

// journal returns the runs as they are kept, oldest first.
func (b *book) journal() []*payment.RunRecord {
	b.mu.Lock()
	defer b.mu.Unlock()
	var all []*payment.RunRecord
	for _, n := range slices.Sorted(maps.Keys(b.runs)) {
		all = append(all, record(b.runs[n]))
	}
	return all
}

// busy tells whether a transaction is open at this moment.
func (b *book) busy() bool {
	if !b.mu.TryLock() {
		return true
	}
	defer b.mu.Unlock()
	return b.inside
}

// take gives a run to somebody else, as a job does that takes it up.
func (b *book) take(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.runs[n].Token[0]++
}

// failing fails the stretches of these numbers.
func failing(numbers ...int) func(int) error {
	return func(n int) error {
		if slices.Contains(numbers, n) {
			return errGone
		}
		return nil
	}
}

// twice has the work of the stretches of these numbers done again.
func twice(numbers ...int) func(int) bool {
	return func(n int) bool { return slices.Contains(numbers, n) }
}
