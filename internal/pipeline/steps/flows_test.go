package steps_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// execute runs a default pipeline on the order of the book.
func execute(t require.TestingT, b *book, name string, at time.Time, req pipeline.Request) {
	req.Pick, req.Confirm = pick(t, name, steps.Deps{}), pick(t, pipeline.Confirm, steps.Deps{})
	_, err := runnerAt(b, func() time.Time { return at }).Execute(context.Background(), req)
	require.NoError(t, err)
}

// What order-path-selector makes of an order.
func TestTheWayOfAnOrderFollowsItsMoney(t *testing.T) {
	t.Parallel()
	const hour = time.Hour
	for name, c := range map[string]struct {
		state   payment.State // of its one sale; "" for none
		then    []payment.Type
		expired bool
		status  payment.OrderStatus
		cancel  bool
		want    string
	}{
		"nothing begun":                   {want: pipeline.StatusPending},
		"nothing begun, too late":         {expired: true, want: pipeline.StatusCancel},
		"being sent":                      {state: payment.Sending, want: pipeline.StatusPending},
		"nobody knows":                    {state: payment.Unknown, want: pipeline.StatusPending},
		"nobody knows, too late":          {state: payment.Unknown, expired: true, want: pipeline.StatusPending},
		"waits for the shopper, too late": {state: payment.ActionRequired, expired: true, want: pipeline.StatusPending},
		"pending":                         {state: payment.Pending, want: pipeline.StatusPending},
		"declined, may try again":         {state: payment.Declined, want: pipeline.StatusPending},
		"declined, too late":              {state: payment.Declined, expired: true, want: pipeline.StatusCancel},
		"never arrived, may try again":    {state: payment.NotSent, want: pipeline.StatusPending},
		"paid":                            {state: payment.Approved, want: pipeline.StatusOK},
		"paid, though too late":           {state: payment.Approved, expired: true, want: pipeline.StatusOK},
		"refunded":                        {state: payment.Approved, then: []payment.Type{payment.Refund}, status: payment.OrderProcessing, want: pipeline.StatusOK},
		"refunded before it was placed":   {state: payment.Approved, then: []payment.Type{payment.Refund}, want: pipeline.StatusPending},
		"the same, too late":              {state: payment.Approved, then: []payment.Type{payment.Refund}, expired: true, want: pipeline.StatusCancel},
		"charged back":                    {state: payment.Approved, then: []payment.Type{payment.Chargeback}, status: payment.OrderProcessing, want: pipeline.StatusOK},
		"taken back, may try again":       {state: payment.Reversed, want: pipeline.StatusPending},
		"taken back after it was paid":    {state: payment.Reversed, status: payment.OrderProcessing, want: pipeline.StatusCancel},
		"complete":                        {state: payment.Approved, status: payment.OrderComplete, want: pipeline.StatusOK},
		"paid after it was cancelled":     {state: payment.Approved, status: payment.OrderCancelled, want: pipeline.StatusCancel},
		"cancelled by somebody":           {cancel: true, want: pipeline.StatusCancel},
		"paid, cancelled by somebody":     {state: payment.Approved, cancel: true, want: pipeline.StatusCancel},
	} {
		o := newOrder(t)
		if c.expired {
			o.ExpiresAt = noon().Add(-hour)
		}
		if c.state != "" {
			begin(o, payment.AuthorizeAndCapture)
			tell(t, o, c.state)
		}
		for _, typ := range c.then {
			bySelf(t, o, typ, "10.00")
		}
		if c.status != "" {
			o.Progress.Status = c.status
			o.Save()
		}
		b := &book{t: t, order: o}
		req := pipeline.Request{}
		if c.cancel {
			req.Prepare = func(run *pipeline.Run) error {
				run.Cancel = &pipeline.Cancellation{Author: "shop", Reason: "no more", Sums: run.Order.Sums()}
				return nil
			}
		}
		req.Pick, req.Confirm = pick(t, pipeline.Confirm, steps.Deps{}), pick(t, pipeline.Confirm, steps.Deps{})
		run, err := newRunner(b).Execute(t.Context(), req)
		require.NoError(t, err, name)
		require.Equal(t, c.want, run.Record().Steps[0].Result, name)
	}
}

// Money that is reserved in part keeps an order open; money that was given up
// after it was paid ends it.
func TestTheWayOfAnOrderThatIsReservedInPartOrVoided(t *testing.T) {
	t.Parallel()
	o := newOrder(t)
	begin(o, payment.Authorize)
	tell(t, o, payment.Approved)
	bySelf(t, o, payment.Void, "4.00")
	o.ExpiresAt = noon().Add(-time.Hour)
	b := &book{t: t, order: o}
	execute(t, b, pipeline.Confirm, noon(), pipeline.Request{})
	require.Equal(t, payment.OrderPending, o.Saved.Status, "six euros are still held")

	o = newOrder(t)
	begin(o, payment.Authorize)
	tell(t, o, payment.Approved)
	b = &book{t: t, order: o}
	execute(t, b, pipeline.Confirm, noon(), pipeline.Request{})
	require.Equal(t, payment.OrderProcessing, o.Saved.Status)
	bySelf(t, o, payment.Void, "10.00")
	execute(t, b, pipeline.Confirm, noon(), pipeline.Request{})
	require.Equal(t, payment.OrderCancelled, o.Saved.Status)
}

func TestADeclineLeavesTheOrderOpenForAnotherAttempt(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	outcome := payment.Declined
	psp := &opener{capture: true, pay: func(payment.PayRequest) payment.Fact { return payment.Fact{State: outcome} }}
	pay(t, newRunner(b), psp)
	require.Equal(t, payment.StatusFailed, b.order.Payments[0].Status)
	require.Equal(t, payment.StatusPending, b.order.PaymentStatus())
	require.Equal(t, payment.OrderPending, b.order.Saved.Status)
	require.True(t, b.order.Payable(noon()))
	require.Equal(t, "10.00", b.order.Due().String())
	require.Nil(t, b.order.Effects["delete_basket:b-1"])

	outcome = payment.Approved
	pay(t, newRunner(b), psp)
	require.Equal(t, payment.OrderProcessing, b.order.Saved.Status)
	require.Equal(t, payment.StatusPaid, b.order.PaymentStatus())
	require.Empty(t, b.order.Staged.Cases)
	require.Equal(t, []string{
		"deduct_stock", "delete_basket:b-1", "send_order_mail", "track_promotion_code:SUMMER", "track_promotion_code:VIP",
	}, slices.Sorted(maps.Keys(b.order.Effects)))
}

// drawOrder draws an order at any point of its life.
func drawOrder(t *rapid.T) *payment.Order {
	o := newOrder(t)
	if rapid.Bool().Draw(t, "tracked") {
		require.NoError(t, do(t, "track-promotion-code", o))
	}
	state := rapid.SampledFrom([]payment.State{
		"", payment.Sending, payment.Unknown, payment.ActionRequired, payment.Pending, payment.Declined, payment.NotSent,
		payment.Approved, payment.Approved, payment.Reversed,
	}).Draw(t, "state")
	if state != "" {
		begin(o, rapid.SampledFrom([]payment.Type{payment.Authorize, payment.AuthorizeAndCapture}).Draw(t, "type"))
		tell(t, o, state)
		if rapid.Bool().Draw(t, "more") {
			then := []payment.Type{payment.Capture, payment.Refund, payment.Void, payment.Chargeback}
			amount := rapid.SampledFrom([]string{"10.00", "4.00"}).Draw(t, "amount")
			bySelf(t, o, rapid.SampledFrom(then).Draw(t, "then"), amount)
		}
	}
	if rapid.Bool().Draw(t, "expired") {
		o.ExpiresAt = noon().Add(-time.Hour)
	}
	o.Progress.Status = rapid.SampledFrom([]payment.OrderStatus{
		payment.OrderPending, payment.OrderPending, payment.OrderProcessing, payment.OrderComplete, payment.OrderCancelled,
	}).Draw(t, "status")
	o.Save()
	return o
}

// clone plays the same order again: the draws of rapid are replayed by value.
func clone(o *payment.Order) *payment.Order {
	c := *o
	c.Effects = make(map[string]*payment.Effect, len(o.Effects))
	for key, e := range o.Effects {
		effect := *e
		c.Effects[key] = &effect
	}
	c.Staged = payment.Staged{}
	return &c
}

// I4, and DESIGN.md section 3: anyone may request the pages, in any order, at any
// time. They clean up and display; nothing looks paid, or cancelled, by them.
func TestThePagesDecideNothing(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := drawOrder(t)
		saved, status, money := o.Saved, o.PaymentStatus(), o.Sums()
		b := &book{t: t, order: o}
		requests := rapid.SliceOfN(rapid.SampledFrom([]string{pipeline.PostProcess, pipeline.Cancel}), 1, 6).Draw(t, "requests")
		o.Staged = payment.Staged{}
		for _, page := range requests {
			execute(t, b, page, noon(), pipeline.Request{})
		}
		require.Equal(t, saved, o.Saved)
		require.Equal(t, status, o.PaymentStatus())
		require.Equal(t, money, o.Sums())
		require.Empty(t, orderEvents(o))
		require.Empty(t, o.Staged.Notes)
		require.Empty(t, o.Staged.Cases)
	})
}

// What is known decides, and not how often or in which order it is looked at.
func TestConfirmAndThePagesEndInTheSameStateInAnyOrderAndNumber(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := drawOrder(t)
		moments := []string{pipeline.Confirm, pipeline.PostProcess, pipeline.Cancel}
		play := func(sequence []string) string {
			b := &book{t: t, order: clone(o)}
			for i, name := range sequence {
				execute(t, b, name, noon().Add(time.Duration(i)*time.Minute), pipeline.Request{})
			}
			return stateOf(b.order)
		}
		want := play(moments)
		more := append(slices.Clone(moments), rapid.SliceOfN(rapid.SampledFrom(moments), 0, 6).Draw(t, "repeated")...)
		require.Equal(t, want, play(rapid.Permutation(more).Draw(t, "sequence")))
	})
}

// stateOf describes the order and its effects, times aside.
func stateOf(o *payment.Order) string {
	p := o.Saved
	text := fmt.Sprintf("%s placed %t paid %t cancelled %t %q %s review %q\n", p.Status, !p.PlacedAt.IsZero(), !p.PaidAt.IsZero(),
		!p.CancelledAt.IsZero(), p.CancelReason, o.PaymentStatus(), o.Review)
	for _, key := range slices.Sorted(maps.Keys(o.Effects)) {
		text += key + " " + string(o.Effects[key].State) + "\n"
	}
	return text
}

func TestAnOrderThatCostsNothingGoesThroughInternalAtOnce(t *testing.T) {
	t.Parallel()
	b := newBook(t)
	b.order.Total = payment.Zero(b.order.Currency)
	var run *pipeline.Run
	execute(t, b, pipeline.Internal, noon(), pipeline.Request{Prepare: func(r *pipeline.Run) error {
		run = r
		r.Payment = r.Order.OpenPayment("free", "zero", "shop", payment.ModeTest, r.Order.Total, r.At)
		return nil
	}})
	require.Equal(t, payment.OrderProcessing, b.order.Saved.Status)
	require.Equal(t, noon(), b.order.Saved.PaidAt)
	require.Len(t, b.order.Effects, 5)
	require.NotEmpty(t, run.Redirect)
}

// approves is a gateway without a PSP that says yes.
type approves struct{}

func (approves) Decide(
	o *payment.Order, p *payment.Payment, reference string, _ json.RawMessage,
) (payment.Fact, payment.PayRequest, error) {
	return payment.Fact{State: payment.Approved}, payment.PayRequest{Reference: reference, Capture: true, Amount: p.Amount, Order: o}, nil
}

func TestAPaymentThatAJobTakesUpIsNotBegunForNobody(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"decide-payment", "psp-redirect"} {
		run := &pipeline.Run{Order: newOrder(t), At: noon(), Resumed: true}
		run.Payment = run.Order.OpenPayment("card", "sandbox", "shop", payment.ModeTest, run.Order.Total, noon())
		err := library(t, steps.Deps{Decider: approves{}, Opener: &opener{}})[name].Do(run)
		require.Equal(t, payment.KindUnavailable, payment.KindOf(err), name)
		require.Empty(t, run.Payment.Transactions, name)
	}
}
