package main

import (
	"crypto/sha256"
	"net/http"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

func TestAnOrderThatIsPaidOnceIsClean(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	require.Empty(t, h.wrongs())
	require.True(t, judge(h.evidence).clean())
}

func TestASecondChargeIsFoundUnlessAPersonKnows(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	h.pay("R2")
	require.Equal(t, []string{doubleCharge}, h.wrongs())
	h.openCase("chargeback")
	require.Equal(t, []string{doubleCharge}, h.wrongs(), "a case about something else does not excuse it")
	h.openCase("surplus")
	require.Empty(t, h.wrongs())
	require.Equal(t, 1, judge(h.evidence).counts["surplus, with a case"])
}

func TestAnAuthorizationThatWasGivenUpIsNotASecondCharge(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	h.pay("R2")
	h.ledger["R2"] = []operation{
		{Kind: "authorize", Reference: "R2", State: "approved", minor: 1000},
		{Kind: "void", Reference: "V2", State: "approved", minor: 1000},
	}
	h.books.transactions = append(h.books.transactions, transactionRow{Order: h.order, N: 20, Payment: 2, Type: "void", State: "approved", Amount: 1000, Reference: "V2"})
	h.books.payments[1] = paymentRow{Order: h.order, N: 2, Status: "voided", Amount: 1000, Authorized: 1000, Voided: 1000}
	require.Empty(t, h.wrongs())
}

func TestWhatThePSPDidWithoutUsIsFound(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	h.ledger["X"], h.sent["X"] = []operation{charge("X", 500)}, 1
	require.Equal(t, []string{orphanEffect}, h.wrongs())
	h = paidOnce(t)
	h.ledger["R1"] = append(h.ledger["R1"], operation{Kind: "refund", Reference: "F1", ID: "sbo_f", State: "approved", minor: 100})
	require.Equal(t, []string{orphanEffect, wrongSum, doubleRefund}, h.wrongs())
}

func TestARequestThatWasSentTwiceIsFound(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	h.sent["R1"] = 2
	require.Equal(t, []string{sentTwice}, h.wrongs())
}

func TestAStateThatThePSPContradictsIsFound(t *testing.T) {
	t.Parallel()
	for _, state := range []string{"declined", "not_sent"} {
		h := paidOnce(t)
		h.transaction().State = state
		require.Contains(t, h.wrongs(), contradiction, "it is %s here, and charged there", state)
	}
	h := paidOnce(t)
	delete(h.ledger, "R1")
	require.Equal(t, []string{contradiction, wrongSum, unearned, dishonest}, h.wrongs(), "approved out of nothing")
	h = paidOnce(t)
	h.transaction().State = "declined"
	h.ledger["R1"][0].State = "action_required"
	require.Contains(t, h.wrongs(), contradiction, "the shopper may still pay it")
	h = paidOnce(t)
	h.set("pending", "pending")
	require.Equal(t, []string{contradiction}, h.wrongs(), "all is paid, and the order does not say so")
}

func TestAmountsAreCompared(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	h.ledger["R1"][0].minor = 999
	require.Equal(t, []string{contradiction, wrongSum, unearned}, h.wrongs())
	h = paidOnce(t)
	h.books.payments[0].Captured = 900
	require.Equal(t, []string{wrongSum}, h.wrongs())
}

func TestAnOrderThatLooksPaidAndIsNotIsFound(t *testing.T) {
	t.Parallel()
	for _, looks := range [][2]string{{"processing", "pending"}, {"pending", "paid"}, {"complete", "refunded"}, {"pending", "authorized"}} {
		h := paidOnce(t)
		h.ledger["R1"][0].State = "declined"
		h.transaction().State = "declined"
		h.books.payments[0] = paymentRow{Order: h.order, N: 1, Amount: 1000}
		h.answers = nil
		h.set(looks[0], looks[1])
		require.Contains(t, h.wrongs(), unearned, "%v", looks)
		h.set("pending", "pending")
		require.NotContains(t, h.wrongs(), unearned)
	}
}

func TestAnAcknowledgedNotificationThatIsNotInTheBooksIsLost(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	h.acked = append(h.acked, acknowledgement{event: "evt_2"})
	require.Equal(t, []string{lostNotification}, h.wrongs())
	h = paidOnce(t)
	h.acked[0].body = sha256.Sum256([]byte("another"))
	require.Equal(t, []string{lostNotification}, h.wrongs())
	h = paidOnce(t)
	h.accepted = 1
	require.Equal(t, []string{forgery}, h.wrongs())
}

func TestWhatIsNotSettledIsCounted(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	h.books.unfinished = []string{"something"}
	require.Equal(t, []string{unresolved}, h.wrongs())
}

func TestAnswersThatAreNotInTheBooksAreFound(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	delete(h.books.claims, "pay-1")
	require.Equal(t, []string{lostOrder}, h.wrongs())
	h = paidOnce(t)
	other := h.told(http.StatusOK, "yes")
	other.names = "ord_00000000000000000000000000"
	h.answers["pay-1"] = append(h.answers["pay-1"], other)
	require.Contains(t, h.wrongs(), lostOrder)
}

func TestARepeatGetsTheFirstAnswerAgain(t *testing.T) {
	t.Parallel()
	replayed := func(s said, text string) said {
		s.replayed, s.hash = true, sha256.Sum256([]byte(text))
		return s
	}
	h := paidOnce(t)
	first := h.told(http.StatusOK, "yes")
	h.answers["pay-1"] = []said{first, replayed(first, "yes"), replayed(first, "yes")}
	require.Empty(t, h.wrongs())
	h.answers["pay-1"] = []said{first, replayed(first, "other")}
	require.Equal(t, []string{changedAnswer}, h.wrongs())
	broken := said{request: first.request, broken: true}
	h.answers["pay-1"] = []said{broken, replayed(first, "one"), replayed(first, "two")}
	require.Equal(t, []string{changedAnswer}, h.wrongs())
}

func TestLiesAboutMoneyAreFound(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	lie := h.told(http.StatusServiceUnavailable, "no")
	h.answers["pay-1"] = []said{lie}
	require.Equal(t, []string{dishonest}, h.wrongs(), "it had moved by then")
	lie.at = noon().Add(-time.Minute)
	h.answers["pay-1"] = []said{lie}
	require.Empty(t, h.wrongs(), "it had not moved yet, and nothing says that it never will")
	lie.code = "gateway_unavailable"
	h.answers["pay-1"] = []said{lie}
	require.Equal(t, []string{dishonest}, h.wrongs(), "that it was not sent is said for good")
	lie.moved = "unknown"
	h.answers["pay-1"] = []said{lie}
	require.Empty(t, h.wrongs())
}

func TestStockAndEventsAreOncePerOrder(t *testing.T) {
	t.Parallel()
	h := paidOnce(t)
	h.books.stock = 98
	require.Equal(t, []string{wrongEffect}, h.wrongs(), "deducted twice")
	h = paidOnce(t)
	h.books.stock, h.books.deducted = 100, 0
	require.Equal(t, []string{wrongEffect}, h.wrongs(), "never deducted")
	h = paidOnce(t)
	h.books.paidEvents = map[uuid.UUID]int{h.order: 2}
	require.Equal(t, []string{wrongEffect}, h.wrongs())
}
