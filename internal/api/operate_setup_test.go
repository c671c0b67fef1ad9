package api_test

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// hundred is an order of 100.00.
var hundred = map[string]any{"total": "100.00", "lines": nil, "shipping": "100.00", "tax": nil}

// paidBy makes an order of 100.00 and pays it; it returns the ids of both.
func (c *client) paidBy(method string, change ...map[string]any) (order, pay string) {
	c.t.Helper()
	order = c.Order(append([]map[string]any{hundred}, change...)...)
	return order, c.Pay(order, method, nil).Is(http.StatusOK).Text("payment.id")
}

// do asks for an operation on a payment.
func (c *client) do(id, action string, body any, header ...string) *answer {
	c.t.Helper()
	return c.Post("/v1/payments/"+id+"/"+action, body, header...)
}

// playing is a body with a scenario.
func playing(scenario string, change ...map[string]any) map[string]any {
	body := map[string]any{"data": map[string]any{"scenario": scenario}}
	for _, fields := range change {
		for name, value := range fields {
			body[name] = value
		}
	}
	return body
}

// amount is a body with an amount.
func amount(of string) map[string]any { return map[string]any{"amount": of} }

// refusedFor requires that an operation is not allowed, why, and that nothing moved.
func (a *answer) refusedFor(why string) *answer {
	a.t.Helper()
	a.Refused(http.StatusConflict, "action_not_allowed")
	require.Equal(a.t, why, a.Text("why_not.code"))
	require.Regexp(a.t, `^[A-Z].*\.$`, a.Text("why_not.message"))
	require.Equal(a.t, "no", a.Text("money_moved"))
	return a
}

// amounts are what a payment has authorized, captured, refunded and voided.
func (c *client) amounts(id string) []string {
	c.t.Helper()
	a := c.Get("/v1/payments/" + id).Is(http.StatusOK)
	return []string{
		a.Text("amounts.authorized"), a.Text("amounts.captured"), a.Text("amounts.refunded"), a.Text("amounts.voided"),
	}
}

// agrees requires that our books of a payment say what the PSP's ledger says.
func (c *client) agrees(id string) {
	c.t.Helper()
	p := c.Get("/v1/payments/" + id).Is(http.StatusOK)
	currency, err := payment.ParseCurrency(p.Text("currency"))
	require.NoError(c.t, err)
	theirs := payment.ZeroSums(currency)
	ledger := (&client{t: c.t, url: c.url}).Get("/sandbox/operations?reference=" + p.Text("transactions.0.reference")).Is(http.StatusOK)
	for _, row := range ledger.List("") {
		o := row.(map[string]any)
		money, err := payment.ParseMoney(o["amount"].(string), currency)
		require.NoError(c.t, err)
		if o["state"] != "approved" && o["state"] != "voided" {
			continue
		}
		switch o["operation"] {
		case "charge":
			theirs.Authorized, theirs.Captured = theirs.Authorized.Add(money), theirs.Captured.Add(money)
		case "authorize", "increase":
			theirs.Authorized = theirs.Authorized.Add(money)
		case "capture":
			theirs.Captured = theirs.Captured.Add(money)
		case "refund", "chargeback":
			theirs.Refunded = theirs.Refunded.Add(money)
		case "void":
			theirs.Voided = theirs.Voided.Add(money)
		}
	}
	require.Equal(c.t, []string{
		theirs.Reserved().String(), theirs.Captured.String(), theirs.Refunded.String(), theirs.Voided.String(),
	}, c.amounts(id), "the PSP's ledger: %s", ledger.Body)
}

// booked counts the operations of a kind that the PSP has of a payment.
func (c *client) booked(id, kind string) int {
	c.t.Helper()
	reference := c.Get("/v1/payments/" + id).Text("transactions.0.reference")
	count := 0
	for _, row := range (&client{t: c.t, url: c.url}).Get("/sandbox/operations?reference=" + reference).List("") {
		if row.(map[string]any)["operation"] == kind {
			count++
		}
	}
	return count
}

// atOnce sends many requests at the same time and counts the statuses.
func (c *client) atOnce(t *testing.T, requests ...func() (*answer, error)) (map[int]int, []*answer) {
	t.Helper()
	type outcome struct {
		a   *answer
		err error
	}
	outcomes := make(chan outcome, len(requests))
	begin := make(chan struct{})
	for _, send := range requests {
		go func() {
			<-begin
			a, err := send()
			outcomes <- outcome{a, err}
		}()
	}
	close(begin)
	count := map[int]int{}
	var answers []*answer
	for range requests {
		o := <-outcomes
		require.NoError(t, o.err)
		count[o.a.Status]++
		answers = append(answers, o.a)
	}
	return count, answers
}

// sending makes one of the requests of atOnce. While the database is too busy to
// answer, it is repeated with its key, as a caller would.
func (c *client) sending(path string, body any, header ...string) func() (*answer, error) {
	if len(header) == 0 {
		header = []string{"Idempotency-Key", fmt.Sprintf("sent-%d", requests.Add(1))}
	}
	return func() (*answer, error) {
		for range 20 {
			a, err := c.try(c.t.Context(), http.MethodPost, path, body, header...)
			if err != nil || a.Status != http.StatusServiceUnavailable && !bytes.Contains(a.Body, []byte("idempotency_in_progress")) {
				return a, err
			}
		}
		return nil, errors.New("still no answer")
	}
}
