package api_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// differs opens the case of something that a PSP lists and that fits no order.
func (b *bundle) differs(subject string) payment.CaseID {
	b.t.Helper()
	eur, err := payment.ParseCurrency("EUR")
	require.NoError(b.t, err)
	amount := payment.FromMinor(1200, eur)
	c := payment.Case{
		ID: payment.CaseID(b.ids.New()), Store: "demo", Kind: payment.CaseReconciliation, Subject: subject, Detail: "Whose is it?",
		OpenedAt: b.Clock.Now(), Amount: &amount,
	}
	require.NoError(b.t, b.Store.OpenCases(b.t.Context(), []payment.Case{c}))
	return c.ID
}

// events waits until the API lists n events.
func (c *client) events(n int) []any {
	c.t.Helper()
	var all []any
	require.Eventually(c.t, func() bool { // PostgreSQL's own housekeeping may hold them back for a moment
		all = c.Get("/v1/events?limit=200").Is(http.StatusOK).List("data")
		return len(all) >= n
	}, 20*time.Second, 20*time.Millisecond)
	require.Len(c.t, all, n)
	return all
}

func TestWhoReadsEventsHearsOfCasesThatFitNoOrder(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	id := b.differs("main/refund/re_1").String()
	c.resolve(id, map[string]any{"resolution": "ours", "reason": "x", "action": "refund"}).refusedFor("not_for_this_kind")
	for range 2 {
		c.resolve(id, resolving("")).Is(http.StatusOK)
	}
	all := c.events(2)
	for i, status := range []string{"open", "resolved"} {
		event := all[i].(map[string]any)
		require.Equal(t, map[string]any{
			"id": event["id"], "type": []string{"case.opened", "case.resolved"}[i], "sequence": event["sequence"],
			"order_sequence": nil, "order_id": nil, "number": nil, "created_at": event["created_at"],
			"data": map[string]any{
				"case": id, "kind": "reconciliation_difference", "status": status, "amount": "12.00", "currency": "EUR",
			},
		}, event)
		require.Regexp(t, "^evt_[0-9a-z]{30}$", event["id"])
	}
	require.Equal(t, all[:1], c.Get("/v1/events?type=case.opened").Is(http.StatusOK).List("data"))
	first := c.Get("/v1/events?limit=1").Is(http.StatusOK)
	require.Equal(t, all[1:], c.Get("/v1/events?cursor="+first.Text("next_cursor")).Is(http.StatusOK).List("data"))
	c.Get("/v1/events?cursor="+id).Refused(http.StatusBadRequest, "cursor_invalid")
	stranger, _ := b.Key("other")
	require.Empty(t, b.As(stranger).Get("/v1/events").Is(http.StatusOK).List("data"))
	c.Get("/v1/orders/ord_"+id[len("cas_"):]+"/timeline").Refused(http.StatusNotFound, "not_found")

	var audited []string
	for _, e := range b.audit() {
		if e.Subject == id {
			audited = append(audited, e.Action)
		}
	}
	require.Equal(t, []string{"case.opened", "case.resolved"}, audited, "one entry for each")
}

func TestTheEventOfACaseThatFitsNoOrderIsRedelivered(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	b.differs("main/refund/re_1")
	event := c.events(1)[0].(map[string]any)["id"].(string)
	again := "/v1/events/" + event + "/redeliver"
	c.Post(endpoints, map[string]any{"url": "https://shop.example/orders", "types": []string{"order.*"}}).Is(http.StatusCreated)
	c.Post(again, nil).Refused(http.StatusConflict, "nothing_to_redeliver")
	alarm := c.Post(endpoints, map[string]any{"url": "https://shop.example/alarm", "types": []string{"case.*"}}).Text("id")
	list := c.Post(again, nil).Is(http.StatusAccepted)
	require.Len(t, list.List("data"), 1)
	require.Equal(t, alarm, list.Text("data.0.endpoint"))
	deliveries := c.Get(endpoints + "/" + alarm + "/deliveries").Is(http.StatusOK)
	require.Equal(t, event, deliveries.Text("data.0.event"))
	require.Equal(t, "case.opened", deliveries.Text("data.0.type"))
	require.Nil(t, deliveries.At("data.0.order_id"))
	stranger, _ := b.Key("other")
	b.As(stranger).Post(again, nil).Refused(http.StatusNotFound, "not_found")
}
