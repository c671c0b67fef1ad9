package moments

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/settings"
)

// TryCommand asks what a pipeline would do to an order.
type TryCommand struct {
	// Store is the only one whose order may be found; "" is any.
	Store    string
	Order    payment.OrderID
	Pipeline string
	// Fact is what a PSP would report about the latest transaction that is open; ""
	// takes the latest transaction as the books have it.
	Fact payment.State
	// Method is what an order is paid with that has no payment yet, where the
	// pipeline begins one; "" is that of its latest payment.
	Method string
	// From is who causes the run. A fact from somewhere is a notification; one from
	// nowhere is the answer to an inquiry, which has no sender.
	From netip.Addr
	// Edits are edits of pipelines as settings write them, on top of those in force;
	// nil where nothing else is tried.
	Edits []byte
}

// Tried is what a pipeline would do under the settings in force and, where
// something else is tried, under that.
type Tried struct {
	Order       *payment.Order
	Pipeline    string
	InForce     *pipeline.Trial
	Tried       *pipeline.Trial // nil where nothing else is tried
	Differences []pipeline.Difference
	// Remarks say what a trial cannot know, and what it took instead.
	Remarks []string
}

// What a trial says of itself.
const (
	remarkCalls  = "Nothing was called: the trial goes on as if each call had brought nothing, and a shop's URL had let the run go on."
	remarkNoFact = "No fact was named: the latest transaction stands for a fact that changes nothing."
	remarkAgain  = "The latest payment is begun once more, on the order as it was before, without what the shopper entered."
	remarkWhole  = "The operation is about all that is left of the latest payment, and wanted by nobody in particular."
	remarkNew    = "A payment is begun in memory, without what the shopper entered."
)

// Try says what a pipeline would do to an order, and changes nothing: the order
// is read without a lock, the engine works on a copy in memory, and no call is
// made.
func (s *Service) Try(ctx context.Context, c TryCommand) (*Tried, error) {
	o, err := s.Orders.ReadOrderWithAttributes(ctx, c.Store, c.Order)
	if err != nil {
		return nil, err
	}
	if c.Edits == nil {
		return tryOn(ctx, o, c, s.inForce(), nil)
	}
	edited, err := s.edited(o, c)
	if err != nil {
		return nil, err
	}
	return tryOn(ctx, o, c, s.inForce(), edited)
}

// TryBeside is Try under the settings of this service and under those of another.
func (s *Service) TryBeside(ctx context.Context, other *Service, c TryCommand) (*Tried, error) {
	o, err := s.Orders.ReadOrderWithAttributes(ctx, c.Store, c.Order)
	if err != nil {
		return nil, err
	}
	return tryOn(ctx, o, c, s.inForce(), other.inForce())
}

// Beside returns the service as it would be under other settings, for trials only:
// it has no book, so nothing can be carried out with it.
func (s *Service) Beside(all *settings.Settings) (*Service, error) {
	d := s.Deps
	d.Settings, d.Book = all, nil
	return New(d)
}

// side is one of the two sides on which an attempt is tried.
type side struct {
	service   *Service
	pipelines func(run *pipeline.Run) pipeline.Set
}

// inForce is the side of the settings of this service.
func (s *Service) inForce() *side { return &side{service: s, pipelines: s.pipelines} }

// tryOn tries a command on an order, on one side or, unless other is nil, on two.
func tryOn(ctx context.Context, o *payment.Order, c TryCommand, inForce, other *side) (*Tried, error) {
	a, err := c.attempt(o)
	if err != nil {
		return nil, err
	}
	t := &Tried{Order: o, Pipeline: c.Pipeline, InForce: a.try(ctx, o, inForce)}
	calls := t.InForce.Calls()
	if other != nil {
		t.Tried = a.try(ctx, o, other)
		t.Differences = pipeline.Compare(t.InForce, t.Tried)
		calls = calls || t.Tried.Calls()
	}
	t.Remarks = a.remarks
	if calls {
		t.Remarks = append(t.Remarks, remarkCalls)
	}
	return t, nil
}

// attempt is what is tried, the same on both sides.
type attempt struct {
	pipeline string
	from     netip.Addr
	facts    []payment.Fact
	// about is the number of the payment that the run is about, 0 for the order.
	about int
	// finding tells that the payment's latest transaction stands for a fact.
	finding bool
	// begins tells that the run begins a payment: the one that it is about once
	// more, or one with a method.
	begins bool
	method string
	// operates is what is done with the payment that the run is about; "" for nothing.
	operates payment.Action
	remarks  []string
}

// attempt makes of the command what a run of the pipeline begins with.
func (c TryCommand) attempt(o *payment.Order) (attempt, error) {
	a := attempt{pipeline: c.Pipeline, from: c.From, method: c.Method, begins: begins(c.Pipeline), operates: actionOf(c.Pipeline)}
	latest := o.LatestPayment()
	switch {
	case !slices.Contains(pipeline.Roots(), c.Pipeline):
		return a, payment.Invalid("pipeline", "pipeline_unknown", "must be one that runs begin with: "+strings.Join(pipeline.Roots(), ", "))
	case c.Fact != "" && c.Pipeline != pipeline.Confirm:
		return a, payment.Invalid("fact", "fact_not_taken", "facts are only for the pipeline confirm")
	case c.Method != "" && !a.begins:
		return a, payment.Invalid("method", "method_not_taken", "only a pipeline that begins a payment takes a method")
	case a.begins && c.Method != "":
		a.remarks = append(a.remarks, remarkNew)
	case a.begins && latest == nil:
		return a, payment.Invalid("method", "method_required", "the order has no payment yet: name the method that it would be paid with")
	case a.begins:
		a.about, a.method = latest.N, latest.Method
		a.remarks = append(a.remarks, remarkAgain)
	case c.Fact != "":
		fact, err := factOf(o, c.Fact)
		fact.Source = a.source()
		a.facts = []payment.Fact{fact}
		return a, err
	case a.operates != "" && a.operates != payment.ActComplete:
		if latest == nil {
			return a, payment.Invalid("pipeline", "nothing_to_operate", "the order has no payment that something could be done with")
		}
		a.about = latest.N
		a.remarks = append(a.remarks, remarkWhole)
	case c.Pipeline == pipeline.Confirm && latest != nil:
		a.about, a.finding = latest.N, true
		a.remarks = append(a.remarks, remarkNoFact)
	}
	return a, nil
}

// begins tells whether runs of a pipeline begin a payment.
func begins(name string) bool { return name == pipeline.Internal || name == pipeline.PreProcess }

// actionOf is what is done by runs of a pipeline of order management; "" for others.
func actionOf(name string) payment.Action {
	for action, of := range pipelineOf {
		if of == name {
			return action
		}
	}
	return ""
}

// factOf is what a PSP would report about the latest transaction that is open.
func factOf(o *payment.Order, state payment.State) (payment.Fact, error) {
	if !state.Known() || state == payment.Sending {
		return payment.Fact{}, payment.Invalid("fact", "fact_unknown",
			"must be what a PSP reports: action_required, approved, declined, not_sent, pending, reversed or unknown")
	}
	open := slices.DeleteFunc(o.OpenTransactions(), func(t *payment.Transaction) bool { return t.Reference == "" })
	if len(open) == 0 {
		return payment.Fact{}, payment.Invalid("fact", "nothing_open", "the order has no transaction that a PSP could still report about")
	}
	latest := slices.MaxFunc(open, func(a, b *payment.Transaction) int { return a.N - b.N })
	return payment.Fact{Reference: latest.Reference, State: state}, nil
}

// source is who brings the fact.
func (a attempt) source() payment.Source {
	if a.from.IsValid() {
		return payment.SourceNotification
	}
	return payment.SourceInquiry
}

// try runs the attempt on one side.
func (a attempt) try(ctx context.Context, o *payment.Order, on *side) *pipeline.Trial {
	at := on.service.Now()
	if p := o.Payment(a.about); a.begins && p != nil {
		at = p.CreatedAt // its time to be paid may have passed meanwhile
		o = before(o, p)
	}
	runner := pipeline.NewRunner(nil, on.service.IDs, func() time.Time { return at })
	pick := func(name string) func(*pipeline.Run) (*pipeline.Pipeline, error) {
		return func(run *pipeline.Run) (*pipeline.Pipeline, error) {
			if p := on.pipelines(run)[name]; p != nil {
				return p, nil
			}
			return nil, fmt.Errorf("there is no pipeline %q for store %q", name, run.Order.Store)
		}
	}
	return runner.Try(ctx, o, pipeline.Request{
		Facts: a.facts, From: a.from, Retry: a.pipeline == pipeline.Confirm,
		Prepare: func(run *pipeline.Run) error { return a.prepare(run, on.service) },
		Pick:    pick(a.pipeline), Confirm: pick(pipeline.Confirm),
	})
}
