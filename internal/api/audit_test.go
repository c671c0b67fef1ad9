package api_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// unaudited are the operations that are no GET and leave no entry, and why.
var unaudited = map[string]string{
	"validate-payment-data": "reads: it judges what the shopper entered and keeps nothing",
	"find-gift-card":        "reads: the code stands in the body so that no log has it",
	"try-pipeline":          "reads: it changes nothing",
	"submit-order":          "the shopper is back: what the PSP then says is audited as an inquiry, and the rest is clean-up",
	"fail-order":            "the shopper is back: what the PSP then says is audited as an inquiry, and the rest is clean-up",
	"mark-order-seen":       "a mark in a list of whoever reads it",
	"put-attribute":         "the store's own data beside an order, with a version of its own; no money, key or setting",
	"delete-attribute":      "the store's own data beside an order",
	"put-checkout-state":    "the storefront's own data while the shopper decides",
	"delete-checkout-state": "the storefront's own data while the shopper decides",
	"put-stock":             "the store's own data for the effects of its orders, as the shop's system has it",
	"delete-stock":          "the store's own data for the effects of its orders",
	"put-promotion-codes":   "the store's own data for the effects of its orders",
	"delete-promotion-code": "the store's own data for the effects of its orders",
	"put-basket":            "the store's own data for the effects of its orders",
	"delete-basket":         "the store's own data for the effects of its orders",
}

// changes makes each operation that is audited succeed: it prepares with one key
// what another one then changes.
func (b *bundle) changes(c *client) map[string]func(actor *client) *answer {
	amend := map[string]any{"locale": "de"}
	reason := map[string]any{"reason": "Statement 17 of Ann Person."}
	url := map[string]any{"url": "https://shop.example/hooks?token=hunter3"}
	endpoint := func() string { return c.Post("/v1/webhook-endpoints", url).Is(http.StatusCreated).Text("id") }
	card := func() string {
		return c.Post("/v1/gift-cards", map[string]any{"amount": "50.00", "currency": "EUR"}).Is(http.StatusCreated).Text("id")
	}
	operation := func(method, action string, body any) func(*client) *answer {
		return func(actor *client) *answer {
			_, id := c.paidBy(method)
			return actor.do(id, action, body)
		}
	}
	// A notification of another amount opens a case; it is kept and can be replayed.
	held := func() (notification, open string) {
		_, id := c.paidBy("card")
		b.notify(c.Get("/v1/payments/"+id).Text("transactions.0.reference"), map[string]any{"event": "paid", "amount": "1.00"})
		return c.Get("/v1/notifications").Text("data.0.id"), c.Get("/v1/cases").Text("data.0.id")
	}
	return map[string]func(actor *client) *answer{
		"create-order": func(actor *client) *answer { return actor.Post("/v1/orders", orderOf()) },
		"amend-order": func(actor *client) *answer {
			return actor.Send(http.MethodPatch, "/v1/orders/"+c.Order(), amend)
		},
		"cancel-order": func(actor *client) *answer { return actor.Post("/v1/orders/"+c.Order()+"/cancel", reason) },
		"pay-order":    func(actor *client) *answer { return actor.Pay(c.Order(), "card", nil) },
		"repay-order": func(actor *client) *answer {
			order := c.Order()
			c.Pay(order, "card", map[string]any{"scenario": "decline"}).Is(http.StatusPaymentRequired)
			return actor.Post("/v1/orders/"+order+"/repay", nil)
		},
		"capture-payment":         operation("card-manual", "capture", nil),
		"increase-payment":        operation("card-manual", "increase", amount("1.00")),
		"void-payment":            operation("card-manual", "void", map[string]any{"reason": "Ann Person changed her mind"}),
		"refund-payment":          operation("card", "refund", amount("1.00")),
		"mark-payment-paid":       operation("invoice", "mark-paid", reason),
		"mark-payment-authorized": operation("invoice", "mark-authorized", reason),
		"refund-order": func(actor *client) *answer {
			order, _ := c.paidBy("card")
			return actor.Post("/v1/orders/"+order+"/refund", amount("1.00"))
		},
		"complete-order": func(actor *client) *answer {
			order, _ := c.paidBy("card")
			return actor.Post("/v1/orders/"+order+"/complete", nil)
		},
		"resolve-case": func(actor *client) *answer {
			_, open := held()
			return actor.Post("/v1/cases/"+open+"/resolve", map[string]any{"resolution": "checked", "reason": "Ann Person says so"})
		},
		"replay-notification": func(actor *client) *answer {
			kept, _ := held()
			return actor.Post("/v1/notifications/"+kept+"/replay", nil)
		},
		"add-note": func(actor *client) *answer {
			return actor.Post("/v1/orders/"+c.Order()+"/notes", map[string]any{"text": "Ann Person called"})
		},
		"issue-gift-card": func(actor *client) *answer {
			return actor.Post("/v1/gift-cards", map[string]any{"amount": "50.00", "currency": "EUR", "code": "GIFT-0001-OLD1"})
		},
		"deactivate-gift-card": func(actor *client) *answer { return actor.Post("/v1/gift-cards/"+card()+"/deactivate", nil) },
		"activate-gift-card": func(actor *client) *answer {
			id := card()
			c.Post("/v1/gift-cards/"+id+"/deactivate", nil).Is(http.StatusOK)
			return actor.Post("/v1/gift-cards/"+id+"/activate", nil)
		},
		"create-webhook-endpoint": func(actor *client) *answer { return actor.Post("/v1/webhook-endpoints", url) },
		"change-webhook-endpoint": func(actor *client) *answer {
			return actor.Send(http.MethodPatch, "/v1/webhook-endpoints/"+endpoint(), map[string]any{"active": false})
		},
		"delete-webhook-endpoint": func(actor *client) *answer {
			return actor.Send(http.MethodDelete, "/v1/webhook-endpoints/"+endpoint(), nil)
		},
		"rotate-webhook-secret": func(actor *client) *answer {
			return actor.Post("/v1/webhook-endpoints/"+endpoint()+"/rotate-secret", nil)
		},
		"redeliver-event": func(actor *client) *answer {
			endpoint()
			order, err := payment.ParseOrderID(c.Order())
			require.NoError(b.t, err)
			return actor.Post("/v1/events/"+payment.EventID{Order: order, N: 1}.String()+"/redeliver", nil)
		},
		"retry-job": func(actor *client) *answer { return actor.Post("/v1/jobs/job_812/retry", nil) },
	}
}

// audit takes over all events of store demo and returns its audit, which holds.
func (b *bundle) audit() []payment.AuditEntry {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		_, _, err := b.Store.AuditEvents(b.t.Context(), "demo", 1000)
		require.NoError(b.t, err)
		report, err := b.Store.VerifyAudit(b.t.Context(), "demo", payment.AuditHead{})
		require.NoError(b.t, err)
		require.True(b.t, report.Holds(), "%+v", report)
		return report.Behind == 0
	}, 20*time.Second, 20*time.Millisecond, "a transaction of any database of the server holds events back")
	entries, err := b.Store.ListAudit(b.t.Context(), "demo", payment.OrderID{}, 0, 1000)
	require.NoError(b.t, err)
	return entries
}

func TestWhoeverChangesSomethingStandsInTheAudit(t *testing.T) {
	t.Parallel()
	b := boot(t)
	changes := b.changes(b.Client())
	actors := map[string]string{}
	for _, op := range operations(t) {
		change, audited := changes[op.ID]
		_, not := unaudited[op.ID]
		switch {
		case op.Method == http.MethodGet:
			require.False(t, audited || not, "%s only reads", op)
		case !assert.NotEqual(t, audited, not, "%s: say in changes how it succeeds, or in unaudited why it leaves no entry", op), not:
		default:
			secret, key := b.Key("demo")
			a := change(b.As(secret))
			require.Less(t, a.Status, 300, "%s: %s", op, a.Body)
			actors[key.ID] = op.ID
			delete(changes, op.ID)
		}
	}
	require.Empty(t, changes, "operations that there are not")
	for _, e := range b.audit() {
		delete(actors, e.Actor)
	}
	require.Empty(t, actors, "keys whose changes stand nowhere")
}

func TestTheAuditHoldsNoSecretAndNothingAboutAPerson(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	for name, change := range b.changes(c) {
		require.Less(t, change(c).Status, 300, name)
	}
	order := c.Order()
	c.Pay(order, "debit", map[string]any{"holder": "Ann Person", "iban": "DE02120300000000202051"})
	entries := b.audit()
	worded := slices.Clone(entries)
	for i := range worded {
		worded[i].Sequence, worded[i].Hash, worded[i].Digest = 0, nil, nil // random digits may be anything
	}
	text, err := json.Marshal(worded)
	require.NoError(t, err)
	for _, secret := range []string{
		"Person", "example.org", "203.0.113.9", "Utrecht", "hunter", "shop.example", "OLD1", "DE02", "2051", "Statement", "whsec_", "paysk_", c.key, "till",
	} {
		require.NotContains(t, string(text), secret)
	}
	require.True(t, slices.ContainsFunc(entries, func(e payment.AuditEntry) bool {
		return e.Actor == payment.ActorPSP && e.Source == "notification" && strings.HasPrefix(e.Action, "case.")
	}), "what a notification brings is the PSP's word")
}
