package api_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// What a simulator does not know is the caller's mistake, not an outage.
func TestAnUnknownScenarioOfAnOperationMovesNothing(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order, manual := c.paidBy("card-manual")
	before := c.amounts(manual)
	for action, body := range map[string]map[string]any{"capture": amount("10.00"), "increase": amount("10.00"), "void": nil} {
		a := c.do(manual, action, playing("explode", body)).Refused(http.StatusUnprocessableEntity, "payment_data_invalid")
		require.Equal(t, "data.scenario", a.Text("errors.0.field"))
		require.Equal(t, "no", a.Text("money_moved"))
		require.NotContains(t, string(a.Body), "explode")
	}
	c.do(manual, "capture", playing("approve", amount("40.00"))).Is(http.StatusOK)
	c.Post("/v1/orders/"+order+"/refund", playing("explode", amount("10.00"))).Refused(http.StatusUnprocessableEntity, "payment_data_invalid")
	require.NotEqual(t, before, c.amounts(manual))
	c.agrees(manual)
}

// Nothing that is wrong with an amount moves money, and the answer names the field.
func TestABadAmountMovesNothing(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, manual := c.paidBy("card-manual")
	_, sale := c.paidBy("card")
	yen := map[string]any{"currency": "JPY", "total": "1000", "shipping": "1000"}
	_, whole := c.paidBy("card", yen)
	dinar := map[string]any{"currency": "KWD", "total": "10.000", "shipping": "10.000"}
	_, fine := c.paidBy("card", dinar)
	for _, bad := range []struct {
		id, action  string
		body        any
		code, field string
	}{
		{manual, "capture", amount("0.00"), "amount_invalid", "amount"},
		{manual, "capture", amount("-1.00"), "amount_invalid", "amount"},
		{manual, "capture", amount("1e2"), "amount_invalid", "amount"},
		{manual, "capture", amount("1.001"), "amount_invalid", "amount"},
		{manual, "capture", amount(" 1.00"), "amount_invalid", "amount"},
		{manual, "capture", amount("100.01"), "amount_exceeds", "amount"},
		{manual, "capture", amount("999999999999999.99"), "amount_invalid", "amount"},
		{manual, "capture", map[string]any{"amount": "1.00", "currency": "USD"}, "currency_mismatch", "currency"},
		{manual, "increase", amount("0.00"), "amount_invalid", "amount"},
		{manual, "increase", amount("9999999999999.99"), "amount_exceeds", "amount"},
		{manual, "increase", map[string]any{"amount": "1.00", "currency": "JPY"}, "currency_mismatch", "currency"},
		{sale, "refund", amount("0"), "amount_invalid", "amount"},
		{sale, "refund", amount("-0.01"), "amount_invalid", "amount"},
		{sale, "refund", amount("0.001"), "amount_invalid", "amount"},
		{sale, "refund", amount("100.01"), "amount_exceeds", "amount"},
		{sale, "refund", map[string]any{"amount": "1.00", "currency": "USD"}, "currency_mismatch", "currency"},
		{sale, "refund", map[string]any{"amount": "1.00", "offline": true, "currency": "USD"}, "currency_mismatch", "currency"},
		{sale, "refund", map[string]any{"amount": "0.00", "offline": true}, "amount_invalid", "amount"},
		{whole, "refund", amount("1.5"), "amount_invalid", "amount"},
		{whole, "refund", amount("1001"), "amount_exceeds", "amount"},
		{fine, "refund", amount("1.0001"), "amount_invalid", "amount"},
	} {
		before := c.amounts(bad.id)
		a := c.do(bad.id, bad.action, bad.body).Refused(http.StatusUnprocessableEntity, bad.code)
		assert.Equal(t, bad.field, a.Text("errors.0.field"), "%s %v", bad.action, bad.body)
		assert.Equal(t, "no", a.Text("money_moved"))
		assert.Equal(t, bad.code == "amount_exceeds", a.At("max_amount") != nil, "%s %v", bad.action, bad.body)
		require.Equal(t, before, c.amounts(bad.id))
	}
	a := c.do(sale, "refund", map[string]any{"amount": 1.0}) // a number is no amount
	require.Equal(t, "amount", a.Is(http.StatusUnprocessableEntity).Text("errors.0.field"))
	c.do(whole, "refund", amount("1")).Is(http.StatusOK)
	c.do(fine, "refund", amount("1.001")).Is(http.StatusOK)
	for _, id := range []string{manual, sale, whole, fine} {
		c.agrees(id)
	}
}

func TestABodyThatIsWrongMovesNothing(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	for _, bad := range []struct {
		action, body string
		status       int
	}{
		{"capture", `{"Amount":"1.00"}`, 422},
		{"capture", `{"amount":"1.00","amount":"2.00"}`, 400},
		{"capture", `{"final":"yes"}`, 422},
		{"capture", `[]`, 422},
		{"capture", `{"offline":true}`, 422},
		{"capture", `{"amount":""}`, 422},
		{"capture", `{`, 400},
		{"void", `{"amount":"1.00"}`, 422},
		{"void", `{"reason":"4111 1111 1111 1111"}`, 422},
		{"refund", `{"reason":"card 4111111111111111"}`, 422},
		{"mark-paid", `{}`, 422},
		{"mark-authorized", `{"reason":" "}`, 422},
	} {
		a := c.do(id, bad.action, bad.body).Is(bad.status)
		require.Equal(t, "no", a.Text("money_moved"), "%s %s", bad.action, bad.body)
	}
	require.Equal(t, []string{"100.00", "0.00", "0.00", "0.00"}, c.amounts(id))
	c.do(id, "capture", nil, "Idempotency-Key", "").Refused(http.StatusBadRequest, "idempotency_key_required")
	c.do(id, "capture", map[string]any{"amount": "1.00", "reference": "4111111111111111"}).Is(http.StatusOK) // the store's own number
}

func TestAKeyForAnotherRequestMovesNothing(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card")
	_, other := c.paidBy("card")
	first := c.do(id, "refund", amount("10.00"), "Idempotency-Key", "return-1").Is(http.StatusOK)
	again := c.do(id, "refund", amount("10.00"), "Idempotency-Key", "return-1").Is(http.StatusOK)
	require.Equal(t, string(first.Body), string(again.Body))
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	for _, a := range []*answer{
		c.do(id, "refund", amount("10.01"), "Idempotency-Key", "return-1"),
		c.do(other, "refund", amount("10.00"), "Idempotency-Key", "return-1"),
	} {
		require.Equal(t, "no", a.Refused(http.StatusUnprocessableEntity, "idempotency_key_reused").Text("money_moved"))
	}
	require.Equal(t, "10.00", c.amounts(id)[2])
	require.Equal(t, "0.00", c.amounts(other)[2])
	c.agrees(id)
}

// A request that was refused is not kept: the same key may be used once it can be
// done.
func TestARefusalIsNotKept(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, id := c.paidBy("card-manual")
	c.do(id, "refund", amount("10.00"), "Idempotency-Key", "return-1").refusedFor("nothing_captured")
	c.do(id, "capture", nil).Is(http.StatusOK)
	c.do(id, "refund", amount("10.00"), "Idempotency-Key", "return-1").Is(http.StatusOK)
	c.agrees(id)
}

func TestAPaymentOfAnotherStoreIsNotThere(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order, id := c.paidBy("card-manual")
	foreign, _ := b.Key("other")
	other := b.As(foreign)
	nowhere := order[4:]
	for _, action := range []string{"capture", "refund", "void"} {
		other.do(id, action, nil).Refused(http.StatusNotFound, "not_found")
		c.do("pay_"+nowhere+"7777", action, nil).Refused(http.StatusNotFound, "not_found")
		c.do("pay_"+nowhere+"0000", action, nil).Refused(http.StatusNotFound, "not_found")
		c.do(order, action, nil).Refused(http.StatusNotFound, "not_found")
	}
	other.do(id, "increase", amount("1.00")).Refused(http.StatusNotFound, "not_found")
	other.do(id, "mark-paid", map[string]any{"reason": "x"}).Refused(http.StatusNotFound, "not_found")
	other.Post("/v1/orders/"+order+"/refund", nil).Refused(http.StatusNotFound, "not_found")
	other.Post("/v1/orders/"+order+"/complete", nil).Refused(http.StatusNotFound, "not_found")
	other.Get("/v1/orders/"+order+"/actions").Refused(http.StatusNotFound, "not_found")
	require.Equal(t, []string{"100.00", "0.00", "0.00", "0.00"}, c.amounts(id))
}

// A program that has lost the amount must not give back everything.
func TestAnAmountThatIsNullIsNotAll(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	id := c.PaidOrder()
	payment := c.Get("/v1/orders/" + id).Text("payments.0.id")
	a := c.Post("/v1/payments/"+payment+"/refund", `{"amount":null}`).Refused(http.StatusUnprocessableEntity, "amount_invalid")
	require.Equal(t, "amount", a.Text("errors.0.field"))
	require.Equal(t, "no", a.Text("money_moved"))
	require.Equal(t, "0.00", c.Get("/v1/orders/"+id).Text("amounts.refunded"))
}
