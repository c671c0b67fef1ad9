package api_test

import (
	"net/http"
	"net/url"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// ids are the ids of the rows of a list.
func (a *answer) ids() []string {
	a.t.Helper()
	ids := []string{}
	for _, row := range a.Is(http.StatusOK).List("data") {
		ids = append(ids, row.(map[string]any)["id"].(string))
	}
	return ids
}

// walk reads a list to its end, a few rows at a time.
func (c *client) walk(path string) []string {
	c.t.Helper()
	var all []string
	cursor := ""
	for range 100 {
		a := c.Get(path + cursor)
		all = append(all, a.ids()...)
		next, ok := a.At("next_cursor").(string)
		if !ok {
			return all
		}
		cursor = "&cursor=" + url.QueryEscape(next)
	}
	c.t.Fatalf("%s has no end", path)
	return nil
}

func TestOrdersAreListedNewestFirstInPages(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	var made []string
	for range 7 {
		b.Clock.Advance(time.Millisecond) // ids made within one are in no order
		made = append(made, c.Order())
	}
	slices.Reverse(made)
	for _, limit := range []string{"1", "3", "7", "200"} {
		require.Equal(t, made, c.walk("/v1/orders?limit="+limit), "pages of %s", limit)
	}
	require.Nil(t, c.Get("/v1/orders?limit=7").At("next_cursor"))
}

func TestOrdersAreFoundByWhatIsKnownOfThem(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	start := b.Clock.Now().UTC().Add(-time.Minute).Format(time.RFC3339)
	paid := c.PaidOrder(map[string]any{"number": "P-100", "customer": map[string]any{"id": "anna", "email": "anna@example.org"}})
	b.Clock.Advance(time.Millisecond)
	held := c.Order(map[string]any{"number": "A-200", "customer": map[string]any{"id": "bert", "email": "bert@example.org"}})
	c.Pay(held, "card-manual", nil).Is(http.StatusOK)
	b.Clock.Advance(time.Millisecond)
	invoiced := c.Order(map[string]any{"number": "I-300", "customer": map[string]any{"id": "anna", "email": "a@example.org"}})
	require.Equal(t, "display", c.Pay(invoiced, "invoice", nil).Is(http.StatusOK).Text("next_action.type"))
	b.Clock.Advance(time.Millisecond)
	fresh := c.Order(map[string]any{"number": "F-400", "customer": nil})
	reference := c.Get("/v1/orders/" + paid).Text("payments.0.transactions.0.reference")

	for query, found := range map[string][]string{
		"number=P-100":                 {paid},
		"number=P-1":                   {},
		"status=pending":               {fresh, invoiced},
		"payment_status=paid":          {paid},
		"payment_status=authorized":    {held},
		"customer=anna":                {invoiced, paid},
		"customer=anna&status=pending": {invoiced},
		"method=invoice":               {invoiced},
		"gateway=sandbox":              {held, paid},
		"gateway=sandbox&method=card":  {paid},
		"q=P-1":                        {paid},
		"q=bert":                       {held},
		"q=" + url.QueryEscape("bert@example.org"): {held},
		"q=" + reference:                        {paid},
		"q=" + url.QueryEscape("%"):             {},
		"q=_-400":                               {},
		"from=" + start:                         {fresh, invoiced, held, paid},
		"to=" + start:                           {},
		"needs_review=true":                     {},
		"new_notification=true":                 {},
		"new_notification=false&status=pending": {fresh, invoiced},
	} {
		require.Equal(t, found, c.Get("/v1/orders?"+query).ids(), "%s", query)
	}
}

func TestNewsOfAPSPIsFlaggedUntilSomebodyLooked(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	id := c.PaidOrder()
	b.notify(c.Get("/v1/orders/"+id).Text("payments.0.transactions.0.reference"), map[string]any{"event": "paid"})
	require.Equal(t, []string{id}, c.Get("/v1/orders?new_notification=true").ids())
	a := c.Post("/v1/orders/"+id+"/notifications/seen", nil).Is(http.StatusOK)
	require.Equal(t, false, a.At("has_new_payment_notification"))
	require.Equal(t, "paid", a.Text("payment_status"))
	require.Empty(t, c.Get("/v1/orders?new_notification=true").ids())
}

func TestAnOrderThatAPersonMustSeeIsListed(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	id := c.Order()
	c.Pay(id, "card", map[string]any{"scenario": "wrong_amount"})
	require.Equal(t, []string{id}, c.Get("/v1/orders?needs_review=true").ids())
	cases := c.Get("/v1/cases?state=open").Is(http.StatusOK)
	require.Equal(t, "amount_mismatch", cases.Text("data.0.kind"))
	require.Equal(t, id, cases.Text("data.0.order_id"))
	require.NotEmpty(t, cases.Text("data.0.transaction"))
	require.Len(t, c.Get("/v1/cases?kind=amount_mismatch").List("data"), 1)
	require.Empty(t, c.Get("/v1/cases?kind=surplus").List("data"))
	require.Empty(t, c.Get("/v1/cases?state=resolved").List("data"))
}
