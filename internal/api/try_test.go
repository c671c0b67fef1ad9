package api_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
)

// dump returns every row of every table, with the marks that a write, a lock or a
// rewrite of the same bytes would leave on it.
func (b *bundle) dump() map[string][]string {
	b.t.Helper()
	conn, err := pgx.Connect(b.t.Context(), b.Database)
	require.NoError(b.t, err)
	defer func() { _ = conn.Close(b.t.Context()) }()
	rows, err := conn.Query(b.t.Context(), `select quote_ident(tablename) from pg_tables where schemaname = 'public' order by 1`)
	require.NoError(b.t, err)
	tables, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(b.t, err)
	require.Contains(b.t, tables, "orders")
	all := make(map[string][]string, len(tables))
	for _, table := range tables {
		if strings.HasPrefix(table, "river_") {
			continue // the queue's own
		}
		rows, err := conn.Query(b.t.Context(), `select concat_ws(' ', ctid, xmin, xmax, t) from `+table+` t order by 1`)
		require.NoError(b.t, err)
		all[table], err = pgx.CollectRows(rows, pgx.RowTo[string])
		require.NoError(b.t, err)
	}
	return all
}

// unasked is a poster of a test in which no shop is asked.
type unasked struct{}

func (unasked) CheckURL(string) error    { return nil }
func (unasked) CheckSecret(string) error { return nil }

func (unasked) Post(context.Context, steps.Message) (steps.Reply, error) {
	panic("nobody is to be called")
}

// tried posts to /v1/pipelines/try.
func (c *client) tried(body map[string]any) *answer {
	c.t.Helper()
	return c.Post("/v1/pipelines/try", body, "Idempotency-Key", "")
}

// stepsAt are the steps of one of the two trials, as "step: result".
func (a *answer) stepsAt(path string) (all []string) {
	a.t.Helper()
	for i := range a.List(path + ".steps") {
		at := fmt.Sprintf("%s.steps.%d.", path, i)
		all = append(all, a.Text(at+"step")+": "+a.Text(at+"result"))
	}
	return all
}

func TestAPipelineIsTriedAndNothingChanges(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	waiting := c.Order()
	c.Pay(waiting, "wallet", nil).Is(http.StatusOK)
	paid := c.PaidOrder()
	before, ledger := b.dump(), c.Get("/sandbox/operations").Body

	a := c.tried(map[string]any{"order": waiting, "pipeline": "confirm", "fact": "approved"}).Is(http.StatusOK)
	require.Subset(t, a.stepsAt("in_force"), []string{ // the defaults may have more
		"order-path-selector: status-ok", "order-path-selector/pay-order: done", "order-path-selector/deduct-stock: done",
		"order-path-selector/delete-basket: done", "order-path-selector/send-order-mail: done", "save-order: done",
	})
	require.Equal(t, "done", a.Text("in_force.outcome"))
	require.Equal(t, map[string]any{"kind": "order", "subject": "status", "from": "pending", "to": "processing"}, a.At("in_force.changes.0"))
	require.Nil(t, a.At("tried"))
	require.Empty(t, a.List("differences"))
	require.Contains(t, string(a.Body), `"tried":null`)

	a = c.tried(map[string]any{"order": waiting, "pipeline": "pre-process"}).Is(http.StatusOK)
	require.Equal(t, []string{"save-order: done", "track-promotion-code: done", "psp-redirect: would call"}, a.stepsAt("in_force"))
	require.Contains(t, fmt.Sprint(a.At("remarks")), "Nothing was called")

	for _, pipeline := range []string{"confirm", "pre-process", "post-process", "cancel"} {
		c.tried(map[string]any{"order": paid, "pipeline": pipeline}).Is(http.StatusOK)
	}
	require.Equal(t, before, b.dump())
	require.Equal(t, ledger, c.Get("/sandbox/operations").Body, "nothing was called")
}

func TestEditsAreTriedOnTopOfThePipelinesInForce(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	id := c.PaidOrder()
	a := c.tried(map[string]any{"order": id, "pipeline": "confirm", "pipelines": map[string]any{
		"status-ok": []any{
			map[string]any{"change": "deduct-stock", "when": "order.total >= 1000"},
			map[string]any{"insert": "note", "as": "greet", "after": "pay-order", "with": map[string]any{"text": "Thank you"}},
			map[string]any{"remove": "delete-basket"},
		},
	}}).Is(http.StatusOK)
	require.NotEqual(t, a.Text("in_force.version"), a.Text("tried.version"))
	steps := a.stepsAt("tried")
	require.Subset(t, steps, []string{
		"order-path-selector: status-ok", "order-path-selector/pay-order: done", "order-path-selector/greet: done",
		"order-path-selector/deduct-stock: skipped", "order-path-selector/send-order-mail: done", "save-order: done",
	})
	require.NotContains(t, steps, "order-path-selector/delete-basket: done")
	require.Equal(t, []any{
		map[string]any{"kind": "step_result", "subject": "order-path-selector/deduct-stock", "in_force": "done", "tried": "skipped, does not hold: order.total >= 1000"},
		map[string]any{"kind": "step_removed", "subject": "order-path-selector/delete-basket", "in_force": "done", "tried": ""},
		map[string]any{"kind": "step_added", "subject": "order-path-selector/greet", "in_force": "", "tried": "done"},
		map[string]any{"kind": "change", "subject": "note system", "in_force": "", "tried": "Thank you"},
	}, a.List("differences"))
}

// Who sends a notification matters to some steps; an inquiry has no sender.
func TestTheSenderIsTriedToo(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	body := map[string]any{"order": c.PaidOrder(), "pipeline": "confirm", "pipelines": map[string]any{"confirm": []any{
		map[string]any{"insert": "ip-range-validation", "before": "order-path-selector", "with": map[string]any{"networks": []any{"192.0.2.0/24"}}},
	}}}
	require.Equal(t, "done", c.tried(body).Is(http.StatusOK).Text("tried.outcome"))
	body["from"] = "192.0.2.7"
	require.Equal(t, "done", c.tried(body).Is(http.StatusOK).Text("tried.outcome"))
	body["from"] = "198.51.100.7"
	a := c.tried(body).Is(http.StatusOK)
	require.Equal(t, "refused", a.Text("tried.outcome"))
	require.Equal(t, []string{"ip-range-validation: refused", "order-path-selector: not reached", "save-order: not reached"}, a.stepsAt("tried"))
	require.Equal(t, "done", a.Text("in_force.outcome"))
}

// A step that a store would call gets a stand-in for its secret: what an edit
// refers to is not looked up, and nothing is called.
func TestAStepThatCallsTheStoreIsTriedWithoutCalling(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	id := c.Order()
	a := c.tried(map[string]any{"order": id, "pipeline": "pre-process", "method": "card", "pipelines": map[string]any{
		"pre-process": []any{map[string]any{"insert": "http", "as": "check", "before": "save-order", "with": map[string]any{
			"url": "https://shop.example/check", "secret": map[string]any{"env": "PATH"},
		}}},
	}}).Is(http.StatusOK)
	require.Equal(t, []string{
		"check: would call", "save-order: done", "track-promotion-code: done", "psp-redirect: would call",
	}, a.stepsAt("tried"))
	require.Contains(t, fmt.Sprint(a.At("remarks")), "Nothing was called")
}

func TestWhatCannotBeTriedIsRefusedWithItsField(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	unpaid := c.Order()
	confirm := func(fields map[string]any) map[string]any {
		body := map[string]any{"order": unpaid, "pipeline": "confirm"}
		for name, value := range fields {
			body[name] = value
		}
		return body
	}
	for name, wrong := range map[string]struct {
		body        map[string]any
		code, field string
	}{
		"no such pipeline": {confirm(map[string]any{"pipeline": "confrim"}), "pipeline_unknown", "pipeline"},
		"a branch":         {confirm(map[string]any{"pipeline": "status-ok"}), "pipeline_unknown", "pipeline"},
		"no payment":       {confirm(map[string]any{"pipeline": "pre-process"}), "method_required", "method"},
		"a useless method": {confirm(map[string]any{"method": "card"}), "method_not_taken", "method"},
		"nothing open":     {confirm(map[string]any{"fact": "approved"}), "nothing_open", "fact"},
		"a useless fact":   {confirm(map[string]any{"fact": "approved", "pipeline": "cancel"}), "fact_not_taken", "fact"},
		"no such fact":     {confirm(map[string]any{"fact": "sending"}), "validation_failed", "fact"},
		"no address":       {confirm(map[string]any{"from": "shop.example"}), "invalid", "from"},
		"not pipelines":    {confirm(map[string]any{"pipelines": []any{}}), "pipelines_invalid", "pipelines"},
		"an unknown one":   {confirm(map[string]any{"pipelines": map[string]any{"confrim": []any{}}}), "pipelines_invalid", "pipelines.confrim"},
		"an unknown word": {confirm(map[string]any{"pipelines": map[string]any{"confirm": []any{
			map[string]any{"change": "save-order", "when": "order.totl > 1"},
		}}}), "pipelines_invalid", "pipelines.confirm[0].when"},
		"no such step": {confirm(map[string]any{"pipelines": map[string]any{"confirm": []any{
			map[string]any{"remove": "pay-order"},
		}}}), "pipelines_invalid", "pipelines.confirm[0]"},
		"nobody saves": {confirm(map[string]any{"pipelines": map[string]any{"confirm": []any{
			map[string]any{"remove": "save-order"},
		}}}), "pipelines_invalid", "pipelines.confirm[0]"},
	} {
		a := c.tried(wrong.body).Refused(http.StatusUnprocessableEntity, wrong.code)
		require.Equal(t, wrong.field, a.Text("errors.0.field"), "%s: %s", name, a.Body)
		require.NotContains(t, string(a.Body), "money_moved", "no money is in play")
	}
	require.Empty(t, c.tried(confirm(nil)).Is(http.StatusOK).At("in_force.why"), "an order without payments is tried like any other")

	theirs, _ := b.Key("other")
	b.As(theirs).tried(confirm(nil)).Refused(http.StatusNotFound, "not_found")
	c.tried(confirm(map[string]any{"order": "ord_none"})).Refused(http.StatusNotFound, "not_found")
	clerk, _ := b.Key("demo", payment.ScopeOrders, payment.ScopeRead)
	b.As(clerk).tried(confirm(nil)).Refused(http.StatusForbidden, "forbidden")
}
