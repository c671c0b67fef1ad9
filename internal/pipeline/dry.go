package pipeline

import (
	"context"
	"slices"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
)

// Trial is what a pipeline would do to an order: found out by the engine itself,
// on a copy in memory. Nothing is written and nothing is called.
type Trial struct {
	// Pipeline is the one that the run would begin with; nil where none was found.
	Pipeline *Pipeline
	Steps    []TrialStep
	// Changes are what would last. Of a run that fails or refuses these are its
	// facts and what earlier stretches committed.
	Changes []TrialChange
	// Err is why the run would end early: a *payment.Error where a step refuses.
	Err error
}

// TrialStep is a step of a trial.
type TrialStep struct {
	Step string // path from the pipeline: "order-path-selector/pay-order"
	// Result is what the journal would say, or one of the words below.
	Result string
	// Why is the condition that did not hold, or what is wrong.
	Why string
	// Branched tells that Result is the branch that was taken.
	Branched bool
}

// What a trial says of a step where the journal has another word, or none.
const (
	TrialWouldCall  = "would call"
	TrialRefused    = "refused"
	TrialNotReached = "not reached"
)

// Calls tells whether the run would have talked to the outside.
func (t *Trial) Calls() bool {
	return slices.ContainsFunc(t.Steps, func(s TrialStep) bool { return s.Result == TrialWouldCall })
}

// Refusal returns why a step refuses the run; nil where none does.
func (t *Trial) Refusal() *payment.Error { return refusalOf(t.Err) }

// Try executes a pipeline as Execute would, on a copy of the order. A step that
// calls is taken to have brought nothing back, and the run goes on behind it.
func (r *Runner) Try(ctx context.Context, o *payment.Order, req Request) *Trial {
	at := r.now()
	book := &dryBook{order: copied(o)}
	runner := NewRunner(book, r.ids, func() time.Time { return at })
	s := &stretch{runner: runner, req: &req, facts: req.Facts, first: true}
	s.open.Order = o.ID
	t := &Trial{}
	var run *Run
	for {
		var caller Caller
		var err error
		tried := book.loaded()
		run, caller, err = s.work(tried)
		t.journal(run)
		if err != nil {
			t.fail(run, err)
			_, _, _ = s.keep(ctx, run, err) // the error is the one that is known already
			break
		}
		book.order = tried
		if caller == nil {
			break
		}
		s = s.after(run, Answer{})
	}
	t.Changes = changesBetween(o, book.loaded())
	if t.Err == nil && run.Redirect != "" {
		t.Changes = append(t.Changes, TrialChange{Kind: "redirect", To: run.Redirect})
	}
	return t
}

// journal takes over what a stretch would have journaled. A run that comes back
// from a call has all of its steps again, so they replace those before.
func (t *Trial) journal(run *Run) {
	t.Pipeline, t.Steps = run.pipeline, nil
	if run.record == nil {
		return
	}
	frames := make(map[string]frame)
	add := func(p *Pipeline, prefix string) {
		for _, s := range p.steps {
			frames[prefix+s.Name] = frame{boundStep: s, pipeline: p}
		}
	}
	add(run.pipeline, "")
	for _, entry := range run.record.Steps {
		f := frames[entry.Step]
		step := TrialStep{Step: entry.Step, Result: entry.Result, Why: entry.Error}
		switch entry.Result {
		case resultCalled:
			step.Result = TrialWouldCall
		case resultSkipped:
			step.Why = "does not hold: " + f.When.String()
		}
		t.Steps = append(t.Steps, step)
		if child := f.pipeline.branch[entry.Result]; child != nil {
			t.Steps[len(t.Steps)-1].Branched = true
			add(child, entry.Step+"/")
		}
	}
}

// fail notes what stopped the run, and what it did not come to.
func (t *Trial) fail(run *Run, err error) {
	t.Err = err
	if n := len(t.Steps); n > 0 && t.Steps[n-1].Result == resultFailed {
		if refusal := refusalOf(err); refusal != nil {
			t.Steps[n-1].Result, t.Steps[n-1].Why = TrialRefused, refusal.Code+": "+refusal.Message
		}
	}
	if run.record == nil {
		return
	}
	for i, f := range run.program {
		if i > 0 { // the first is the one that failed
			t.Steps = append(t.Steps, TrialStep{Step: f.path, Result: TrialNotReached})
		}
	}
}

// Definitions returns the definitions of the set, to be edited further.
func (s Set) Definitions() Definitions {
	all := make(Definitions, len(s))
	for name, p := range s {
		all[name] = p.Definition
	}
	return all
}

// dryBook is a book that forgets: what is left to it stays in memory until the
// trial ends.
type dryBook struct {
	order *payment.Order
}

// loaded returns the order as it would come out of the database: what no
// save-order made last is gone.
func (b *dryBook) loaded() *payment.Order {
	o := copied(b.order)
	o.Progress = o.Saved
	return o
}

// Stretch implements Book. There is one order that can be opened.
func (b *dryBook) Stretch(_ context.Context, _ payment.Opening, work func(*payment.Order) (payment.Closing, error)) error {
	o := b.loaded()
	if _, err := work(o); err != nil {
		return err
	}
	b.order = o
	return nil
}
