package moments_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/settings"
)

// with is the demo with pipelines of its store.
func with(pipelines string) string {
	return strings.Replace(string(settings.Demo()), "    methods:\n", "    pipelines: "+pipelines+"\n    methods:\n", 1)
}

// reload puts settings in force.
func (b *bundle) reload(source string) {
	b.t.Helper()
	require.NoError(b.t, b.Reload(b.load(b.t, source)))
}

// runs returns the journal of an order.
func (b *bundle) runs(o *payment.Order) []*payment.RunRecord {
	b.t.Helper()
	var runs []*payment.RunRecord
	for n := 1; n < 40; n++ {
		if r, err := b.store.Run(b.t.Context(), "demo", payment.RunID{Order: o.ID, N: n}); err == nil {
			runs = append(runs, r)
		}
	}
	return runs
}

// version is the version of a pipeline that is in force for a method.
func (b *bundle) version(method, name string) string {
	b.t.Helper()
	for _, m := range b.Pipelines("demo") {
		for _, p := range m.Pipelines {
			if m.Method == method && p.Name == name {
				return p.Version
			}
		}
	}
	require.Fail(b.t, "no pipeline", "%s %s", method, name)
	return ""
}

func (b *bundle) noted(o *payment.Order) string {
	b.t.Helper()
	notes, _, err := b.store.ListNotes(b.t.Context(), "demo", o.ID, payment.Page{Limit: 100})
	require.NoError(b.t, err)
	var texts []string
	for _, n := range notes {
		texts = append(texts, n.Text)
	}
	return strings.Join(texts, "\n")
}

func TestAnOverrideOfOneMethodWorksForItsOrdersOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	large := func(o *payment.Order) {
		total, err := payment.ParseMoney("1000.00", o.Currency)
		require.NoError(t, err)
		o.Total, o.Lines[0].UnitPrice, o.Lines[0].Total = total, total, total
	}
	for _, c := range []struct {
		method string
		change func(*payment.Order)
		times  int
	}{{"card-manual", large, 1}, {"card-manual", func(*payment.Order) {}, 0}, {"card", large, 0}} {
		o := b.order(c.change)
		_, err := b.pay(o, c.method, "")
		require.NoError(t, err)
		b.tell(b.reference(o), `{"event":"authorized","times":3}`)
		require.Equal(t, c.times, strings.Count(b.noted(o), "look at the order before you capture"), "%s %s", c.method, o.Total)
	}
}

func TestARunBetweenItsCommitsKeepsItsPipelines(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before, confirm := b.version("card", "pre-process"), b.version("card", "confirm")
	var once sync.Once
	b.setCall(func(*http.Request) {
		once.Do(func() {
			b.reload(with("{pre-process: [{remove: track-promotion-code}], status-ok: [{append: note, with: {text: new}}]}"))
		})
	})
	o := b.order()
	_, err := b.pay(o, "card", "")
	require.NoError(t, err)
	runs := b.runs(o)
	require.Len(t, runs, 2)
	require.Equal(t, []string{before, confirm}, []string{runs[0].Hash, runs[1].Hash})
	require.Equal(t, payment.RunDone, runs[0].State)
	require.NotContains(t, b.noted(o), "new")
	require.NotEqual(t, before, b.version("card", "pre-process"))

	next := b.order()
	_, err = b.pay(next, "card", "")
	require.NoError(t, err)
	require.Equal(t, b.version("card", "pre-process"), b.runs(next)[0].Hash)
	require.Contains(t, b.noted(next), "new")
}

func TestARunThatIsTakenUpAfterAReloadKeepsItsPipeline(t *testing.T) {
	t.Parallel()
	b := setup(t)
	// An attribute that the condition cannot compare fails the run.
	b.reload(with(`{status-ok: [{append: note, when: order.attributes.score > 5, with: {text: scored}}]}`))
	o, reference := b.redirected()
	put := func(value string) {
		_, err := b.store.PutAttribute(t.Context(), "demo", o.ID, "score", []byte(value), nil, b.clock.now())
		require.NoError(t, err)
	}
	put(`"high"`)
	b.tell(reference, `{"event":"paid"}`)
	runs := b.runs(o)
	failed := runs[len(runs)-1]
	require.Equal(t, payment.RunFailed, failed.State)
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus(), "its facts are recorded")

	b.reload(string(settings.Demo()))
	b.reload(with(`{status-ok: [{append: note, with: {text: other}}]}`))
	put("7")
	b.clock.advance(time.Minute)
	require.NoError(t, b.Resume(t.Context(), "demo", payment.RunID{Order: o.ID, N: failed.N}, failed))
	require.Contains(t, b.noted(o), "scored", "the pipeline that it began with, attributes and all")
	require.NotContains(t, b.noted(o), "other")
	require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status)
}

func TestWhatWasBegunWithAnAccountThatIsGoneIsFinishedWithIt(t *testing.T) {
	t.Parallel()
	const without = "stores: {demo: {accounts: {zero: {gateway: zero}}, methods: {free: {account: zero, kind: zero}}}}"
	for name, c := range map[string]struct {
		reloads []string
		learn   func(b *bundle, o *payment.Order, reference string) error
	}{
		"the PSP notifies": {[]string{without}, func(b *bundle, _ *payment.Order, reference string) error {
			b.tell(reference, `{"event":"paid"}`)
			return nil
		}},
		"the PSP is asked": {[]string{without, without}, func(b *bundle, o *payment.Order, reference string) error {
			b.control(http.MethodPost, "/sandbox/payments/"+reference+"/pay", "")
			return b.Inquire(b.t.Context(), "demo", payment.TransactionID{Order: o.ID, N: b.read(o).LatestPayment().Initial().N})
		}},
		"the whole store is gone": {[]string{"stores: {other: {}}"}, func(b *bundle, _ *payment.Order, reference string) error {
			b.tell(reference, `{"event":"paid"}`)
			return nil
		}},
		"the account came back": {[]string{without, string(settings.Demo())}, func(b *bundle, _ *payment.Order, reference string) error {
			b.tell(reference, `{"event":"paid"}`)
			return nil
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			o, reference := b.redirected()
			for _, source := range c.reloads {
				b.reload(source)
			}
			require.NoError(t, c.learn(b, o, reference))
			o = b.read(o)
			require.Equal(t, payment.StatusPaid, o.PaymentStatus())
			require.Equal(t, payment.OrderProcessing, o.Saved.Status)
		})
	}
}

func TestNothingIsBegunWithWhatIsGone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	b.reload("stores: {demo: {accounts: {zero: {gateway: zero}}, methods: {free: {account: zero, kind: zero}}}}")
	_, err := b.pay(o, "card", "")
	require.Equal(t, "method_unavailable", payment.CodeOf(err))
	require.Empty(t, b.charges(o))
}

// A live account does not know the payments of the test account that bore its name:
// "no such payment" would allow a second charge.
func TestAnAccountThatHasBecomeAnotherOneIsNotAskedAboutPaymentsFromBefore(t *testing.T) {
	t.Parallel()
	live := strings.Replace(string(settings.Demo()), "gateway: sandbox\n        mode: test", "gateway: sandbox\n        mode: live", 1)
	for name, c := range map[string]struct {
		change func(b *bundle) *moments.Service
		state  payment.State
	}{
		"by a reload: the one from before is asked": {func(b *bundle) *moments.Service {
			b.reload(live)
			return b.Service
		}, payment.NotSent},
		"by a restart: nobody is": {func(b *bundle) *moments.Service {
			s, err := moments.New(moments.Deps{
				Book: b.store, Orders: b.store, Inquiries: b.store, IDs: b.ids, Now: b.clock.now, Settings: b.load(b.t, live),
			})
			require.NoError(b.t, err)
			return s
		}, payment.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			o := b.order()
			_, err := b.pay(o, "card", "timeout_no_charge")
			require.NoError(t, err)
			s := c.change(b)
			b.clock.advance(time.Hour)
			p := b.read(o).LatestPayment()
			_, _, err = s.Open(b.read(o), p)
			require.Equal(t, "gateway_unavailable", payment.CodeOf(err), "nor is money moved there")
			err = s.Inquire(t.Context(), "demo", payment.TransactionID{Order: o.ID, N: p.Initial().N})
			require.Equal(t, c.state == payment.Unknown, err != nil)
			require.Equal(t, c.state, b.read(o).LatestPayment().Initial().State)
		})
	}
}

func TestSettingsWhosePipelinesDoNotFitChangeNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	before := b.version("card", "confirm")
	wrong := demo(t, b)
	wrong.Store("demo").Pipelines = []pipeline.Edit{{Pipeline: pipeline.Confirm, Op: pipeline.Remove, Step: pipeline.Use{Name: "save-order"}}}
	require.ErrorContains(t, b.Reload(wrong), "no save-order")
	require.Equal(t, before, b.version("card", "confirm"))
	o := b.order()
	state, err := b.pay(o, "card", "")
	require.NoError(t, err)
	require.Equal(t, payment.Approved, state)
}

func TestReloadsUnderLoadLoseNoPayment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	sources := []*settings.Settings{
		b.load(t, string(settings.Demo())),
		b.load(t, with(`{status-ok: [{append: note, when: order.attributes.x != nil, with: {text: x}}]}`)),
		b.load(t, with(`{confirm: [{append: note, to: post, with: {text: y}}]}`)),
	}
	stop := make(chan struct{})
	var reloads, payers sync.WaitGroup
	for i := range 2 { // two at once
		reloads.Go(func() {
			for n := i; ; n++ {
				select {
				case <-stop:
					return
				default:
					if err := b.Reload(sources[n%len(sources)]); err != nil {
						t.Error(err)
						return
					}
				}
			}
		})
	}
	orders := make([]*payment.Order, 24)
	for i := range orders {
		orders[i] = b.order()
	}
	for i := range 4 {
		payers.Go(func() {
			for n := i; n < len(orders); n += 4 {
				if state, err := b.pay(orders[n], "card", ""); err != nil || state != payment.Approved {
					t.Error(fmt.Errorf("order %d: %s, %w", n, state, err))
				}
			}
		})
	}
	payers.Wait()
	close(stop)
	reloads.Wait()
	for _, o := range orders {
		require.Len(t, b.charges(o), 1)
		for _, r := range b.runs(o) {
			require.Equal(t, payment.RunDone, r.State, r.Error)
		}
	}
}
