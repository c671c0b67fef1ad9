package moments

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// shops are the settings made ready for use.
type shops struct {
	settings *settings.Settings
	// sets holds the pipelines of each method, and defaults those of an order
	// without one.
	sets     map[*settings.Method]pipeline.Set
	defaults pipeline.Set
}

func (s *Service) compile(all *settings.Settings) (*shops, error) {
	library, err := steps.Library(steps.Deps{Opener: s, StockTracked: s.stockTracked})
	if err != nil {
		return nil, err
	}
	compiled := &shops{settings: all, sets: make(map[*settings.Method]pipeline.Set)}
	var problems []error
	if compiled.defaults, err = pipeline.Compile(steps.Defaults(), library); err != nil {
		problems = append(problems, err)
	}
	for _, name := range slices.Sorted(maps.Keys(all.Stores)) {
		store := all.Stores[name]
		for _, m := range store.Methods {
			set, err := compileMethod(m, library)
			if err != nil {
				problems = append(problems, fmt.Errorf("store %q, method %q: %w", store.Name, m.Name, err))
			}
			compiled.sets[m] = set
		}
	}
	return compiled, errors.Join(problems...)
}

func compileMethod(m *settings.Method, library pipeline.Library) (pipeline.Set, error) {
	definitions := steps.Defaults()
	if editor, ok := m.Account.Gateway.(gateways.PipelineEditor); ok {
		var err error
		if definitions, err = definitions.Apply(editor.EditPipelines(m.Kind)); err != nil {
			return nil, err
		}
	}
	return pipeline.Compile(definitions, library)
}

// store returns a store of the settings.
func (s *Service) store(name string) (*settings.Store, error) {
	store := s.shops.Load().settings.Store(name)
	if store == nil {
		return nil, payment.NotFound("the store")
	}
	return store, nil
}

// method returns a method of a store, active or not: what was begun with it has
// to be finished.
func (s *Service) method(storeName, name string) (*settings.Method, error) {
	store, err := s.store(storeName)
	if err != nil {
		return nil, err
	}
	m := store.Method(name)
	if m == nil {
		return nil, unavailable("the store does not have this method")
	}
	return m, nil
}

// account returns the account that a payment was begun with.
func (s *Service) account(o *payment.Order, p *payment.Payment) (*settings.Account, error) {
	account := s.shops.Load().settings.Account(o.Store, p.Account)
	if account == nil || account.GatewayName != p.Gateway {
		return nil, payment.Errorf(payment.KindUnavailable, "gateway_unavailable", "the payment's account is not configured")
	}
	return account, nil
}

// pipelines returns the pipelines that apply to what a run is about: those of
// its payment's method, or the default ones.
func (s *Service) pipelines(run *pipeline.Run) pipeline.Set {
	all := s.shops.Load()
	p := run.Payment
	if p == nil {
		p = run.Order.LatestPayment()
	}
	if p != nil {
		if m, err := s.method(run.Order.Store, p.Method); err == nil {
			return all.sets[m]
		}
	}
	return all.defaults
}

// pick returns a chooser of the named pipeline.
func (s *Service) pick(name string) func(*pipeline.Run) (*pipeline.Pipeline, error) {
	return func(run *pipeline.Run) (*pipeline.Pipeline, error) {
		p := s.pipelines(run)[name]
		if p == nil {
			return nil, fmt.Errorf("there is no pipeline %q", name)
		}
		return p, nil
	}
}

// Open implements steps.Opener.
func (s *Service) Open(o *payment.Order, p *payment.Payment) (steps.Payer, payment.PayRequest, error) {
	m, err := s.method(o.Store, p.Method)
	if err != nil {
		return nil, payment.PayRequest{}, err
	}
	payer, ok := m.Account.Gateway.(gateways.Payer)
	if !ok {
		return nil, payment.PayRequest{}, fmt.Errorf("gateway %q does not begin payments at a PSP", p.Gateway)
	}
	return payer, s.payRequest(m, o, p), nil
}

func (s *Service) payRequest(m *settings.Method, o *payment.Order, p *payment.Payment) payment.PayRequest {
	return payment.PayRequest{
		Capture: !m.Spec.AuthorizeOnly, Amount: p.Amount.Add(p.Fee), Method: m.Kind, Order: o,
		SuccessURL: s.PublicURL + "/order-submit/" + o.ReturnSlug(),
		FailureURL: s.PublicURL + "/order-failed/" + o.ReturnSlug(),
		NotifyURL:  s.PublicURL + "/confirm/" + p.Gateway + "/" + p.Account,
	}
}

func (s *Service) stockTracked(name string) bool {
	store, err := s.store(name)
	return err == nil && store.Stock
}
