package pipeline_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// testStep is a step of a test.
type testStep struct {
	name     string
	do       func(run *pipeline.Run) error
	branches []string
	needs    []pipeline.Input
}

func (s *testStep) Name() string { return s.name }

func (s *testStep) Do(run *pipeline.Run) error {
	if s.do == nil {
		return nil
	}
	return s.do(run)
}

func (s *testStep) Branches() []string { return s.branches }

func (s *testStep) Requires() []pipeline.Input { return s.needs }

// callStep is a step of a test that talks to the outside.
type callStep struct {
	testStep
	calls int
	call  func(ctx context.Context, run *pipeline.Run) []payment.Fact
}

func (s *callStep) Call(ctx context.Context, run *pipeline.Run) pipeline.Answer {
	s.calls++
	if s.call == nil {
		return pipeline.Answer{}
	}
	return pipeline.Answer{Facts: s.call(ctx, run)}
}

// notes is a step that leaves its name in the timeline.
func notes(name string) *testStep {
	return &testStep{name: name, do: func(run *pipeline.Run) error { run.Note(name); return nil }}
}

// saves is save-order.
func saves() *testStep {
	return &testStep{name: "save-order", do: func(run *pipeline.Run) error { run.Order.Save(); return nil }}
}

// moves moves the order on.
func moves(name string, to payment.OrderStatus) *testStep {
	return &testStep{name: name, do: func(run *pipeline.Run) error { run.Order.MoveTo(to); return nil }}
}

var errBroken = errors.New("it is broken")

// breaks fails for as long as broken is true.
func breaks(name string, broken *bool) *testStep {
	return &testStep{name: name, do: func(*pipeline.Run) error {
		if *broken {
			return errBroken
		}
		return nil
	}}
}

var errRefused = payment.Errorf(payment.KindConflict, "not_today", "come back tomorrow")

func refuses(name string) *testStep {
	return &testStep{name: name, do: func(run *pipeline.Run) error { run.Note("refused"); return errRefused }}
}

// pays announces a sale and, when it is called, brings a fact of this state.
func pays(state payment.State) *callStep {
	return &callStep{
		testStep: testStep{name: "pays", do: func(run *pipeline.Run) error {
			run.Payment = run.Order.OpenPayment("card", "sandbox", "shop", payment.ModeTest, run.Order.Due(), run.At)
			run.Announce(run.Payment, payment.AuthorizeAndCapture, run.Order.Due())
			return nil
		}},
		call: func(_ context.Context, run *pipeline.Run) []payment.Fact {
			return []payment.Fact{{Source: payment.SourceAnswer, Reference: run.Payment.Initial().Reference, State: state}}
		},
	}
}

// bench runs pipelines of test steps on a book.
type bench struct {
	*testing.T
	book   *book
	runner *pipeline.Runner
	set    pipeline.Set
	at     time.Time
	id     payment.OrderID
}

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// setup returns a bench with one unpaid order over 10 euros and the pipelines
// "main" and "confirm" among those given.
func setup(t *testing.T, definitions pipeline.Definitions, steps ...pipeline.Step) *bench {
	t.Helper()
	b := &bench{T: t, book: newBook(t), at: noon(), id: payment.OrderID{1}}
	ids := payment.NewIDs(func() time.Time { return b.at }, rand.NewChaCha8([32]byte{}))
	b.runner = pipeline.NewRunner(b.book, ids, func() time.Time { return b.at })
	b.define(definitions, steps...)
	o := newOrder(t)
	b.book.orders[o.ID] = o
	return b
}

func newOrder(t *testing.T) *payment.Order {
	t.Helper()
	o := &payment.Order{ID: payment.OrderID{1}, Store: "demo"}
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	o.Currency, o.Total = eur, payment.FromMinor(1000, eur)
	o.Progress.Status = payment.OrderPending
	o.Save()
	return o
}

// define compiles the pipelines, as new settings do.
func (b *bench) define(definitions pipeline.Definitions, steps ...pipeline.Step) {
	b.Helper()
	library, err := pipeline.NewLibrary(steps...)
	require.NoError(b, err)
	b.set, err = pipeline.Compile(definitions, library)
	require.NoError(b, err)
}

func define(name string, pre, steps, post []string) pipeline.Definition {
	return pipeline.Definition{
		Name: name, Pre: pipeline.Named(pre...), Steps: pipeline.Named(steps...), Post: pipeline.Named(post...),
	}
}

// mainly returns pipelines of which main has these steps and confirm none.
func mainly(steps ...string) pipeline.Definitions {
	return pipeline.Definitions{"main": define("main", nil, steps, nil), "confirm": define("confirm", nil, nil, nil)}
}

// mainAnd returns pipelines of which main and confirm have these steps.
func mainAnd(main, confirm []string) pipeline.Definitions {
	return pipeline.Definitions{"main": define("main", nil, main, nil), "confirm": define("confirm", nil, confirm, nil)}
}

func (b *bench) pick(name string) func(*pipeline.Run) (*pipeline.Pipeline, error) {
	return func(*pipeline.Run) (*pipeline.Pipeline, error) {
		if p := b.set[name]; p != nil {
			return p, nil
		}
		return nil, errors.New("there is no such pipeline")
	}
}

// request asks for main on the order of the bench.
func (b *bench) request() pipeline.Request {
	return pipeline.Request{
		Open: payment.Opening{Store: "demo", Order: b.id}, Pick: b.pick("main"), Confirm: b.pick("confirm"),
	}
}

func (b *bench) execute(req pipeline.Request) (*pipeline.Run, error) {
	b.Helper()
	return b.runner.Execute(b.Context(), req)
}

// run executes main and expects it to be done.
func (b *bench) run() *pipeline.Run {
	b.Helper()
	run, err := b.execute(b.request())
	require.NoError(b, err)
	return run
}

// resume takes up a run as a job does.
func (b *bench) resume(n int) (*pipeline.Run, error) {
	b.Helper()
	b.book.mu.Lock()
	r := record(b.book.runs[n])
	b.book.mu.Unlock()
	return b.execute(pipeline.Request{
		Open: payment.Opening{Store: "demo", Order: b.id, Journal: r},
		Pick: b.pick(r.Pipeline), Confirm: b.pick("confirm"), Resume: r, Retry: true,
	})
}

// announced puts a payment in play and returns the reference of its sale.
func (b *bench) announced() string {
	b.Helper()
	const reference = "REFERENCE00000000001"
	o := b.book.orders[b.id]
	p := o.OpenPayment("card", "sandbox", "shop", payment.ModeTest, o.Total, b.at)
	o.Announce(p, payment.AuthorizeAndCapture, reference, o.Total, b.at, b.at)
	b.book.orders[b.id] = loaded(o)
	return reference
}

func approved(reference string) payment.Fact {
	return payment.Fact{Source: payment.SourceNotification, Reference: reference, State: payment.Approved}
}

// timeline returns the texts of notes that steps left.
func (b *bench) timeline() []string {
	var texts []string
	for _, n := range b.book.notes {
		if n.N > 0 && len(n.Text) < 20 {
			texts = append(texts, n.Text)
		}
	}
	return texts
}

// results returns what the journal says of the steps of a run.
func results(r *payment.RunRecord) []string {
	var all []string
	for _, s := range r.Steps {
		all = append(all, s.Step+": "+s.Result)
	}
	return all
}
