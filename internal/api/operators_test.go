package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestEventsAreReadOnFromASequence(t *testing.T) {
	t.Parallel()
	c := bootAlone(t).Client()
	first, second := c.PaidOrder(), c.PaidOrder()
	var all []any
	require.Eventually(t, func() bool { // PostgreSQL's own housekeeping may hold them back for a moment
		all = c.Get("/v1/events?limit=200").Is(http.StatusOK).List("data")
		text := fmt.Sprint(all)
		return strings.Contains(text, first) && strings.Contains(text, second) && strings.Count(text, "order.paid") == 2
	}, 20*time.Second, 20*time.Millisecond)

	of := map[string]float64{}
	before := 0.0
	for _, e := range all {
		event := e.(map[string]any)
		sequence := event["sequence"].(float64)
		require.Greater(t, sequence, before, "oldest first")
		before = sequence
		order := event["order_id"].(string)
		require.Equal(t, of[order]+1, event["order_sequence"], "without gaps")
		of[order]++
		require.True(t, strings.HasPrefix(event["id"].(string), "evt_"))
	}
	var paged []any
	after := "0"
	for range len(all) + 1 {
		a := c.Get("/v1/events?limit=3&after=" + after).Is(http.StatusOK)
		paged = append(paged, a.List("data")...)
		next, ok := a.At("next_cursor").(string)
		if !ok {
			break
		}
		require.Equal(t, a.Body, c.Get("/v1/events?limit=3&cursor="+after).Body, "a sequence is a cursor too")
		after = next
	}
	require.Equal(t, all, paged)
	paid := c.Get("/v1/events?type=order.paid").Is(http.StatusOK)
	require.Len(t, paid.List("data"), 2)
	require.Equal(t, first, paid.Text("data.0.order_id"))
	require.Empty(t, c.Get(fmt.Sprintf("/v1/events?after=%.0f", before)).List("data"))
	c.Get("/v1/events?cursor=abc").Refused(http.StatusBadRequest, "cursor_invalid")
	c.Get("/v1/events?after=-1").Refused(http.StatusUnprocessableEntity, "validation_failed")
}

// run returns the first run of a pipeline in an order's timeline.
func (c *client) run(order, pipeline string) map[string]any {
	c.t.Helper()
	for _, e := range c.Get("/v1/orders/" + order + "/timeline?limit=200").Is(http.StatusOK).List("data") {
		if run, ok := e.(map[string]any)["run"].(map[string]any); ok && run["pipeline"] == pipeline {
			return run
		}
	}
	c.t.Fatalf("the timeline has no run of %s", pipeline)
	return nil
}

func TestARunTellsWhatEachStepDid(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	id := c.PaidOrder()
	listed := c.run(id, "pre-process")
	run := c.Get("/v1/runs/" + listed["id"].(string)).Is(http.StatusOK)
	require.Equal(t, listed, run.At(""))
	require.Equal(t, "done", run.Text("state"))
	require.Equal(t, id, run.Text("order_id"))
	require.NotEmpty(t, run.List("steps"))
	require.Contains(t, string(run.Body), "psp-redirect")

	var versions []string
	for _, m := range c.Get("/v1/pipelines?method=card").Is(http.StatusOK).List("data.0.pipelines") {
		pipeline := m.(map[string]any)
		versions = append(versions, pipeline["version"].(string))
	}
	require.Contains(t, versions, run.Text("version"), "the run names the version that the list shows")
	for _, wrong := range []string{"run_", id, "nothing"} {
		c.Get("/v1/runs/"+wrong).Refused(http.StatusNotFound, "not_found")
	}
}

func TestPipelinesAreShownForEachMethod(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	a := c.Get("/v1/pipelines").Is(http.StatusOK)
	var methods []string
	for _, m := range a.List("data") {
		methods = append(methods, m.(map[string]any)["method"].(string))
		require.Equal(t, "demo", m.(map[string]any)["store"])
	}
	require.Equal(t, []string{"card", "card-manual", "wallet", "invoice", "free", "gift-card"}, methods)
	require.Equal(t, "internal", a.Text("data.0.pipelines.0.name"))
	require.Equal(t, []any{"save-order", "track-promotion-code"}, a.At("data.0.pipelines.1.steps"))
	require.Equal(t, []any{"psp-redirect"}, a.At("data.0.pipelines.1.post"))
	require.Equal(t, []any{}, a.At("data.0.pipelines.1.pre"))
	require.Contains(t, a.Text("data.0.pipelines.2.mermaid"), "status-ok")
	require.Empty(t, c.Get("/v1/pipelines?method=none").List("data"))
	require.Len(t, b.As(b.keyWith("other")).Get("/v1/pipelines").List("data"), 1)
}

func TestANotificationIsAppliedAgain(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	id := c.PaidOrder()
	b.notify(c.Get("/v1/orders/"+id).Text("payments.0.transactions.0.reference"), map[string]any{"event": "paid"})
	inbox := c.Get("/v1/notifications?state=applied").Is(http.StatusOK)
	require.Equal(t, id, inbox.Text("data.0.order_id"))
	before := c.Get("/v1/orders/" + id)
	c.Post("/v1/orders/"+id+"/notifications/seen", nil).Is(http.StatusOK)
	a := c.Post("/v1/notifications/"+inbox.Text("data.0.id")+"/replay", nil).Is(http.StatusOK)
	require.Equal(t, "applied", a.Text("state"))
	after := c.Get("/v1/orders/" + id)
	require.Equal(t, before.At("payments"), after.At("payments"), "money is where it was")
	require.Equal(t, true, after.At("has_new_payment_notification"))
}

func TestAParkedNotificationIsReplayedOnceItFits(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	b.notify("NOBODYKNOWSTHISREF01", map[string]any{"event": "paid", "amount": "1.00", "currency": "EUR"})
	parked := c.Get("/v1/notifications?state=parked").Is(http.StatusOK)
	require.Len(t, parked.List("data"), 1)
	require.Nil(t, parked.At("data.0.order_id"))
	require.NotNil(t, parked.At("data.0.next_try_at"))
	path := "/v1/notifications/" + parked.Text("data.0.id") + "/replay"
	for tries := 1.0; tries <= 3; tries++ {
		a := c.Post(path, nil).Is(http.StatusOK)
		require.Equal(t, "parked", a.Text("state"))
		require.Equal(t, tries, a.At("tries"))
	}
	orphan := c.Get("/v1/cases?kind=orphan_notification").Is(http.StatusOK)
	require.Len(t, orphan.List("data"), 1, "a person is called, once")
	require.Equal(t, parked.Text("data.0.id"), orphan.Text("data.0.subject"))
	require.Nil(t, orphan.At("data.0.order_id"))
	require.Empty(t, c.Get("/v1/notifications?state=applied").List("data"))
	for _, wrong := range []string{"ntf_", "nothing"} {
		c.Post("/v1/notifications/"+wrong+"/replay", nil).Refused(http.StatusNotFound, "not_found")
	}
}

func TestTheServiceTellsWhetherItCanWork(t *testing.T) {
	t.Parallel()
	b := boot(t)
	for path, status := range map[string]int{"/healthz": 200, "/readyz": 200, "/openapi.yaml": 200, "/openapi.json": 200, "/docs": 200} {
		b.As("").Get(path).Is(status)
	}
	b.Store.Close()
	_, err := b.As("").try(context.WithoutCancel(t.Context()), http.MethodGet, "/healthz", nil)
	require.NoError(t, err)
	b.As("").Get("/readyz").Refused(http.StatusServiceUnavailable, "unavailable")
}
