// Package moments carries out the moments of a payment: the shopper pays, the
// PSP notifies, the shopper comes back, an outcome is asked about, an order is
// cancelled or expires, an operator says that it is paid. Each finds the gateway
// and the pipeline that apply, and runs it. A trial does so in memory.
package moments

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/settings"
)

// Orders reads orders without locking them. Attributes come only with what says so.
type Orders interface {
	ReadOrder(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error)
	ReadOrderWithAttributes(ctx context.Context, store string, id payment.OrderID) (*payment.Order, error)
	OrderOfNumber(ctx context.Context, store, number string) (payment.OrderID, error)
}

// Claims reads what became of idempotency keys.
type Claims interface {
	Claimed(ctx context.Context, c *payment.Claim) (*payment.Claimed, error)
	KeepReply(ctx context.Context, c *payment.Claim, r payment.Reply) (bool, error)
}

// Inquiries keeps the schedule of asking PSPs.
type Inquiries interface {
	PostponeTransaction(ctx context.Context, id payment.TransactionID, due time.Time, expect int) error
}

// Inbox keeps notifications that cannot be applied.
type Inbox interface {
	KeepRejected(ctx context.Context, n *payment.Notification, c payment.Case) error
	PostponeNotification(ctx context.Context, n *payment.Notification, open *payment.Case) error
}

// Deps are what the moments are made of.
type Deps struct {
	Book      pipeline.Book
	Orders    Orders
	Claims    Claims
	Inquiries Inquiries
	Inbox     Inbox
	Cases     Cases
	// Clocks keeps when somebody looks at reserved money, and Comparisons what our
	// books are compared by with what PSPs list.
	Clocks      Clocks
	Comparisons Comparisons
	// Settings are those to begin with; Reload puts others in force.
	Settings *settings.Settings
	IDs      *payment.IDs
	Now      func() time.Time
	Log      zerolog.Logger
	// PublicURL is where shoppers and PSPs reach the service, without a slash at its end.
	PublicURL string
	// Makers are the steps that edits which are tried may configure.
	Makers []pipeline.Maker
	// Kick, when set, is called after a commit that left work for jobs.
	Kick func()
}

// Service carries out the moments. It is safe for concurrent use.
type Service struct {
	Deps
	runner *pipeline.Runner
	shops  atomic.Pointer[shops]
	// reloading lets one reload after the other put its settings in force.
	reloading sync.Mutex
	looks     looks
}

// New compiles the pipelines of every store and method and returns the service.
// The error names every pipeline that does not fit.
func New(d Deps) (*Service, error) {
	s := &Service{Deps: d, runner: pipeline.NewRunner(d.Book, d.IDs, d.Now)}
	s.PublicURL = strings.TrimSuffix(d.PublicURL, "/")
	compiled, err := s.compile(d.Settings)
	if err != nil {
		return nil, fmt.Errorf("pipelines: %w", err)
	}
	s.shops.Store(compiled)
	if s.Kick == nil {
		s.Kick = func() {}
	}
	return s, nil
}

// execute runs a pipeline and wakes the jobs when that left work for them.
func (s *Service) execute(ctx context.Context, req pipeline.Request) (*pipeline.Run, error) {
	store := req.Open.Store
	if req.Open.New != nil {
		store = req.Open.New.Store
	}
	req.Open.Attributes = s.shops.Load().attributes[store]
	run, err := s.runner.Execute(ctx, req)
	s.report(run)
	if run != nil && run.Order != nil {
		if leavesWork(run.Order) {
			s.Kick()
		}
	}
	if payment.KindOf(err) == payment.KindInvalid {
		err = wordless{err}
	}
	return run, err
}

// wordless is a refusal that prints as its code: its words may be a shop's, which are
// for the caller and the journal, and are not logged.
type wordless struct{ refusal error }

func (w wordless) Error() string { return payment.CodeOf(w.refusal) }

func (w wordless) Unwrap() error { return w.refusal }

// leavesWork tells whether what was committed is for jobs to go on with.
func leavesWork(o *payment.Order) bool {
	for _, e := range o.Effects {
		if e.Change() != payment.Unchanged && !e.DueAt.IsZero() {
			return true
		}
	}
	return slices.ContainsFunc(o.Payments, func(p *payment.Payment) bool {
		return p.Change() != payment.Unchanged && p.Release.Open()
	})
}

// report logs a run that did not get to its end. What a step says as it refuses
// is for the caller; the journal keeps it.
func (s *Service) report(run *pipeline.Run) {
	if run == nil || run.Record() == nil || run.Record().State != payment.RunFailed {
		return
	}
	if run.Refusal != nil {
		s.Log.Info().Stringer("order", run.Order.ID).Str("pipeline", run.Record().Pipeline).Str("code", run.Refusal.Code).
			Msg("a step refused to go on")
		return
	}
	s.Log.Error().Stringer("order", run.Order.ID).Str("pipeline", run.Record().Pipeline).
		Str("error", run.Record().Error).Msg("a step failed; its money facts are recorded")
}
