package steps_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// The library is a list in flows.go: a step that was written and not listed
// would be silently missing.
func TestTheLibraryListsEveryStepOfTheDirectory(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("*.go")
	require.NoError(t, err)
	var want []string
	parts := []string{"flows.go", "http_answer.go", "http_question.go", "psp_operation.go"} // of the list, of http.go, of psp-capture
	for _, file := range files {
		if !slices.Contains(parts, file) && !strings.HasSuffix(file, "_test.go") {
			want = append(want, strings.ReplaceAll(strings.TrimSuffix(file, ".go"), "_", "-"))
		}
	}
	require.Greater(t, len(want), 12)
	var got []string
	for _, maker := range steps.Makers(steps.MakerDeps{}) {
		got = append(got, maker.Name)
	}
	for name, step := range library(t, steps.Deps{}) {
		got = append(got, name)
		require.Equal(t, name, step.Name())
		text, err := os.ReadFile(strings.ReplaceAll(name, "-", "_") + ".go")
		require.NoError(t, err)
		require.Contains(t, string(text), `return "`+name+`"`, "a step stands in the file of its name")
	}
	require.ElementsMatch(t, want, got)
}

func names(uses []pipeline.Use) string {
	all := make([]string, len(uses))
	for i, use := range uses {
		all[i] = use.Name
	}
	return strings.Join(all, " ")
}

// The table of DESIGN.md section 3, and decide-payment, which stands for the PSP
// where there is none; in order management confirm follows by itself.
func TestTheDefaultPipelinesAreThoseOfTheDesign(t *testing.T) {
	t.Parallel()
	rows := map[string][3]string{
		"internal":        {"", "decide-payment pay-order save-order deduct-stock track-promotion-code delete-basket send-order-mail redirect-to-success-page", ""},
		"pre-process":     {"", "save-order track-promotion-code", "psp-redirect"},
		"confirm":         {"", "", "order-path-selector save-order"},
		"capture":         {"", "psp-capture", "save-order"},
		"refund":          {"", "psp-refund", "save-order"},
		"void":            {"", "psp-void", "save-order"},
		"increase":        {"", "psp-increase", "save-order"},
		"mark-paid":       {"", "record-payment", "save-order"},
		"mark-authorized": {"", "record-payment", "save-order"},
		"complete":        {"", "complete-order", "save-order"},
		"status-ok":       {"", "pay-order release-unwanted-money deduct-stock delete-basket send-order-mail", ""},
		"status-cancel":   {"", "cancel-order release-unwanted-money restore-stock untrack-promotion-code", ""},
		"status-pending":  {"", "pending-order", ""},
		"post-process":    {"", "delete-basket", ""},
		"cancel":          {"", "save-order untrack-promotion-code", ""},
	}
	defaults := steps.Defaults()
	require.Len(t, defaults, len(rows))
	for name, lists := range rows {
		d := defaults[name]
		require.Equal(t, name, d.Name)
		require.Equal(t, lists, [3]string{names(d.Pre), names(d.Steps), names(d.Post)}, name)
	}
	_, err := pipeline.Compile(defaults, library(t, steps.Deps{}))
	require.NoError(t, err)
}

func TestPayOrderMovesAPaidOrderOn(t *testing.T) {
	t.Parallel()
	o := paid(t)
	require.NoError(t, do(t, "pay-order", o))
	require.Equal(t, payment.OrderProcessing, o.Progress.Status)
	require.Equal(t, noon(), o.Progress.PlacedAt)
	require.Equal(t, noon(), o.Progress.PaidAt)
	require.Equal(t, []string{"order.processing", "order.paid"}, orderEvents(o))
	again := *o
	require.NoError(t, doAt(t, "pay-order", o, noon().Add(time.Hour)))
	require.Equal(t, again.Progress, o.Progress, "once")
	require.Equal(t, []string{"order.processing", "order.paid"}, orderEvents(o))
}

func TestPayOrderDoesNotCallReservedMoneyPaid(t *testing.T) {
	t.Parallel()
	o := newOrder(t)
	begin(o, payment.Authorize)
	tell(t, o, payment.Approved)
	require.NoError(t, do(t, "pay-order", o))
	require.Equal(t, payment.OrderProcessing, o.Progress.Status)
	require.True(t, o.Progress.PaidAt.IsZero())
	require.Equal(t, []string{"order.processing", "order.authorized"}, orderEvents(o))

	bySelf(t, o, payment.Capture, "10.00")
	require.NoError(t, do(t, "pay-order", o))
	require.Equal(t, noon(), o.Progress.PaidAt)
	require.Equal(t, []string{"order.processing", "order.authorized", "order.paid"}, orderEvents(o))
}

// I4: it is money that pays, never a step.
func TestPayOrderFailsOnAnOrderThatIsNotCovered(t *testing.T) {
	t.Parallel()
	o := newOrder(t)
	begin(o, payment.AuthorizeAndCapture)
	for _, state := range []payment.State{payment.Unknown, payment.ActionRequired, payment.Pending, payment.Declined} {
		tell(t, o, state)
		before := o.Progress
		require.Error(t, do(t, "pay-order", o), state)
		require.Equal(t, before, o.Progress, state)
		require.Empty(t, orderEvents(o))
	}
}

// The capture and the refund may be told together, after days without news.
func TestPayOrderKnowsThatAnOrderWasPaidBeforeItWasRefunded(t *testing.T) {
	t.Parallel()
	o := newOrder(t)
	begin(o, payment.Authorize)
	tell(t, o, payment.Approved)
	require.NoError(t, do(t, "pay-order", o))
	o.Save()
	bySelf(t, o, payment.Capture, "10.00")
	bySelf(t, o, payment.Refund, "4.00")
	require.NoError(t, do(t, "pay-order", o))
	require.Equal(t, noon(), o.Progress.PaidAt)
	require.Contains(t, orderEvents(o), "order.paid")
}

// I4: the payment and its refund are told together. What is back when the order is
// first looked at does not pay it, whenever it was paid.
func TestPayOrderDoesNotPlaceAnOrderWhoseMoneyIsBackAlready(t *testing.T) {
	t.Parallel()
	o := paid(t)
	bySelf(t, o, payment.Refund, "4.00")
	require.Error(t, do(t, "pay-order", o))
	require.Equal(t, payment.OrderPending, o.Progress.Status)
	require.Empty(t, orderEvents(o))
	require.Equal(t, "4.00", o.Due().String())
}

func TestPendingOrderPlacesAnOrderThatIsBeingPaid(t *testing.T) {
	t.Parallel()
	o := newOrder(t)
	require.NoError(t, do(t, "pending-order", o))
	require.True(t, o.Progress.PlacedAt.IsZero(), "nobody has tried to pay it")
	begin(o, payment.AuthorizeAndCapture)
	tell(t, o, payment.ActionRequired)
	require.NoError(t, do(t, "pending-order", o))
	require.True(t, o.Progress.PlacedAt.IsZero(), "the shopper is still at the PSP")
	tell(t, o, payment.Pending)
	require.NoError(t, do(t, "pending-order", o))
	require.NoError(t, doAt(t, "pending-order", o, noon().Add(time.Hour)))
	require.Equal(t, noon(), o.Progress.PlacedAt, "the first time counts")
	require.Equal(t, payment.OrderPending, o.Progress.Status)
	require.True(t, o.Progress.PaidAt.IsZero())
}

func TestCancelOrderSaysWhoAndWhy(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		cancel  *pipeline.Cancellation
		expires time.Time
		reason  string
		note    string
		author  string
		events  []string
	}{
		"somebody": {&pipeline.Cancellation{Author: "shop", Reason: "customer called"}, time.Time{}, "customer called", "The order was cancelled: customer called", "shop", []string{"order.cancelled"}},
		"expired":  {nil, noon(), "expired", "The order expired unpaid and was cancelled.", "system", []string{"order.expired", "order.cancelled"}},
		"hopeless": {nil, time.Time{}, "not_paid", "The order was cancelled: nothing can pay it any more.", "system", []string{"order.cancelled"}},
	} {
		o := newOrder(t)
		o.ExpiresAt = c.expires
		run := &pipeline.Run{Order: o, At: noon(), Cancel: c.cancel}
		step := library(t, steps.Deps{})["cancel-order"]
		require.NoError(t, step.Do(run), name)
		require.Equal(t, payment.Progress{Status: payment.OrderCancelled, CancelledAt: noon(), CancelReason: c.reason}, o.Progress, name)
		require.Equal(t, c.note, o.Staged.Notes[0].Text, name)
		require.Equal(t, c.author, o.Staged.Notes[0].Author, name)
		require.Equal(t, c.events, orderEvents(o), name)

		run.At = noon().Add(time.Hour)
		require.NoError(t, step.Do(run))
		require.Equal(t, noon(), o.Progress.CancelledAt, "%s: once", name)
		require.Len(t, o.Staged.Notes, 1)
	}
}

func TestSaveOrderMakesProgressLast(t *testing.T) {
	t.Parallel()
	o := paid(t)
	require.NoError(t, do(t, "pay-order", o))
	require.Equal(t, payment.OrderPending, o.Saved.Status)
	require.NoError(t, do(t, "save-order", o))
	require.Equal(t, o.Progress, o.Saved)
}

func TestDeductStockIsForArticlesOfStoresThatCountThem(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		tracked bool
		sku     string
		want    int
	}{
		"counted": {true, "SKU-1", 1}, "not counted": {false, "SKU-1", 0}, "no article": {true, "", 0},
	} {
		o := paid(t)
		o.Lines = []payment.Line{{Name: "Gift wrapping"}, {SKU: c.sku}}
		step := library(t, steps.Deps{StockTracked: func(store string) bool { return c.tracked && store == "demo" }})["deduct-stock"]
		for range 3 {
			require.NoError(t, step.Do(&pipeline.Run{Order: o, At: noon()}))
		}
		require.Len(t, o.Effects, c.want, name)
		if c.want == 1 {
			require.Equal(t, payment.EffectDue, o.Effects["deduct_stock"].State)
		}
	}
}

// A shopper whose payment failed keeps the basket to try again.
func TestDeleteBasketIsForOrdersThatArePaidOrMayBe(t *testing.T) {
	t.Parallel()
	for state, deleted := range map[payment.State]bool{
		payment.Sending: true, payment.Unknown: true, payment.Pending: true, payment.ActionRequired: true, payment.Approved: true,
		payment.Declined: false, payment.NotSent: false, payment.Reversed: false,
	} {
		o := newOrder(t)
		begin(o, payment.AuthorizeAndCapture)
		tell(t, o, state)
		require.NoError(t, do(t, "delete-basket", o))
		require.NoError(t, do(t, "delete-basket", o))
		require.Equal(t, deleted, o.Effects["delete_basket:b-1"] != nil, state)
	}
	o := newOrder(t)
	require.NoError(t, do(t, "delete-basket", o))
	require.Empty(t, o.Effects, "nobody has tried to pay")
	o = paid(t)
	o.BasketID = ""
	require.NoError(t, do(t, "delete-basket", o))
	require.Empty(t, o.Effects, "the order was made from none")
}

func TestSendOrderMailGoesToACustomerWithAnAddressOnce(t *testing.T) {
	t.Parallel()
	o := paid(t)
	require.NoError(t, do(t, "send-order-mail", o))
	require.NoError(t, do(t, "send-order-mail", o))
	require.Len(t, o.Effects, 1)
	require.Equal(t, payment.EffectDue, o.Effects["send_order_mail"].State)
	o = paid(t)
	o.Customer.Email = ""
	require.NoError(t, do(t, "send-order-mail", o))
	require.Empty(t, o.Effects)
}

func TestPromotionCodesAreCountedAndGivenBackOnceEach(t *testing.T) {
	t.Parallel()
	o := newOrder(t)
	require.NoError(t, do(t, "untrack-promotion-code", o))
	require.Empty(t, o.Effects, "what was not counted is not given back")
	require.NoError(t, do(t, "track-promotion-code", o))
	require.NoError(t, do(t, "track-promotion-code", o))
	require.Len(t, o.Effects, 2)
	o.Effects["track_promotion_code:SUMMER"].State = payment.EffectDone // carried out meanwhile
	require.NoError(t, do(t, "untrack-promotion-code", o))
	require.NoError(t, do(t, "untrack-promotion-code", o))
	require.Equal(t, payment.EffectUndoDue, o.Effects["track_promotion_code:SUMMER"].State)
	require.Equal(t, payment.EffectUndone, o.Effects["track_promotion_code:VIP"].State, "that had not begun")
	require.NoError(t, do(t, "track-promotion-code", o))
	require.Equal(t, payment.EffectDone, o.Effects["track_promotion_code:SUMMER"].State, "another attempt: it counts after all")
}

// Anyone may request the page that gives codes back, at any time.
func TestPromotionCodesOfAnOrderThatIsPaidOrMayBeAreNotGivenBack(t *testing.T) {
	t.Parallel()
	for state, given := range map[payment.State]bool{
		payment.Sending: false, payment.Unknown: false, payment.Pending: false, payment.ActionRequired: false,
		payment.Approved: false, payment.Declined: true, payment.NotSent: true, payment.Reversed: true,
	} {
		o := newOrder(t)
		require.NoError(t, do(t, "track-promotion-code", o))
		begin(o, payment.AuthorizeAndCapture)
		tell(t, o, state)
		require.NoError(t, do(t, "untrack-promotion-code", o))
		require.Equal(t, given, o.Effects["track_promotion_code:VIP"].State == payment.EffectUndone, state)
	}
}

func TestRedirectToSuccessPageNamesThePage(t *testing.T) {
	t.Parallel()
	run := &pipeline.Run{Order: paid(t), At: noon()}
	require.NoError(t, library(t, steps.Deps{})["redirect-to-success-page"].Do(run))
	require.True(t, strings.HasPrefix(run.Redirect, "https://shop.example/thanks?order=1001&order_id=ord_"), run.Redirect)
	run.Order.ReturnURLs.Success = ""
	require.NoError(t, library(t, steps.Deps{})["redirect-to-success-page"].Do(run))
	require.Equal(t, "https://pay.example/order", run.Redirect, "ours, where the store has none")
}

// opener opens a payment at a PSP of the test.
type opener struct {
	capture bool
	err     error
	pay     func(r payment.PayRequest) payment.Fact
}

func (o *opener) Open(_ *payment.Order, p *payment.Payment) (steps.Payer, payment.PayRequest, error) {
	return o, payment.PayRequest{Capture: o.capture, Amount: p.Amount, Method: "card"}, o.err
}

func (o *opener) Pay(_ context.Context, r payment.PayRequest) payment.Fact { return o.pay(r) }

func TestPSPRedirectAnnouncesThenPaysUnderItsReference(t *testing.T) {
	t.Parallel()
	for _, capture := range []bool{false, true} {
		psp := &opener{capture: capture}
		book, runner := newBook(t), newRunner
		asked := 0
		psp.pay = func(r payment.PayRequest) payment.Fact {
			asked++
			announced := book.order.Payments[0].Initial()
			require.Equal(t, payment.Sending, announced.State, "what is sent was committed before")
			require.Equal(t, announced.Reference, r.Reference)
			require.Equal(t, "10.00", r.Amount.String())
			require.JSONEq(t, `{"token":"tok_1"}`, string(r.Data))
			require.Equal(t, noon().Add(15*time.Second), announced.DueAt)
			next := &payment.NextAction{Type: "redirect", URL: "https://psp.example/pay"}
			return payment.Fact{Source: payment.SourceOperator, Reference: "another", State: payment.ActionRequired, NextAction: next}
		}
		run := pay(t, runner(book), psp)
		require.Equal(t, 1, asked)
		x := book.order.Payments[0].Initial()
		require.Equal(t, payment.ActionRequired, x.State, "whatever a gateway calls it, it is the answer to this call")
		require.Equal(t, capture, x.Type == payment.AuthorizeAndCapture)
		require.Regexp(t, `^[A-Z0-9]{20}$`, x.Reference)
		require.Equal(t, "https://psp.example/pay", run.Payment.NextAction.URL)
	}
}

func TestPSPRedirectOfAMethodThatIsGoneSendsNothing(t *testing.T) {
	t.Parallel()
	gone := &opener{err: errors.New("no such method")}
	run := &pipeline.Run{Order: newOrder(t), At: noon()}
	run.Payment = begin(run.Order, payment.AuthorizeAndCapture)
	step, ok := library(t, steps.Deps{Opener: gone})["psp-redirect"].(pipeline.Caller)
	require.True(t, ok)
	require.Error(t, step.Do(run))
	require.Len(t, run.Payment.Transactions, 1, "nothing is announced")

	facts := step.Call(t.Context(), run).Facts // it went between the commit and the call
	require.Equal(t, payment.NotSent, facts[0].State)
	require.Equal(t, run.Payment.Initial().Reference, facts[0].Reference)
}

// Settings may be replaced between the commit and the call: what is sent is what
// the books say.
func TestPSPRedirectAsksForWhatItAnnounced(t *testing.T) {
	t.Parallel()
	psp := &opener{capture: false}
	run := &pipeline.Run{Order: newOrder(t), At: noon()}
	run.Payment = begin(run.Order, payment.Authorize)
	step, ok := library(t, steps.Deps{Opener: psp})["psp-redirect"].(pipeline.Caller)
	require.True(t, ok)
	psp.capture = true
	psp.pay = func(r payment.PayRequest) payment.Fact {
		require.Equal(t, payment.Authorize, r.Type())
		return payment.Fact{State: payment.Approved}
	}
	require.Len(t, step.Call(t.Context(), run).Facts, 1)
}
