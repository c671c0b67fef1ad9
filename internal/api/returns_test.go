package api_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/api"
	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// asBrowser is what a browser says that it takes.
var asBrowser = []string{"Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}

// ours leaves the shopper with our page: the shop gave no address of its own.
var ours = map[string]any{"return_urls": nil}

// Slug names an order in the addresses of its pages.
func (b *bundle) Slug(order string) string {
	b.t.Helper()
	id, err := payment.ParseOrderID(order)
	require.NoError(b.t, err)
	o, err := b.Store.ReadOrder(b.t.Context(), "", id)
	require.NoError(b.t, err)
	return o.ReturnSlug()
}

// page opens a page of an order in a browser.
func (b *bundle) page(kind, order string) *answer {
	b.t.Helper()
	return b.As("").Get("/"+kind+"/"+b.Slug(order), asBrowser...)
}

// reads requires a page of HTML with these words.
func (a *answer) reads(words ...string) {
	a.t.Helper()
	require.Equal(a.t, "text/html; charset=utf-8", a.Header.Get("Content-Type"))
	for _, w := range words {
		require.Contains(a.t, string(a.Body), w)
	}
}

func (a *answer) readsNot(words ...string) {
	a.t.Helper()
	for _, w := range words {
		require.NotContains(a.t, string(a.Body), w)
	}
}

const (
	notCharged = "not been charged"
	renews     = `http-equiv="refresh"`
)

func TestAShopperReadsWhereTheOrderStands(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	paid := func(method, scenario string) string {
		id := c.Order(ours)
		var data map[string]any
		if scenario != "" {
			data = map[string]any{"scenario": scenario}
		}
		c.Pay(id, method, data)
		return id
	}
	cancelled := func(id string) string {
		c.Post("/v1/orders/"+id+"/cancel", map[string]any{"reason": "changed their mind", "release": "none"}).Is(http.StatusOK)
		return id
	}
	refunded := func(id string) string {
		b.notify(c.Get("/v1/orders/"+id).Text("payments.0.transactions.0.reference"), map[string]any{"event": "refunded", "amount": "129.95", "currency": "EUR"})
		require.Eventually(t, func() bool { return c.Get("/v1/orders/"+id).Text("payment_status") == "refunded" }, 10*time.Second, 10*time.Millisecond)
		return id
	}
	free := map[string]any{"total": "0.00", "lines": nil, "shipping": nil, "tax": nil, "return_urls": nil}
	for _, row := range []struct {
		name, order string
		words, not  []string
	}{
		{"paid", paid("card", ""), []string{"Thank you", "Your payment has been received."}, []string{notCharged, renews}},
		{"authorized", paid("card-manual", ""), []string{"Thank you", "Your payment has been received."}, []string{notCharged, renews}},
		{"free of charge", c.PaidOrder(free), []string{"Thank you", "0.00 EUR"}, []string{notCharged}},
		{"declined", paid("card", "decline"), []string{"Not paid", "You have not been charged.", "Go back to the shop to try again"}, []string{renews}},
		{"not sent", paid("card", "refuse_before_send"), []string{"Not paid", "You have not been charged."}, nil},
		{"unknown", paid("card", "timeout_no_charge"), []string{"One moment", "no need to pay again", renews}, []string{notCharged, "try again"}},
		{"at the PSP", paid("wallet", ""), []string{"Not paid yet", renews}, []string{notCharged, "being confirmed"}},
		{"by transfer", paid("invoice", ""), []string{"Order received", "Please transfer 129.95 EUR"}, []string{notCharged, renews}},
		{"another amount", paid("card", "wrong_amount"), []string{"Being checked", "ask the shop before you pay again"}, []string{notCharged, "try again"}},
		{"not begun", c.Order(ours), []string{"Not paid yet", "No payment has been made"}, []string{renews}},
		{"cancelled", cancelled(c.Order(ours)), []string{"Order cancelled", "You have not been charged."}, []string{renews, "try again"}},
		{"cancelled and paid", cancelled(paid("card", "")), []string{"Order cancelled", "ask the shop about your payment"}, []string{notCharged, "try again"}},
		{"refunded", refunded(paid("card", "")), []string{"Refunded"}, []string{notCharged, "Thank you"}},
	} {
		t.Run(row.name, func(t *testing.T) {
			a := b.page("order-status", row.order).Is(http.StatusOK)
			a.reads(append(row.words, "Demo shop", "EUR")...)
			a.readsNot(append(row.not, "a@example.org", "<script")...)
		})
	}
	expired := c.Order(ours, map[string]any{"expires_at": b.Clock.Now().Add(time.Hour).Format(time.RFC3339)})
	b.Clock.Advance(2 * time.Hour)
	b.page("order-status", expired).Is(http.StatusOK).reads("Not paid", "The time to pay for this order has passed.", "order again")
}

func TestAPageThatWaitsLongAsksRarely(t *testing.T) {
	t.Parallel()
	b := boot(t)
	id := b.Client().Order(ours)
	b.Client().Pay(id, "card", map[string]any{"scenario": "timeout_no_charge"})
	b.page("order-status", id).reads(`content="3;url=/order-status/` + b.Slug(id))
	b.Clock.Advance(2 * time.Minute)
	b.page("order-status", id).reads(`content="15;url=`)
	b.Clock.Advance(20 * time.Minute)
	b.page("order-status", id).reads(`content="60;url=`)
}

func TestAShopperWhoComesBackGoesOnToTheShop(t *testing.T) {
	t.Parallel()
	b := boot(t)
	c := b.Client()
	declined, cancelled, open := c.Order(), c.Order(), c.Order()
	c.Pay(declined, "card", map[string]any{"scenario": "decline"}).Is(http.StatusPaymentRequired)
	c.Post("/v1/orders/"+cancelled+"/cancel", map[string]any{"reason": "sold out"}).Is(http.StatusOK)
	c.Pay(open, "wallet", nil).Is(http.StatusOK)
	paid := c.PaidOrder()
	const thanks, oops = "https://shop.example/thanks?", "https://shop.example/oops?"
	for _, row := range []struct{ page, order, target string }{
		{"order-submit", paid, thanks},
		{"order-failed", paid, thanks},
		{"order-submit", open, thanks},
		{"order-failed", open, oops},
		{"order-submit", declined, oops},
		{"order-failed", declined, oops},
		{"order-submit", cancelled, oops},
	} {
		for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
			a := b.As("").Send(method, "/"+row.page+"/"+b.Slug(row.order), nil, asBrowser...).Is(http.StatusSeeOther)
			assert.True(t, strings.HasPrefix(a.Header.Get("Location"), row.target), "%s %s: %s", method, row.page, a.Header.Get("Location"))
			assert.Contains(t, a.Header.Get("Location"), "order_id="+row.order)
		}
	}
	b.page("order-status", paid).reads(`href="https://shop.example/thanks?order=`, "Back to the shop")
	b.page("order-status", declined).reads(`href="https://shop.example/oops?order=`)
}

func TestAShopperWithABadLinkGetsAPage(t *testing.T) {
	t.Parallel()
	b := boot(t)
	first, second := b.Slug(b.Client().Order()), b.Slug(b.Client().Order())
	foreign := first[:len(first)-10] + second[len(second)-10:]
	for _, kind := range []string{"/order-submit", "/order-failed", "/order-status"} {
		for _, link := range []string{"", "/", "/x", "/" + foreign, "/" + first[:20], "/" + first + "0", "/" + first + "/x"} {
			a := b.As("").Get(kind+link, asBrowser...).Is(http.StatusNotFound)
			a.reads("Page not found", "This link does not lead to an order.", "Go back to the shop", a.Header.Get("X-Request-Id"))
			require.Equal(t, "Accept", a.Header.Get("Vary"))
			for _, program := range [][]string{nil, {"Accept", "*/*"}, {"Accept", "application/json"}} {
				b.As("").Get(kind+link, program...).Refused(http.StatusNotFound, "not_found")
			}
		}
	}
}

// failing is a service whose orders cannot be read.
type failing struct {
	api.Moments
	err error
}

func (f failing) OrderOfSlug(context.Context, string) (*payment.Order, error) { return nil, f.err }

func TestAShopperIsAskedToTryAgainWhenWeAreInTrouble(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		name         string
		err          error
		status       int
		code, wait   string
		refreshAfter string
	}{
		{"the database is away", payment.Errorf(payment.KindUnavailable, "database_unavailable", "try again"), 503, "database_unavailable", "5", `content="5"`},
		{"a bug", errors.New("secret words of a bug"), 500, "internal", "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			b := boot(t, func(d *api.Deps) { d.Moments = failing{d.Moments, row.err} })
			for _, kind := range []string{"/order-submit/", "/order-failed/", "/order-status/"} {
				a := b.As("").Get(kind+"x", asBrowser...).Is(row.status)
				a.reads("Something went wrong", "Please try again in a moment.", "do not pay again before", row.refreshAfter)
				a.readsNot("secret", row.code, notCharged)
				require.Equal(t, row.wait, a.Header.Get("Retry-After"))
				require.Equal(t, row.refreshAfter != "", strings.Contains(string(a.Body), renews))
				b.As("").Get(kind+"x").Refused(row.status, row.code)
			}
		})
	}
}

func TestAShopperWhoHammersIsAskedToWait(t *testing.T) {
	t.Parallel()
	b := boot(t, func(d *api.Deps) { d.Limits = httpkit.RateLimits{PerIP: 2, Window: time.Hour} })
	for range 2 {
		b.As("").Get("/order-status/x", asBrowser...).Is(http.StatusNotFound)
	}
	a := b.As("").Get("/order-status/x", asBrowser...).Is(http.StatusTooManyRequests)
	a.reads("Too many requests", renews)
	require.NotEmpty(t, a.Header.Get("Retry-After"))
	b.As("").Get("/order-status/x").Refused(http.StatusTooManyRequests, "rate_limited")
}

func TestPagesAreClosedToEverythingElse(t *testing.T) {
	t.Parallel()
	b := boot(t)
	id := b.Client().PaidOrder(ours)
	for _, path := range []string{"/order-status/" + b.Slug(id), "/order-submit/" + b.Slug(id), "/order-failed/" + b.Slug(id), "/order-submit/x"} {
		a := b.As("").Get(path, asBrowser...)
		policy := a.Header.Get("Content-Security-Policy")
		require.Contains(t, policy, "default-src 'none'")
		require.NotContains(t, policy, "script-src")
		require.Contains(t, policy, "frame-ancestors 'none'")
		require.Equal(t, "no-referrer", a.Header.Get("Referrer-Policy"))
		require.Equal(t, "no-store", a.Header.Get("Cache-Control"))
		head := b.As("").Send(http.MethodHead, path, nil, asBrowser...).Is(a.Status)
		require.Equal(t, a.Header.Get("Content-Type"), head.Header.Get("Content-Type"))
		require.Empty(t, head.Body)
	}
	named := b.Client().Order(ours, map[string]any{"number": `<b>&"x"`})
	b.page("order-status", named).readsNot(`<b>`)
}

func TestTheBareAddressLeadsToTheDocument(t *testing.T) {
	t.Parallel()
	b := boot(t)
	for _, method := range []string{http.MethodGet, http.MethodHead} {
		require.Equal(t, "/docs", b.As("").Send(method, "/", nil).Is(http.StatusSeeOther).Header.Get("Location"))
	}
	b.As("").Get("/docs").Is(http.StatusOK).reads("paysvc API")
}
