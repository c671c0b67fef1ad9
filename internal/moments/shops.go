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
	// sets holds the pipelines of each method, and those of a store's orders that
	// have no method yet.
	sets map[owner]pipeline.Set
	// retired are accounts of settings that were in force before and that these do
	// not have: what was begun with them is finished with them.
	retired []*settings.Account
	// attributes tells of a store whether its pipelines look at attributes, or did.
	attributes map[string]bool
	// versions holds every pipeline by version, also those of settings that were in
	// force before: a run that is taken up goes on with the one that it began with.
	versions map[version]*pipeline.Pipeline
}

// owner is whose pipelines a set is: those of a method, or with none of a store.
type owner struct{ store, method string }

// version names one pipeline as it was at some time.
type version struct{ name, hash string }

func (s *Service) compile(all *settings.Settings) (*shops, error) {
	library, err := steps.Library(steps.Deps{
		Opener: s, Decider: s, Operator: operator{s}, Returns: s.returns, StockTracked: s.stockTracked, StatusPage: s.statusPage,
	})
	if err != nil {
		return nil, err
	}
	compiled := &shops{
		settings: all, sets: make(map[owner]pipeline.Set),
		attributes: make(map[string]bool), versions: make(map[version]*pipeline.Pipeline),
	}
	var problems []error
	for _, name := range slices.Sorted(maps.Keys(all.Stores)) {
		problems = append(problems, compiled.add(all.Stores[name], library))
	}
	return compiled, errors.Join(problems...)
}

// add compiles the pipelines of a store.
func (c *shops) add(store *settings.Store, library pipeline.Library) error {
	var problems []error
	keep := func(set pipeline.Set, err error) pipeline.Set {
		if err != nil {
			problems = append(problems, fmt.Errorf("store %q: %w", store.Name, err))
		}
		c.attributes[store.Name] = c.attributes[store.Name] || set.ReadsAttributes()
		for _, p := range set {
			c.versions[version{p.Name, p.Version}] = p
		}
		return set
	}
	c.sets[owner{store.Name, ""}] = keep(compilePipelines(store, nil, library))
	for _, m := range store.Methods {
		c.sets[owner{store.Name, m.Name}] = keep(compilePipelines(store, m, library))
	}
	return errors.Join(problems...)
}

// compilePipelines makes the pipelines of a method, or with none those of the
// store's orders without one: the defaults as the gateway, the store and the
// method edit them, in this order.
func compilePipelines(store *settings.Store, m *settings.Method, library pipeline.Library) (pipeline.Set, error) {
	var edits []pipeline.Edit
	if m != nil {
		if editor, ok := m.Account.Gateway.(gateways.PipelineEditor); ok {
			edits = editor.EditPipelines(m.Kind)
		}
	}
	edits = append(slices.Clone(edits), store.Pipelines...)
	if m != nil {
		edits = append(edits, m.Pipelines...)
	}
	definitions, err := steps.Defaults().Apply(edits)
	if misfits, ok := errors.AsType[pipeline.Problems](err); ok {
		return nil, append(misfits, problemsOfRest(edits, misfits, library)...)
	}
	return pipeline.Compile(definitions, library)
}

// problemsOfRest tells what is wrong beside the edits that do not fit, so that
// everything is reported at once.
func problemsOfRest(edits []pipeline.Edit, misfits pipeline.Problems, library pipeline.Library) pipeline.Problems {
	fitting := slices.DeleteFunc(edits, func(e pipeline.Edit) bool {
		return slices.ContainsFunc(misfits, func(p *pipeline.Problem) bool { return p.At == e.At })
	})
	definitions, err := steps.Defaults().Apply(fitting)
	if err == nil {
		_, err = pipeline.Compile(definitions, library)
	}
	rest, _ := errors.AsType[pipeline.Problems](err)
	return rest
}

// checkPipelines tells what is wrong with the pipelines of a method, or with
// none those of the store's orders without one. The error is a pipeline.Problems.
func checkPipelines(store *settings.Store, m *settings.Method) error {
	library, err := steps.Library(steps.Deps{})
	if err != nil {
		return err
	}
	_, err = compilePipelines(store, m, library)
	return err
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
	all := s.shops.Load()
	for _, account := range append([]*settings.Account{all.settings.Account(o.Store, p.Account)}, all.retired...) {
		if account != nil && account.Store == o.Store && begunWith(p, account) {
			return account, nil
		}
	}
	return nil, errMoved
}

var errMoved = payment.Errorf(payment.KindUnavailable, "gateway_unavailable", "the payment's account is not configured")

// begunWith tells whether a payment of the account's store was begun with it. An
// account that has become another gateway's, or has gone from test to live, knows
// nothing of the payments from before, and "no such payment" would mean nothing.
func begunWith(p *payment.Payment, a *settings.Account) bool {
	return a.Name == p.Account && a.GatewayName == p.Gateway && a.Mode == p.Mode
}

// receiver returns the account that a notification is for, or nil.
func (c *shops) receiver(gateway, name string) *settings.Account {
	if account := c.settings.Receiver(gateway, name); account != nil {
		return account
	}
	for _, account := range slices.Backward(c.retired) {
		if account.GatewayName == gateway && account.Name == name {
			return account
		}
	}
	return nil
}

// pipelines returns the pipelines that apply to what a run is about: those of
// its payment's method, or the default ones.
func (s *Service) pipelines(run *pipeline.Run) pipeline.Set { return s.shops.Load().pipelines(run) }

func (c *shops) pipelines(run *pipeline.Run) pipeline.Set {
	p := run.Payment
	if p == nil {
		p = run.Order.LatestPayment()
	}
	if p != nil {
		if set, ok := c.sets[owner{run.Order.Store, p.Method}]; ok {
			return set
		}
	}
	return c.sets[owner{run.Order.Store, ""}]
}

// pick returns a chooser of the named pipeline, as it is now. A request takes its
// choosers before it says what to load of the order: settings that come later may
// only ask for more.
func (s *Service) pick(name string) func(*pipeline.Run) (*pipeline.Pipeline, error) {
	all := s.shops.Load()
	return func(run *pipeline.Run) (*pipeline.Pipeline, error) {
		p := all.pipelines(run)[name]
		if p == nil {
			return nil, fmt.Errorf("there is no pipeline %q", name)
		}
		return p, nil
	}
}

// pickVersion returns a chooser of the pipeline that a run began with.
func (s *Service) pickVersion(record *payment.RunRecord) func(*pipeline.Run) (*pipeline.Pipeline, error) {
	all, current := s.shops.Load(), s.pick(record.Pipeline)
	return func(run *pipeline.Run) (*pipeline.Pipeline, error) {
		if p := all.versions[version{record.Pipeline, record.Hash}]; p != nil {
			return p, nil
		}
		return current(run) // another version: the engine refuses it
	}
}

// Open implements steps.Opener. It refuses a payment whose method settings have
// bound to another account since the payment was opened: money would move where
// nobody asks about it.
func (s *Service) Open(o *payment.Order, p *payment.Payment) (steps.Payer, payment.PayRequest, error) {
	m, err := s.method(o.Store, p.Method)
	if err != nil {
		return nil, payment.PayRequest{}, err
	}
	if !begunWith(p, m.Account) {
		return nil, payment.PayRequest{}, errMoved
	}
	payer, ok := m.Account.Gateway.(gateways.Payer)
	if !ok {
		return nil, payment.PayRequest{}, fmt.Errorf("gateway %q does not begin payments at a PSP", p.Gateway)
	}
	return payer, s.payRequest(m, o, p), nil
}

func (s *Service) payRequest(m *settings.Method, o *payment.Order, p *payment.Payment) payment.PayRequest {
	return payment.PayRequest{
		Capture: !m.Spec.AuthorizeOnly, Amount: p.Charge(), Method: m.Kind, Order: o,
		SuccessURL: s.PublicURL + "/order-submit/" + o.ReturnSlug(),
		FailureURL: s.PublicURL + "/order-failed/" + o.ReturnSlug(),
		NotifyURL:  s.PublicURL + "/confirm/" + p.Gateway + "/" + p.Account,
	}
}

// statusPage is our page about an order, for stores that have none.
func (s *Service) statusPage(o *payment.Order) string {
	return s.PublicURL + "/order-status/" + o.ReturnSlug()
}

// returns says what a store gives back by itself; one that is gone gives back
// nothing.
func (s *Service) returns(name string) steps.Returns {
	store, err := s.store(name)
	if err != nil {
		return steps.Returns{}
	}
	return steps.Returns{Surplus: store.ReturnSurplus, Late: store.ReturnLate}
}

func (s *Service) stockTracked(name string) bool {
	store, err := s.store(name)
	return err == nil && store.Stock
}
