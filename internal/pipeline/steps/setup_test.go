package steps_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

const reference = "REFERENCE00000000001"

func library(t require.TestingT, d steps.Deps) pipeline.Library {
	if d.Returns == nil {
		d.Returns = func(string) steps.Returns { return steps.Returns{} }
	}
	if d.StockTracked == nil {
		d.StockTracked = func(string) bool { return true }
	}
	if d.StatusPage == nil {
		d.StatusPage = func(*payment.Order) string { return "https://pay.example/order" }
	}
	if d.Decider == nil {
		d.Decider = approves{}
	}
	l, err := steps.Library(d)
	require.NoError(t, err)
	return l
}

// newOrder returns an unpaid order over 10 euros of a shopper with a basket and
// two promotion codes.
func newOrder(t require.TestingT) *payment.Order {
	o := &payment.Order{ID: payment.OrderID{1}, Store: "demo"}
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(t, err)
	o.Number, o.Currency, o.Total = "1001", eur, payment.FromMinor(1000, eur)
	o.Lines = []payment.Line{{SKU: "SKU-1", Quantity: 1}}
	o.BasketID, o.PromotionCodes = "b-1", []string{"SUMMER", "VIP"}
	o.Customer.Email = "shopper@example.com"
	o.ReturnURLs.Success = "https://shop.example/thanks"
	o.Progress.Status = payment.OrderPending
	o.Save()
	return o
}

// begin announces a payment of the whole order.
func begin(o *payment.Order, typ payment.Type) *payment.Payment {
	p := o.OpenPayment("card", "sandbox", "shop", payment.ModeTest, o.Total, noon())
	o.Announce(p, typ, reference, o.Total, noon(), noon())
	return p
}

// tell records what the PSP says of the payment.
func tell(t require.TestingT, o *payment.Order, state payment.State) {
	_, err := o.Record(payment.Fact{Reference: reference, State: state}, noon())
	require.NoError(t, err)
}

// bySelf records something that the PSP did by itself.
func bySelf(t require.TestingT, o *payment.Order, typ payment.Type, amount string) {
	m, err := payment.ParseMoney(amount, o.Currency)
	require.NoError(t, err)
	f := payment.Fact{Reference: reference, Type: typ, GatewayReference: "psp-1", State: payment.Approved, Amount: &m}
	_, err = o.Record(f, noon())
	require.NoError(t, err)
}

func paid(t require.TestingT) *payment.Order {
	o := newOrder(t)
	begin(o, payment.AuthorizeAndCapture)
	tell(t, o, payment.Approved)
	return o
}

// do runs one step on an order.
func do(t require.TestingT, name string, o *payment.Order) error { return doAt(t, name, o, noon()) }

func doAt(t require.TestingT, name string, o *payment.Order, at time.Time) error {
	return library(t, steps.Deps{})[name].Do(&pipeline.Run{Order: o, At: at})
}

// orderEvents lists the staged events about the order as such.
func orderEvents(o *payment.Order) []string {
	var types []string
	for _, e := range o.Staged.Events {
		if strings.HasPrefix(e.Type, "order.") {
			types = append(types, e.Type)
		}
	}
	return types
}

// book keeps one order between stretches: what is not saved is forgotten.
type book struct {
	t     require.TestingT
	order *payment.Order
}

func newBook(t require.TestingT) *book { return &book{t: t, order: newOrder(t)} }

// Stretch implements pipeline.Book.
func (b *book) Stretch(
	_ context.Context, _ payment.Opening, work func(*payment.Order) (payment.Closing, error),
) error {
	b.order.Progress = b.order.Saved
	_, err := work(b.order)
	return err
}

func newRunner(b *book) *pipeline.Runner { return runnerAt(b, noon) }

func runnerAt(b *book, now func() time.Time) *pipeline.Runner {
	return pipeline.NewRunner(b, idsAt(now), now)
}

// pick chooses one of the default pipelines.
func pick(t require.TestingT, name string, d steps.Deps) func(*pipeline.Run) (*pipeline.Pipeline, error) {
	set, err := pipeline.Compile(steps.Defaults(), library(t, d))
	require.NoError(t, err)
	return func(*pipeline.Run) (*pipeline.Pipeline, error) { return set[name], nil }
}

// pay runs pre-process for a new payment of the order.
func pay(t *testing.T, runner *pipeline.Runner, psp *opener) *pipeline.Run {
	t.Helper()
	deps := steps.Deps{Opener: psp}
	run, err := runner.Execute(t.Context(), pipeline.Request{
		Pick: pick(t, pipeline.PreProcess, deps), Confirm: pick(t, pipeline.Confirm, deps), Data: []byte(`{"token":"tok_1"}`),
		Prepare: func(run *pipeline.Run) error {
			run.Payment = run.Order.OpenPayment("card", "sandbox", "shop", payment.ModeTest, run.Order.Due(), run.At)
			return nil
		},
	})
	require.NoError(t, err)
	return run
}

func idsAt(now func() time.Time) *payment.IDs {
	return payment.NewIDs(now, rand.NewChaCha8([32]byte{}))
}
