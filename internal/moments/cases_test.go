package moments_test

import (
	"bytes"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// only is the one case that the order ever had.
func (b *bundle) only(o *payment.Order) payment.Case {
	b.t.Helper()
	cases, err := b.store.CasesOf(b.t.Context(), o.ID)
	require.NoError(b.t, err)
	require.Len(b.t, cases, 1)
	return cases[0]
}

// resolving resolves a case with an action.
func (b *bundle) resolving(c payment.Case, action payment.CaseAction) moments.ResolveCommand {
	return moments.ResolveCommand{
		Store: "demo", Case: c.ID, Resolution: "looked_up", Reason: "Seen.", Action: action, Claim: b.claim(""), Author: "till",
		By: payment.AuditEntry{At: b.clock.now(), Actor: "key_1", Source: "api"},
		Render: func(c payment.Case) payment.Reply {
			return payment.Reply{Status: 200, Body: []byte(c.State), Final: true}
		},
	}
}

// unknown is an order about whose payment the PSP was asked in vain.
func (b *bundle) unknown() *payment.Order {
	b.t.Helper()
	o := b.order()
	_, err := b.pay(o, "card", "timeout_no_charge")
	require.NoError(b.t, err)
	psp := b.psp
	b.down()
	b.askOnSchedule(o)
	b.psp = psp
	return o
}

func TestAnOperatorsWordIsAFactThatConfirmDecidesOn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.unknown()
	answer, err := b.ResolveCase(t.Context(), b.resolving(b.only(o), payment.CaseActApprove))
	require.NoError(t, err)
	require.Equal(t, payment.CaseResolved, string(answer.Body))
	read := b.read(o)
	require.Equal(t, payment.OrderProcessing, read.Saved.Status, "as if the PSP had said so")
	require.Equal(t, payment.StatusPaid, read.PaymentStatus())
	require.NotEmpty(t, read.Effects, "and what a paid order needs is ordered")
	require.Equal(t, 1, b.told(o, "order.paid"))
	require.Empty(t, read.Review)
	require.Equal(t, "looked_up", b.only(o).Resolution.Word, "the operator ended it, not the fact")
	require.Equal(t, "till", b.only(o).Resolution.By)
	require.Equal(t, 1, b.told(o, "case.resolved"))
}

func TestAfterAnOperatorSaysThatNothingMovedTheShopperPaysAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.unknown()
	_, err := b.ResolveCase(t.Context(), b.resolving(b.only(o), payment.CaseActDecline))
	require.NoError(t, err)
	require.Equal(t, payment.Declined, b.read(o).LatestPayment().Initial().State)
	state, err := b.pay(o, "card", "approve")
	require.NoError(t, err)
	require.Equal(t, payment.Approved, state)
}

// What a person said is in the books before any step runs, as what a PSP says is.
func TestAShopThatIsDownDoesNotUndoAnOperatorsWord(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.unknown()
	b.reload(askingIn("confirm", "before: order-path-selector"))
	b.unreachable()
	c := b.resolving(b.only(o), payment.CaseActApprove)
	first, err := b.ResolveCase(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
	require.Equal(t, payment.OrderPending, b.read(o).Saved.Status, "nothing is decided yet")
	require.Equal(t, payment.CaseResolved, b.only(o).State)
	again, err := b.ResolveCase(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, first.Body, again.Body)
	require.True(t, again.Replayed)

	b.willing()
	b.takeUp()
	require.Equal(t, payment.OrderProcessing, b.read(o).Saved.Status, "a job goes on with it")
}

// A judged difference is found by every inquiry, for weeks.
func TestAnInquiryThatFindsWhatWasJudgedWritesItsScheduleOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "wrong_amount")
	require.NoError(t, err)
	for _, judged := range []bool{false, true} {
		if judged {
			_, err = b.ResolveCase(t.Context(), b.resolving(b.only(o), ""))
			require.NoError(t, err)
		}
		before, runs := b.read(o), len(b.runs(o))
		b.clock.advance(time.Hour)
		require.NoError(t, b.Inquire(t.Context(), "demo", b.id(o)))
		after := b.read(o)
		require.Equal(t, before.Sequence, after.Sequence)
		require.Equal(t, before.Review, after.Review)
		require.Len(t, b.runs(o), runs, "no pipeline ran")
		require.Greater(t, after.LatestPayment().Initial().Inquiries, before.LatestPayment().Initial().Inquiries)
	}
	require.Empty(t, b.read(o).Review)
	require.Empty(t, b.openCases(o))
}

// An order that is held for one thing must not hide another.
func TestACaseOfSomethingElseHidesNoDifference(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "card", "timeout_after_charge")
	require.NoError(t, err)
	require.NoError(t, b.store.Stretch(t.Context(), payment.Opening{Order: o.ID, Token: b.ids.New()},
		func(o *payment.Order) (payment.Closing, error) {
			o.OpenCase(payment.Case{Kind: payment.CaseOutOfStock, OpenedAt: b.clock.now()})
			return payment.Closing{}, nil
		}))
	psp := b.psp
	b.psp = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { psp.ServeHTTP(rewriting{w}, r) })
	b.clock.advance(time.Second) // which of two cases of one moment is the older is for nobody to say
	require.NoError(t, b.Inquire(t.Context(), "demo", b.id(o)))
	require.ElementsMatch(t, []payment.CaseKind{payment.CaseOutOfStock, payment.CaseAmountMismatch}, b.openCases(o))
	require.Equal(t, payment.CaseOutOfStock, b.read(o).Review, "the oldest")
}

// rewriting is a PSP that is wrong about the amount.
type rewriting struct{ http.ResponseWriter }

func (w rewriting) Write(body []byte) (int, error) {
	_, err := w.ResponseWriter.Write(bytes.ReplaceAll(body, []byte("129.95"), []byte("129.90")))
	return len(body), err
}

func TestARefundThatAnOperatorOrdersIsCarriedOutByTheJob(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order()
	_, err := b.pay(o, "wallet", "")
	require.NoError(t, err)
	first := b.reference(o)
	_, err = b.pay(o, "card", "approve") // closes the first tab
	require.NoError(t, err)
	b.tell(first, `{"event":"paid"}`) // which was paid after all
	c := b.only(o)
	require.Equal(t, payment.CaseSurplus, c.Kind)
	_, err = b.ResolveCase(t.Context(), b.resolving(c, payment.CaseActRefund))
	require.NoError(t, err)
	p, _ := b.read(o).TransactionByReference(first)
	require.Equal(t, payment.ReleaseSurplus, p.Release.Reason)
	require.Equal(t, payment.StatusPaid, b.read(o).PaymentStatus())
	b.tell(first, `{"event":"refunded"}`)
	p, _ = b.read(o).TransactionByReference(first)
	require.False(t, p.Release.Open(), "nothing is left to give back")
	require.Empty(t, b.openCases(o))
}
