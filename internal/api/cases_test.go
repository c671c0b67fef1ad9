package api_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// openCase is the newest open case of a kind.
func (c *client) openCase(kind string) *answer {
	c.t.Helper()
	list := c.Get("/v1/cases?state=open&kind=" + kind).Is(http.StatusOK)
	require.NotEmpty(c.t, list.List("data"), "no open case %s", kind)
	return c.Get("/v1/cases/" + list.Text("data.0.id")).Is(http.StatusOK)
}

// openCases counts the open cases of a kind.
func (c *client) openCases(kind string) int {
	c.t.Helper()
	return len(c.Get("/v1/cases?state=open&kind=" + kind).Is(http.StatusOK).List("data"))
}

// resolving is a body that resolves a case.
func resolving(action string) map[string]any {
	body := map[string]any{"resolution": "looked_up", "reason": "Seen on the dashboard."}
	if action != "" {
		body["action"] = action
	}
	return body
}

func (c *client) resolve(id string, body any, header ...string) *answer {
	c.t.Helper()
	return c.Post("/v1/cases/"+id+"/resolve", body, header...)
}

// told are the types of the events about cases of an order, and the notes.
func (c *client) told(order string) (events, notes []string) {
	c.t.Helper()
	for _, line := range c.Get("/v1/orders/" + order + "/timeline?limit=200").Is(http.StatusOK).List("data") {
		entry := line.(map[string]any)
		if event, ok := entry["event"].(map[string]any); ok && strings.HasPrefix(event["type"].(string), "case.") {
			events = append(events, event["type"].(string))
		}
		if note, ok := entry["note"].(map[string]any); ok && strings.Contains(note["text"].(string), "case") {
			notes = append(notes, note["author"].(string)+": "+note["text"].(string))
		}
	}
	return events, notes
}

// conflicted pays an order of which the PSP reports something else.
func (c *client) conflicted(scenario string) (order string) {
	c.t.Helper()
	order = c.Order()
	c.Pay(order, "card", map[string]any{"scenario": scenario}).Is(http.StatusAccepted)
	return order
}

func TestWhatThePSPTookCountsOnceAPersonSaysSo(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.conflicted("wrong_amount")
	b.Clock.Advance(time.Hour)
	k := c.openCase("amount_mismatch")
	require.Equal(t, "129.95", k.Text("amount_at_risk"))
	require.Equal(t, map[string]any{"amount": "129.94", "currency": "EUR"}, k.At("reported"))
	require.Equal(t, order, k.Text("order_id"))
	require.Equal(t, c.Get("/v1/orders/"+order).Text("payments.0.transactions.0.id"), k.Text("transaction"))
	require.GreaterOrEqual(t, k.At("age_seconds").(float64), 3600.0)
	require.Equal(t, []any{"none", "approve", "decline"}, k.List("actions"))
	require.NotEmpty(t, k.Text("what_to_do"))

	a := c.resolve(k.Text("id"), resolving("approve")).Is(http.StatusOK)
	require.Equal(t, "resolved", a.Text("state"))
	require.Equal(t, "till", a.Text("resolved_by"))
	require.Equal(t, "approve", a.Text("action"))
	require.Equal(t, a.At(""), c.Get("/v1/cases/"+k.Text("id")).At(""), "as it is answered, so it is kept")
	o := c.Get("/v1/orders/" + order)
	require.Nil(t, o.At("review"))
	require.Equal(t, "partially_paid", o.Text("payment_status"))
	require.Equal(t, "129.94", o.Text("payments.0.transactions.0.amount"))
	require.Equal(t, "0.01", o.Text("amounts.due"))
	events, notes := c.told(order)
	require.Equal(t, []string{"case.resolved", "case.opened"}, events)
	require.Equal(t, "till: The case amount_mismatch is resolved: looked_up, with approve. Seen on the dashboard.", notes[0])
}

func TestAfterAConflictIsDeclinedTheShopperPaysAnew(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order := c.conflicted("wrong_currency")
	c.Pay(order, "card", nil).Refused(http.StatusConflict, "payment_in_progress")
	k := c.openCase("currency_mismatch")
	require.Equal(t, "USD", k.Text("reported.currency"))
	refused := c.resolve(k.Text("id"), resolving("approve")).Refused(http.StatusConflict, "action_not_allowed")
	require.Equal(t, "currency_differs", refused.Text("why_not.code"))
	require.Equal(t, "no", refused.Text("money_moved"))
	require.Equal(t, "open", c.Get("/v1/cases/"+k.Text("id")).Text("state"))

	c.resolve(k.Text("id"), resolving("decline")).Is(http.StatusOK)
	require.Equal(t, "declined", c.Get("/v1/orders/"+order).Text("payments.0.transactions.0.state"))
	require.Equal(t, "paid", c.Pay(order, "card", nil).Is(http.StatusOK).Text("order.payment_status"))
}

func TestARepeatedNotificationOpensNoCaseAgainAndAnotherAmountDoes(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.PaidOrder()
	reference := c.Get("/v1/orders/" + order).Text("payments.0.transactions.0.reference")
	for range 2 {
		b.notify(reference, map[string]any{"event": "paid", "amount": "1.00"})
	}
	require.Equal(t, 1, c.openCases("amount_mismatch"))
	k := c.openCase("amount_mismatch")
	require.Equal(t, "settled_already",
		c.resolve(k.Text("id"), resolving("approve")).Refused(http.StatusConflict, "action_not_allowed").Text("why_not.code"))
	c.resolve(k.Text("id"), resolving("")).Is(http.StatusOK)
	b.notify(reference, map[string]any{"event": "paid", "amount": "1.00"})
	require.Zero(t, c.openCases("amount_mismatch"))
	require.Nil(t, c.Get("/v1/orders/"+order).At("review"))
	events, _ := c.told(order)
	require.Equal(t, []string{"case.resolved", "case.opened"}, events)

	b.notify(reference, map[string]any{"event": "paid", "amount": "2.00"})
	require.Equal(t, "2.00 EUR", c.openCase("amount_mismatch").Text("subject"))
	require.Equal(t, "amount_mismatch", c.Get("/v1/orders/"+order).Text("review.kind"))
}

// late makes money come for an order that is cancelled.
func (b *bundle) late(c *client) (order, reference string) {
	b.t.Helper()
	order = c.Order()
	reference = c.Pay(order, "wallet", nil).Is(http.StatusOK).Text("payment.transactions.0.reference")
	c.Post("/v1/orders/"+order+"/cancel", map[string]any{"reason": "x"}).Is(http.StatusOK)
	b.notify(reference, map[string]any{"event": "paid"})
	return order, reference
}

func TestMoneyThatCameTooLateIsRefundedOnAnOperatorsWord(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order, _ := b.late(c)
	k := c.openCase("paid_after_cancel")
	require.Equal(t, "129.95", k.Text("amount_at_risk"))
	weak := b.As(b.keyWith("demo", payment.ScopePayments))
	weak.resolve(k.Text("id"), resolving("refund")).Refused(http.StatusForbidden, "forbidden")
	c.resolve(k.Text("id"), resolving("approve")).refusedFor("not_for_this_kind")

	c.resolve(k.Text("id"), resolving("refund")).Is(http.StatusOK)
	o := c.Get("/v1/orders/" + order)
	require.Equal(t, "paid_after_cancel", o.Text("payments.0.release.reason"))
	require.Nil(t, o.At("review"))
	due, err := b.Store.DueReleases(t.Context(), b.Clock.Now(), b.Clock.Now(), 10)
	require.NoError(t, err)
	require.Len(t, due, 1, "a job gives it back")
}

func TestASurplusThatIsBackResolvesItself(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order := c.Order()
	old := c.Pay(order, "wallet", nil).Is(http.StatusOK).Text("payment.transactions.0.reference")
	require.Equal(t, "paid", c.Pay(order, "card", nil).Is(http.StatusOK).Text("order.payment_status"))
	b.notify(old, map[string]any{"event": "paid"}) // the first tab was paid after all
	k := c.openCase("surplus")
	require.Equal(t, "surplus", c.Get("/v1/orders/"+order).Text("review.kind"))
	b.notify(old, map[string]any{"event": "refunded"}) // on the PSP's dashboard
	k = c.Get("/v1/cases/" + k.Text("id"))
	require.Equal(t, "resolved", k.Text("state"), "%s", k.Body)
	require.Equal(t, "refunded", k.Text("resolution"))
	require.Equal(t, "system", k.Text("resolved_by"))
	require.Nil(t, c.Get("/v1/orders/"+order).At("review"))
}

func TestResolvingAgainInTheSameWayAnswersTheSame(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	b.late(c)
	id := c.openCase("paid_after_cancel").Text("id")
	first := c.resolve(id, resolving(""), "Idempotency-Key", "a").Is(http.StatusOK)
	again := c.resolve(id, resolving(""), "Idempotency-Key", "a").Is(http.StatusOK)
	require.Equal(t, first.Body, again.Body)
	require.Equal(t, "true", again.Header.Get("Idempotent-Replayed"))
	c.resolve(id, resolving("refund"), "Idempotency-Key", "a").Refused(http.StatusUnprocessableEntity, "idempotency_key_reused")
	require.Equal(t, first.At(""), c.resolve(id, resolving(""), "Idempotency-Key", "b").Is(http.StatusOK).At(""))
	require.Equal(t, first.At(""), c.resolve(id, resolving("none"), "Idempotency-Key", "c").Is(http.StatusOK).At(""))
	c.resolve(id, resolving("refund")).Refused(http.StatusConflict, "case_resolved")
	c.resolve(id, map[string]any{"resolution": "looked_up", "reason": "Otherwise."}).Refused(http.StatusConflict, "case_resolved")
	c.resolve(id, resolving(""), "Idempotency-Key", "").Refused(http.StatusBadRequest, "idempotency_key_required")
}

func TestOfTwoOperatorsWhoSettleACaseOneDecides(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	order := c.conflicted("wrong_amount")
	path := "/v1/cases/" + c.openCase("amount_mismatch").Text("id") + "/resolve"
	var both []func() (*answer, error)
	for range 4 {
		both = append(both, c.sending(path, resolving("approve")), c.sending(path, resolving("decline")))
	}
	count, _ := c.atOnce(t, both...)
	require.Equal(t, map[int]int{http.StatusOK: 4, http.StatusConflict: 4}, count, "those who agree with the first are answered the same")
	events, _ := c.told(order)
	require.Equal(t, []string{"case.resolved", "case.opened"}, events)
	k := c.Get("/v1/cases").At("data.0.action")
	want := map[any]string{"approve": "approved", "decline": "declined"}[k]
	require.Equal(t, want, c.Get("/v1/orders/"+order).Text("payments.0.transactions.0.state"))
}

func TestACaseWithoutAnOrderIsResolvedToo(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	n := payment.NotificationID(b.ids.New())
	orphan := payment.Case{
		ID: payment.CaseID(b.ids.New()), Store: "demo", Kind: payment.CaseOrphan, Subject: n.String(), Detail: "Whose is it?",
		OpenedAt: b.Clock.Now(),
	}
	require.NoError(t, b.Store.PostponeNotification(t.Context(), &payment.Notification{ID: n, Store: "demo"}, &orphan))
	k := c.openCase("orphan_notification")
	for _, field := range []string{"order_id", "payment", "transaction", "amount_at_risk", "currency", "resolution"} {
		require.Nil(t, k.At(field), field)
	}
	c.resolve(k.Text("id"), resolving("refund")).refusedFor("not_for_this_kind")
	first := c.resolve(k.Text("id"), resolving(""), "Idempotency-Key", "o").Is(http.StatusOK)
	require.Equal(t, first.Body, c.resolve(k.Text("id"), resolving(""), "Idempotency-Key", "o").Is(http.StatusOK).Body)
	require.Equal(t, first.At(""), c.resolve(k.Text("id"), resolving("")).Is(http.StatusOK).At(""))
	c.resolve(k.Text("id"), map[string]any{"resolution": "other", "reason": "x"}).Refused(http.StatusConflict, "case_resolved")
}

// Each kind, from its opening to its end, over the list.
func TestEveryKindIsListedUntilItIsResolved(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	stranger := b.As(b.keyWith("other", allScopes...))
	for _, kind := range payment.CaseKinds() {
		order := c.Order()
		id, err := payment.ParseOrderID(order)
		require.NoError(t, err)
		require.NoError(t, b.Store.Stretch(t.Context(), payment.Opening{Order: id, Token: b.ids.New()},
			func(o *payment.Order) (payment.Closing, error) {
				o.OpenCase(payment.Case{Kind: kind, Subject: "x", OpenedAt: b.Clock.Now(), Detail: "Something."})
				return payment.Closing{}, nil
			}))
		require.Equal(t, 1, c.openCases(string(kind)), kind)
		require.Zero(t, stranger.openCases(""))
		require.Equal(t, string(kind), c.Get("/v1/orders/"+order).Text("review.kind"))
		k := c.openCase(string(kind))
		stranger.Get("/v1/cases/"+k.Text("id")).Refused(http.StatusNotFound, "not_found")
		stranger.resolve(k.Text("id"), resolving("")).Refused(http.StatusNotFound, "not_found")
		c.resolve(k.Text("id"), resolving("")).Is(http.StatusOK)
		require.Zero(t, c.openCases(""), kind)
		require.Nil(t, c.Get("/v1/orders/"+order).At("review"), kind)
		events, notes := c.told(order)
		require.Equal(t, []string{"case.resolved", "case.opened"}, events, kind)
		require.Len(t, notes, 2, kind)
	}
	require.Len(t, c.Get("/v1/cases?state=resolved&limit=200").List("data"), len(payment.CaseKinds()))
	require.Len(t, c.Get("/v1/cases?kind=surplus").List("data"), 1)
	c.Get("/v1/cases?state=lost").Is(http.StatusUnprocessableEntity)
}

func TestABadResolutionNamesItsField(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	order, _ := b.late(c)
	id := c.openCase("paid_after_cancel").Text("id")
	for field, body := range map[string]map[string]any{
		"resolution": {"resolution": "Not A Word", "reason": "x"},
		"reason":     {"resolution": "ok", "reason": "  "},
		"action":     {"resolution": "ok", "reason": "x", "action": "burn"},
		"amount":     {"resolution": "ok", "reason": "x", "amount": "1.00"},
	} {
		a := c.resolve(id, body).Is(http.StatusUnprocessableEntity)
		require.Contains(t, a.Text("errors.0.field"), field, "%s", a.Body)
	}
	c.resolve(id, map[string]any{"resolution": strings.Repeat("a", 41), "reason": "x"}).Is(http.StatusUnprocessableEntity)
	c.resolve(id, map[string]any{"resolution": "ok", "reason": strings.Repeat("a", 501)}).Is(http.StatusUnprocessableEntity)
	c.resolve("cas_nonsense", resolving("")).Refused(http.StatusNotFound, "not_found")
	require.Equal(t, "paid_after_cancel", c.Get("/v1/orders/"+order).Text("review.kind"))
}
