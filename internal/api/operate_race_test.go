package api_test

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestOfManyCapturesExactlyThoseSucceedThatFit(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	var requests []func() (*answer, error)
	for range 20 {
		requests = append(requests, c.sending("/v1/payments/"+id+"/capture", amount("10.00")))
	}
	count, answers := c.atOnce(t, requests...)
	require.Equal(t, map[int]int{http.StatusOK: 10, http.StatusConflict: 10}, count)
	for _, a := range answers {
		if a.Status == http.StatusConflict {
			require.Contains(t, []string{"captured_already", "operation_in_progress"}, a.Text("why_not.code"))
		}
	}
	c.do(id, "capture", amount("10.00")).refusedFor("captured_already")
	require.Equal(t, []string{"0.00", "100.00", "0.00", "0.00"}, c.amounts(id))
	require.Equal(t, 10, c.booked(id, "capture"))
	c.agrees(id)
}

func TestOfManyRefundsNoneGivesBackTooMuch(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card")
	var requests []func() (*answer, error)
	for range 50 {
		requests = append(requests, c.sending("/v1/payments/"+id+"/refund", amount("3.00")))
	}
	count, answers := c.atOnce(t, requests...)
	for _, a := range answers {
		if a.Status != http.StatusOK {
			require.Equal(t, "no", a.Text("money_moved"), "%s", a.Body)
			require.Contains(t, refusals, a.Status, "%s", a.Body)
		}
	}
	require.Equal(t, 33, count[http.StatusOK], "%v", count)
	c.do(id, "refund", amount("3.00")).Refused(http.StatusUnprocessableEntity, "amount_exceeds")
	require.Equal(t, []string{"0.00", "100.00", "99.00", "0.00"}, c.amounts(id))
	require.Equal(t, 33, c.booked(id, "refund"))
	c.agrees(id)
}

// refusals are the answers to what was not done: not allowed, or too much.
var refusals = []int{http.StatusConflict, http.StatusUnprocessableEntity}

// The same request sent many times at once is carried out once.
func TestOneKeyRefundsOnce(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card")
	var requests []func() (*answer, error)
	for range 20 {
		requests = append(requests, c.sending("/v1/payments/"+id+"/refund", amount("3.00"), "Idempotency-Key", "one"))
	}
	count, answers := c.atOnce(t, requests...)
	require.Equal(t, map[int]int{http.StatusOK: 20}, count)
	for _, a := range answers {
		require.Equal(t, string(answers[0].Body), string(a.Body))
	}
	require.Equal(t, 1, c.booked(id, "refund"))
	c.agrees(id)
}

// Of a capture and a void that are asked for at once, each that says it was done was.
func TestACaptureAndAVoidDoNotBothTakeTheMoney(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	for i := range 5 {
		_, id := c.paidBy("card-manual")
		count, _ := c.atOnce(t,
			c.sending("/v1/payments/"+id+"/capture", nil), c.sending("/v1/payments/"+id+"/void", nil),
			c.sending("/v1/payments/"+id+"/capture", nil), c.sending("/v1/payments/"+id+"/void", nil),
		)
		require.Equal(t, map[int]int{http.StatusOK: 1, http.StatusConflict: 3}, count, "%d", i)
		require.Equal(t, 1, c.booked(id, "capture")+c.booked(id, "void"))
		c.agrees(id)
	}
}

// A chargeback takes the money that a refund wants too. What was counted twice by
// the PSP is on record, out of the sums, and a person looks at it.
func TestARefundAndAChargebackAtOnce(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	for range 5 {
		order, id := c.paidBy("card")
		reference := c.Get("/v1/payments/" + id).Text("transactions.0.reference")
		event := map[string]any{"event": "chargeback", "amount": "70.00"}
		_, answers := c.atOnce(t,
			c.sending("/v1/payments/"+id+"/refund", amount("60.00")),
			b.As("").sending("/sandbox/payments/"+reference+"/notify", event),
		)
		for _, a := range answers {
			require.Less(t, a.Status, http.StatusInternalServerError, "%s", a.Body)
		}
		o, err := b.Store.ReadOrder(t.Context(), "demo", orderID(t, order))
		require.NoError(t, err)
		sums := o.Payments[0].Sums
		require.LessOrEqual(t, sums.Refunded.Cmp(sums.Captured), 0)
		held := false
		for _, x := range o.Payments[0].Transactions {
			held = held || x.Held
		}
		require.NotNil(t, c.Get("/v1/orders/"+order).At("review"), "somebody looks at a chargeback")
		require.NotEqual(t, "cancelled", c.Get("/v1/orders/"+order).Text("status"))
		if !held {
			c.agrees(id)
		}
	}
}

// What operators do to one payment in any order and all at once leaves the books as
// the PSP's.
func TestAllOperationsAtOnce(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	var requests []func() (*answer, error)
	for i := range 8 {
		for _, action := range []string{"capture", "refund", "increase"} {
			requests = append(requests, c.sending("/v1/payments/"+id+"/"+action, amount(fmt.Sprintf("%d.00", 5+i))))
		}
	}
	_, answers := c.atOnce(t, append(requests, c.sending("/v1/payments/"+id+"/void", nil))...)
	for _, a := range answers {
		require.Contains(t, append(refusals, http.StatusOK), a.Status, "%s", a.Body)
	}
	c.agrees(id)
}

func TestSettingsAreReloadedWhileMoneyIsGivenBack(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	_, id := c.paidBy("card")
	var requests []func() (*answer, error)
	for range 10 {
		requests = append(requests, c.sending("/v1/payments/"+id+"/refund", playing("slow", amount("5.00"))))
	}
	done := make(chan error, 1)
	go func() {
		var err error
		for range 20 {
			if err == nil {
				err = b.Moments.Reload(b.Settings)
			}
		}
		done <- err
	}()
	count, _ := c.atOnce(t, requests...)
	require.NoError(t, <-done)
	require.Equal(t, map[int]int{http.StatusOK: 10}, count)
	require.Equal(t, "50.00", c.amounts(id)[2])
	c.agrees(id)
}

func orderID(t *testing.T, raw string) payment.OrderID {
	t.Helper()
	id, err := payment.ParseOrderID(raw)
	require.NoError(t, err)
	return id
}
