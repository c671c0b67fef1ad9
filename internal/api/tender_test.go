package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// together pays an order with several payments.
func (c *client) together(order string, parts ...map[string]any) *answer {
	c.t.Helper()
	return c.Post("/v1/orders/"+order+"/pay", map[string]any{"payments": parts})
}

func byCard(scenario string) map[string]any {
	return map[string]any{"method": "card", "data": map[string]any{"scenario": scenario}}
}

func byGiftCard(code, amount string) map[string]any {
	part := map[string]any{"method": "gift-card", "data": map[string]any{"code": code}}
	if amount != "" {
		part["amount"] = amount
	}
	return part
}

func (c *client) balance(card string) string {
	c.t.Helper()
	return c.Get("/v1/gift-cards/" + card).Is(http.StatusOK).Text("balance")
}

func TestAGiftCardAndACardPayAnOrderTogether(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	card, code := c.GiftCard(nil)
	order := c.Order()
	a := c.together(order, byCard("approve"), byGiftCard(code, "20.00")).Is(http.StatusOK)
	require.Equal(t, "yes", a.Text("money_moved"))
	require.Equal(t, "paid", a.Text("order.payment_status"))
	require.Equal(t, "processing", a.Text("order.status"))
	require.Equal(t, "129.95", a.Text("order.amounts.captured"))
	require.Equal(t, "0.00", a.Text("order.amounts.due"))
	require.Len(t, a.List("order.payments"), 2)
	require.Equal(t, "gift-card", a.Text("order.payments.0.method"), "what is easiest to give back comes first")
	require.Equal(t, "109.95", a.Text("order.payments.1.amount"), "the payment without an amount takes the rest")
	require.Equal(t, "card", a.Text("payment.method"), "the last payment decides")
	require.Equal(t, "180.00", c.balance(card))
	require.Len(t, b.charges(t, a.Text("payment.transactions.0.reference")), 1)
}

func TestWhatAGiftCardPaidIsGivenBackWhenTheCardIsDeclined(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	card, code := c.GiftCard(nil)
	order := c.Order()
	a := c.together(order, byGiftCard(code, "20.00"), byCard("decline")).Refused(http.StatusPaymentRequired, "payment_declined")
	require.Equal(t, "yes", a.Text("money_moved"), "the gift card was charged")
	require.Equal(t, "200.00", c.balance(card), "and has its money back")
	o := c.Get("/v1/orders/" + order).Is(http.StatusOK)
	require.Equal(t, "pending", o.Text("status"))
	require.Equal(t, "pending", o.Text("payment_status"))
	require.Equal(t, "129.95", o.Text("amounts.due"), "all of it is due again")

	a = c.together(order, byGiftCard(code, "20.00"), byCard("approve")).Is(http.StatusOK)
	require.Equal(t, "paid", a.Text("order.payment_status"), "what was given back before is no refund of this")
	require.Equal(t, "180.00", c.balance(card))
	require.Nil(t, a.At("order.review"))
}

func TestAReservationOfATenderIsVoidedWhenTheNextPaymentIsDeclined(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Order()
	reserved := map[string]any{"method": "card-manual", "amount": "29.95"}
	c.together(order, byCard("insufficient_funds"), reserved).Refused(http.StatusPaymentRequired, "payment_declined")
	o := c.Get("/v1/orders/" + order).Is(http.StatusOK)
	require.Equal(t, "card-manual", o.Text("payments.0.method"))
	require.Equal(t, "voided", o.Text("payments.0.status"))
	require.Equal(t, "pending", o.Text("status"))
	ledger := b.charges(t, o.Text("payments.0.transactions.0.reference"))
	require.Len(t, ledger, 1)
}

func TestThePaymentsOfATenderMustAddUpToWhatIsDue(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	_, code := c.GiftCard(nil)
	order := c.Order()
	some := func(amount string) map[string]any { return map[string]any{"method": "card", "amount": amount} }
	for name, bad := range map[string]struct {
		parts       []map[string]any
		code, field string
	}{
		"too little":           {[]map[string]any{some("29.95"), byGiftCard(code, "20.00")}, "payments_do_not_cover_total", "payments"},
		"too much":             {[]map[string]any{some("129.95"), byGiftCard(code, "0.01")}, "payments_exceed_total", "payments"},
		"nothing left":         {[]map[string]any{some("129.95"), byGiftCard(code, "")}, "payments_exceed_total", "payments"},
		"two take the rest":    {[]map[string]any{byCard("approve"), byGiftCard(code, "")}, "required", "payments[1].amount"},
		"zero":                 {[]map[string]any{byCard("approve"), byGiftCard(code, "0.00")}, "amount_invalid", "payments[1].amount"},
		"too many digits":      {[]map[string]any{byCard("approve"), byGiftCard(code, "1.001")}, "amount_invalid", "payments[1].amount"},
		"a method unknown":     {[]map[string]any{byCard("approve"), {"method": "clams", "amount": "1.00"}}, "method_unavailable", "payments[1].method"},
		"data that is wrong":   {[]map[string]any{byCard("approve"), byGiftCard("?", "1.00")}, "payment_data_invalid", "payments[1].data.code"},
		"two need the shopper": {[]map[string]any{{"method": "wallet", "amount": "1.00"}, {"method": "invoice"}}, "method_unavailable", "payments[1].method"},
	} {
		a := c.together(order, bad.parts...).Refused(http.StatusUnprocessableEntity, bad.code)
		require.Equal(t, bad.field, a.Text("errors.0.field"), name)
		require.Equal(t, "no", a.Text("money_moved"), name)
	}
	require.Empty(t, c.Get("/v1/orders/"+order).List("payments"), "nothing was begun")
	c.Post("/v1/orders/"+order+"/pay", map[string]any{"method": "card", "payments": []any{byCard("approve")}}).
		Refused(http.StatusUnprocessableEntity, "ambiguous")
}

func TestAWalletComesLastAndItsDeclineGivesTheGiftCardBack(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	card, code := c.GiftCard(nil)
	order := c.Order()
	a := c.together(order, map[string]any{"method": "wallet"}, byGiftCard(code, "20.00")).Is(http.StatusOK)
	require.Equal(t, "redirect", a.Text("next_action.type"))
	require.Equal(t, "180.00", c.balance(card))
	require.Equal(t, "yes", a.Text("money_moved"), "the gift card was charged, though the wallet waits")
	require.Equal(t, "pending", a.Text("order.status"))
	reference := a.Text("payment.transactions.0.reference")
	require.Equal(t, http.StatusOK, b.control(t, "/sandbox/payments/"+reference+"/decline"))
	require.Eventually(t, func() bool { return c.Get("/v1/orders/"+order).Text("payments.1.status") == "failed" }, 10*time.Second, 10*time.Millisecond)
	b.page("order-status", order).reads("Not paid", "has been given back, or is on its way", "to try again")
	b.releaseAll(t)
	b.page("order-status", order).reads("Not paid", "has been given back, or is on its way", "to try again")
	require.Equal(t, "200.00", c.balance(card))
	require.Equal(t, "129.95", c.Get("/v1/orders/"+order).Text("amounts.due"))
}

func TestATenderIsAnsweredOnceUnderItsKey(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	card, code := c.GiftCard(nil)
	order := c.Order()
	body := map[string]any{"payments": []any{byGiftCard(code, "20.00"), byCard("approve")}}
	first := c.Post("/v1/orders/"+order+"/pay", body, "Idempotency-Key", "k1").Is(http.StatusOK)
	again := c.Post("/v1/orders/"+order+"/pay", body, "Idempotency-Key", "k1").Is(http.StatusOK)
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	require.Equal(t, string(first.Body), string(again.Body))
	require.Equal(t, "180.00", c.balance(card))
}

// Nobody knows what became of the first payment, so the others are never sent, and
// what it took, should it have taken anything, is given back.
func TestATenderWhoseFirstPaymentIsUnknownNeverGoesOn(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Order()
	unknown := map[string]any{"method": "card-manual", "amount": "29.95", "data": map[string]any{"scenario": "error_after_charge"}}
	a := c.together(order, unknown, byCard("approve")).Is(http.StatusAccepted)
	require.Equal(t, "unknown", a.Text("money_moved"))
	require.Equal(t, "failed", a.Text("order.payments.1.status"), "the card is not charged")
	b.Clock.Advance(time.Minute)
	b.releaseAll(t)
	o := c.Get("/v1/orders/" + order)
	require.Equal(t, "voided", o.Text("payments.0.status"), "%s", o.Body)
	require.Equal(t, "129.95", o.Text("amounts.due"))
}

// releaseAll does what the job of releases does.
func (b *bundle) releaseAll(t *testing.T) {
	t.Helper()
	due, err := b.Store.DueReleases(t.Context(), b.Clock.Now(), b.Clock.Now().Add(time.Minute), 100)
	require.NoError(t, err)
	for _, d := range due {
		require.NoError(t, b.Moments.Release(t.Context(), d.Store, d.ID))
	}
}

// charges is the simulator's ledger of charges and authorizations.
func (b *bundle) charges(t *testing.T, reference string) []any {
	t.Helper()
	var found []any
	for _, row := range b.As("").Get("/sandbox/operations?reference=" + reference).Is(http.StatusOK).List("") {
		if op := row.(map[string]any)["operation"]; op == "charge" || op == "authorize" {
			found = append(found, row)
		}
	}
	return found
}

func (b *bundle) control(t *testing.T, path string) int {
	t.Helper()
	return b.As("").Post(path, map[string]any{}).Status
}

func TestARepaidOrderAsksAboutTheOldAttemptFirst(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Order()
	c.Post("/v1/orders/"+order+"/repay", nil).Refused(http.StatusConflict, "action_not_allowed")
	c.Pay(order, "card", map[string]any{"scenario": "decline"}).Refused(http.StatusPaymentRequired, "payment_declined")
	a := c.Post("/v1/orders/"+order+"/repay", map[string]any{"method": "wallet"}).Is(http.StatusOK)
	require.Equal(t, "redirect", a.Text("next_action.type"))
	old := a.Text("payment.transactions.0.reference")

	a = c.Post("/v1/orders/"+order+"/repay", nil).Is(http.StatusOK)
	require.Equal(t, "wallet", a.Text("payment.method"), "the method of the last attempt")
	require.NotEqual(t, old, a.Text("payment.transactions.0.reference"))
	require.Equal(t, http.StatusOK, b.control(t, "/sandbox/payments/"+a.Text("payment.transactions.0.reference")+"/pay"))
	c.Post("/v1/orders/"+order+"/repay", map[string]any{"method": "card"}).Refused(http.StatusConflict, "order_already_paid")
	require.Equal(t, string(payment.StatusPaid), c.Get("/v1/orders/"+order).Text("payment_status"))
}

func TestACancellationUnderAKeyIsAnsweredOnce(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	id := c.PaidOrder()
	path, body := "/v1/orders/"+id+"/cancel", map[string]any{"reason": "no stock", "release": "refund"}
	first := c.Post(path, body, "Idempotency-Key", "cancel-1").Is(http.StatusOK)
	require.Equal(t, "cancelled", first.Text("status"))
	require.Equal(t, "129.95", first.Text("amounts.refunded"))
	again := c.Post(path, body, "Idempotency-Key", "cancel-1").Is(http.StatusOK)
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	require.Equal(t, string(first.Body), string(again.Body))
	c.Post(path, map[string]any{"reason": "another"}, "Idempotency-Key", "cancel-1").
		Refused(http.StatusUnprocessableEntity, "idempotency_key_reused")
	a := c.Post(path, body, "Idempotency-Key", "").Refused(http.StatusConflict, "order_not_open")
	require.Equal(t, "no", a.Text("money_moved"))
	held := c.PaidOrder()
	a = c.Post("/v1/orders/"+held+"/cancel", map[string]any{"reason": "x"}, "Idempotency-Key", "").
		Refused(http.StatusConflict, "release_required")
	require.Equal(t, "no", a.Text("money_moved"))
}

func TestAnInvoiceIsReplacedByAnotherWayToPay(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order := c.Order()
	c.Pay(order, "invoice", nil).Is(http.StatusOK)
	a := c.Post("/v1/orders/"+order+"/repay", map[string]any{"method": "card"}, "Idempotency-Key", "repay-1").Is(http.StatusOK)
	require.Equal(t, "paid", a.Text("order.payment_status"))
	require.Equal(t, "failed", a.Text("order.payments.0.status"))
	again := c.Post("/v1/orders/"+order+"/repay", map[string]any{"method": "card"}, "Idempotency-Key", "repay-1").Is(http.StatusOK)
	require.Equal(t, string(a.Body), string(again.Body))

	other := c.Order()
	c.Pay(other, "invoice", nil).Is(http.StatusOK)
	body := map[string]any{"method": "invoice"}
	first := c.Post("/v1/orders/"+other+"/repay", body, "Idempotency-Key", "repay-2").Is(http.StatusOK)
	c.Post("/v1/orders/"+other+"/repay", body, "Idempotency-Key", "repay-2").Is(http.StatusOK)
	require.Equal(t, "pending", c.Get("/v1/orders/"+other).Text("payments.1.status"), "a repetition does not close its own")
	require.NotEmpty(t, first.At("next_action"))
}
