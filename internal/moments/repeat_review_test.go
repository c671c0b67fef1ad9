package moments_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// giveBackAll does what the job of releases does.
func (b *bundle) giveBackAll() {
	b.t.Helper()
	due, err := b.store.DueReleases(b.t.Context(), b.clock.now(), b.clock.now().Add(time.Minute), 100)
	require.NoError(b.t, err)
	for _, d := range due {
		require.NoError(b.t, b.Release(b.t.Context(), d.Store, d.ID))
	}
}

// An instance dies between the payments of a tender. Whoever repeats the request is
// told what became of it, beside which others were charged.
func TestATenderThatWasInterruptedIsNotTheRefusalOfOnePayment(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order(plain)
	c := b.command(o, "", "")
	c.Parts = []moments.PartCommand{{Method: "card-manual", Amount: some("29.95")}, {Method: "card"}}
	var told moments.Outcome
	c.Render = func(out moments.Outcome) payment.Reply {
		told = out
		return payment.Reply{Status: http.StatusOK, Body: []byte("rendered")}
	}
	dying, book := b.instance(string(settings.Demo()), 3, false)
	_, err := dying.Pay(t.Context(), c)
	require.Error(t, err)
	require.True(t, book.dead)
	require.Equal(t, payment.Approved, b.read(o).Payments[0].Initial().State)
	b.clock.advance(10 * time.Minute)
	b.giveBackAll()
	b.giveBackAll()
	require.Equal(t, payment.StatusVoided, b.read(o).Payments[0].Status)

	answer, err := b.Pay(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, "rendered", string(answer.Body))
	require.ErrorIs(t, told.Refusal, steps.ErrInterrupted)
	require.NotZero(t, told.Payment.Tender, "the renderer sees what the others took")
	require.Len(t, b.charges(o), 1)
}

// An instance dies while the shop is asked about a refund: nothing was sent, and
// nothing will be. Whoever repeats the request is told so, and may ask anew.
func TestARefundThatWasInterruptedBeforeItWasSentIsAnswered(t *testing.T) {
	t.Parallel()
	source := askingIn("refund", "before: psp-refund")
	b := setup(t)
	b.reload(source)
	b.willing()
	o := b.order(plain)
	_, err := b.pay(o, "card", "approve")
	require.NoError(t, err)
	dying, book := b.instance(source, 2, false)
	c := moments.OperateCommand{
		Store: "demo", Order: o.ID, Payment: b.read(o).Payments[0].N, Action: payment.ActRefund, Claim: b.claim(""),
		Author: "test", Render: renderRefusals(b.command(o, "", "").Render),
	}
	_, err = dying.Operate(t.Context(), c)
	require.Error(t, err)
	require.True(t, book.dead)
	b.sweep()
	_, err = b.Operate(t.Context(), c)
	require.Equal(t, "gateway_unavailable", payment.CodeOf(err))
	require.Zero(t, b.refunds(o))
	c.Claim = b.claim("")
	_, err = b.Operate(t.Context(), c)
	require.NoError(t, err)
	require.Equal(t, 1, b.refunds(o))
}
