package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// ask makes the service ask the PSP about the payment's transaction of this number
// in the list, as its job does.
func (b *bundle) ask(id string, index int) {
	b.t.Helper()
	p, err := payment.ParsePaymentID(id)
	require.NoError(b.t, err)
	o, err := b.Store.ReadOrder(b.t.Context(), "demo", p.Order)
	require.NoError(b.t, err)
	n := o.Payment(p.N).Transactions[index].N
	require.NoError(b.t, b.Moments.Inquire(b.t.Context(), "demo", payment.TransactionID{Order: p.Order, N: n}))
}

func TestAnOperationThatIsDeclinedLeavesTheMoneyWhereItIs(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	for _, action := range []string{"capture", "void"} {
		a := c.do(id, action, playing("insufficient_funds")).Refused(http.StatusPaymentRequired, "payment_declined")
		require.Equal(t, "no", a.Text("money_moved"))
		require.Equal(t, "insufficient_funds", a.Text("reason.code"))
		require.Equal(t, []string{"100.00", "0.00", "0.00", "0.00"}, c.amounts(id))
	}
	c.do(id, "capture", nil).Is(http.StatusOK)
	key := []string{"Idempotency-Key", "declined-refund"}
	first := c.do(id, "refund", playing("decline", amount("10.00")), key...).Refused(http.StatusPaymentRequired, "payment_declined")
	require.Equal(t, string(first.Body), string(c.do(id, "refund", playing("decline", amount("10.00")), key...).Body), "it is final")
	require.Equal(t, "100.00", c.do(id, "refund", nil).Is(http.StatusOK).Text("transactions.0.amount"))
	c.agrees(id)
}

func TestAnOperationThatDoesNotReachThePSPMayBeTriedAgain(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card")
	body := playing("refuse_before_send", amount("10.00"))
	a := c.do(id, "refund", body, "Idempotency-Key", "r-1").Refused(http.StatusServiceUnavailable, "gateway_unavailable")
	require.Equal(t, "no", a.Text("money_moved"))
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	c.do(id, "refund", body, "Idempotency-Key", "r-1").Refused(http.StatusServiceUnavailable, "gateway_unavailable")
	require.Zero(t, c.booked(id, "refund"), "the same key sends nothing twice")
	c.do(id, "refund", amount("10.00"), "Idempotency-Key", "r-2").Is(http.StatusOK)
	require.Equal(t, 1, c.booked(id, "refund"))
	c.agrees(id)
}

// What the PSP never answered, or answered badly, is unknown: it is found out, and
// never done a second time.
func TestAnOperationOfWhichNobodyKnowsIsNotDoneTwice(t *testing.T) {
	t.Parallel()
	for _, scenario := range []string{"timeout_after_charge", "error_after_charge", "html_502_after_charge", "garbage"} {
		t.Run(scenario, func(t *testing.T) {
			t.Parallel()
			b := boot(t)
			c := b.Client()
			_, id := c.paidBy("card-manual")
			body := playing(scenario, amount("40.00"))
			a := c.do(id, "capture", body, "Idempotency-Key", "c-1").Is(http.StatusAccepted)
			require.Equal(t, "unknown", a.Text("money_moved"))
			require.Equal(t, "unknown", a.Text("transactions.0.state"))
			require.NotEmpty(t, a.Header.Get("Retry-After"))
			require.Equal(t, "0.00", a.Text("payment.amounts.captured"), "nothing is counted before it is known")

			again := c.do(id, "capture", body, "Idempotency-Key", "c-1").Is(http.StatusAccepted)
			require.Equal(t, "unknown", again.Text("money_moved"))
			b.ask(id, 1)
			known := c.do(id, "capture", body, "Idempotency-Key", "c-1").Is(http.StatusOK)
			require.Equal(t, "yes", known.Text("money_moved"))
			require.Equal(t, "40.00", known.Text("payment.amounts.captured"))
			require.Equal(t, 1, c.booked(id, "capture"))
			c.agrees(id)
		})
	}
}

// Another request finds out first what became of the one before: the PSP knows.
func TestAnotherOperationAsksWhatBecameOfTheOneBefore(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	c.do(id, "capture", playing("timeout_after_charge", amount("60.00"))).Is(http.StatusAccepted)
	a := c.do(id, "capture", amount("60.00")).Refused(http.StatusUnprocessableEntity, "amount_exceeds")
	require.Equal(t, "40.00", a.Text("max_amount"), "it was captured after all")
	c.do(id, "capture", amount("40.00")).Is(http.StatusOK)
	require.Equal(t, 2, c.booked(id, "capture"))
	c.agrees(id)
}

// Where the PSP cannot say yet, no other operation on the same money begins.
func TestWhileNobodyKnowsNothingElseIsSent(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order, id := c.paidBy("card")
	a := c.do(id, "refund", playing("timeout_no_charge", amount("60.00")), "Idempotency-Key", "r-1").Is(http.StatusAccepted)
	require.Empty(t, a.Text("transactions.0.gateway_reference"), "the PSP gave it no name")
	c.do(id, "refund", amount("10.00")).refusedFor("outcome_unknown")
	c.do(id, "refund", map[string]any{"amount": "10.00", "offline": true}).refusedFor("outcome_unknown")
	c.Post("/v1/orders/"+order+"/refund", nil).refusedFor("outcome_unknown")
	require.Equal(t, "outcome_unknown", c.actions(order)["refund "+id].why)

	b.Clock.Advance(time.Minute) // the PSP is sure by now that it never got it
	c.do(id, "refund", amount("100.00")).Is(http.StatusOK)
	c.do(id, "refund", playing("timeout_no_charge", amount("60.00")), "Idempotency-Key", "r-1").
		Refused(http.StatusServiceUnavailable, "gateway_unavailable")
	require.Equal(t, 1, c.booked(id, "refund"))
	c.agrees(id)
}

func TestAnOperationThatIsPendingReservesItsMoney(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	_, id := c.paidBy("card")
	a := c.do(id, "refund", playing("pending_then_decline", amount("60.00")), "Idempotency-Key", "r-1").Is(http.StatusAccepted)
	require.Equal(t, "no", a.Text("money_moved"))
	require.Equal(t, "pending", a.Text("transactions.0.state"))
	require.Equal(t, "40.00", c.do(id, "refund", amount("60.00")).Refused(http.StatusUnprocessableEntity, "amount_exceeds").Text("max_amount"))
	require.Eventually(t, func() bool {
		return c.Get("/v1/payments/"+id).Text("transactions.1.state") == "declined"
	}, 10*time.Second, 20*time.Millisecond)
	c.do(id, "refund", amount("60.00")).Is(http.StatusOK)
	c.agrees(id)
}

// The PSP says that it was done already: by whoever asked before the answer was lost.
func TestWhatThePSPDidAlreadyIsRecorded(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	a := c.do(id, "capture", playing("already_done")).Is(http.StatusOK)
	require.Equal(t, "approved", a.Text("transactions.0.state"))
	require.Equal(t, 1, c.booked(id, "capture"))
	require.Equal(t, "100.00", c.do(id, "refund", playing("already_done")).Is(http.StatusOK).Text("payment.amounts.refunded"))
	c.agrees(id)
}

// The PSP does it with another amount than was asked: nobody calls that done.
func TestAnotherAmountThanWasAskedIsHeld(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card")
	a := c.do(id, "refund", playing("wrong_amount", amount("60.00"))).Is(http.StatusAccepted)
	require.Equal(t, "unknown", a.Text("money_moved"))
	require.Equal(t, "amount_mismatch", a.Text("order.review.kind"))
	require.Equal(t, "0.00", a.Text("payment.amounts.refunded"))
	c.do(id, "refund", amount("10.00")).refusedFor("outcome_unknown")
}
