package e2e_test

import (
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

const returnURLs = `, "return_urls": {"success": "https://shop.example/thanks", "failure": "https://shop.example/oops"}`

// browser is a shopper: it shows pages, clicks buttons, and follows where it is
// sent, one step at a time.
type browser struct{ d *devInstance }

// open gets a page of dev's address.
func (b browser) open(address string) answer {
	b.d.shop.t.Helper()
	path, ours := strings.CutPrefix(address, b.d.base)
	require.True(b.d.shop.t, ours, "%s is not at %s", address, b.d.base)
	stranger := newShop(b.d.shop.t, b.d.base, "")
	return stranger.try(http.MethodGet, path, "", "")
}

// click posts the form of a page of the PSP and returns where it leads.
func (b browser) click(page, button string) string {
	t := b.d.shop.t
	t.Helper()
	shown := b.open(page)
	require.Equal(t, http.StatusOK, shown.status)
	require.Contains(t, string(shown.body), `name="action" value="`+button+`"`)
	resp, err := b.d.client.PostForm(page, url.Values{"action": {button}})
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusSeeOther, resp.StatusCode)
	return resp.Header.Get("Location")
}

// returned requires that the shopper is sent to the shop's page with the order.
func (b browser) returned(from, page, number, id string) {
	t := b.d.shop.t
	t.Helper()
	back := b.open(from)
	require.Equal(t, http.StatusSeeOther, back.status, "%s", back.body)
	target, err := url.Parse(back.header.Get("Location"))
	require.NoError(t, err)
	require.Equal(t, page, "https://"+target.Host+target.Path)
	require.Equal(t, url.Values{"order": {number}, "order_id": {id}}, target.Query())
}

// checkout creates an order, begins to pay it with a wallet, and returns the
// order's id and the page of the PSP.
func (d *devInstance) checkout(number, more string) (id, page string) {
	d.shop.t.Helper()
	id = d.newOrder(number, more)
	return id, d.repay(id, "pay-"+number)
}

func (d *devInstance) repay(id, key string) (page string) {
	d.shop.t.Helper()
	a := d.pay(id, key, "wallet")
	require.Equal(d.shop.t, http.StatusOK, a.status, "%s", a.body)
	p := read[paid](d.shop.t, a)
	require.Equal(d.shop.t, "no", p.MoneyMoved)
	require.NotNil(d.shop.t, p.NextAction)
	require.Equal(d.shop.t, "redirect", p.NextAction.Type)
	return p.NextAction.URL
}

// load puts stock, a promotion code and a basket into the shop.
func (d *devInstance) load() {
	d.shop.t.Helper()
	d.setStock("10")
	d.do(http.StatusOK, http.MethodPut, "/v1/promotion-codes", "", `{"items": [{"code": "SUMMER", "usage_max": 5}]}`)
	d.do(http.StatusNoContent, http.MethodPut, "/v1/baskets/b-9", "", `{"lines": ["A-1"]}`)
}

const loaded = `, "promotion_codes": ["SUMMER"], "basket_id": "b-9"`

func (d *devInstance) promotionsUsed() int {
	d.shop.t.Helper()
	return read[struct{ Used int }](d.shop.t, d.do(http.StatusOK, http.MethodGet, "/v1/promotion-codes/SUMMER", "", "")).Used
}

func (d *devInstance) hasBasket() bool {
	d.shop.t.Helper()
	return d.try(http.MethodGet, "/v1/baskets/b-9", "", "").status == http.StatusOK
}

// mail returns the mail about an order, "" while there is none.
func (d *devInstance) mail(id string) string {
	d.shop.t.Helper()
	found, err := filepath.Glob(filepath.Join(d.folder, "mails", id+"*.eml"))
	require.NoError(d.shop.t, err)
	require.LessOrEqual(d.shop.t, len(found), 1)
	if len(found) == 0 {
		return ""
	}
	text, err := os.ReadFile(found[0])
	require.NoError(d.shop.t, err)
	return string(text)
}

// told is a line of an order's timeline.
type told struct {
	Type        string
	Note        *struct{ Text string }
	Transaction *transaction
	Run         *struct {
		Pipeline, State string
		Steps           []struct{ Step, Result string }
	}
	Notification *struct{ State, Type string }
	Event        *struct{ Type string }
}

func (d *devInstance) timeline(id string) []told {
	d.shop.t.Helper()
	a := d.do(http.StatusOK, http.MethodGet, "/v1/orders/"+id+"/timeline?limit=200", "", "")
	return read[struct{ Data []told }](d.shop.t, a).Data
}

func TestShopperPaysByWallet(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	d.load()
	id, page := d.checkout("10001", loaded+returnURLs)
	require.Equal(t, "pending", d.order(id).Status)
	stream := d.follow(id)
	require.Equal(t, "pending", stream.next().PaymentStatus)

	shopper := browser{d}
	require.Contains(t, string(shopper.open(page).body), "129.95")
	shopper.returned(shopper.click(page, "pay"), "https://shop.example/thanks", "10001", id)

	for standing := stream.next(); standing.PaymentStatus != "paid"; standing = stream.next() {
		require.Equal(t, "pending", standing.PaymentStatus)
	}
	o := d.order(id)
	require.Equal(t, "paid", o.PaymentStatus)
	require.Equal(t, "processing", o.Status)
	require.True(t, o.HasNews, "the operators see that the PSP told something")
	require.Equal(t, "129.95", o.Amounts.Captured)
	require.Equal(t, "0.00", o.Amounts.Due)
	require.Len(t, d.charges(), 1)
	requireStory(t, d.timeline(id))
	require.Contains(t, d.story(id), "waits for the shopper")
	require.Contains(t, d.story(id), "was approved")
	eventually(t, "everything around the order happens", func() bool {
		return d.stock() == 9 && d.promotionsUsed() == 1 && !d.hasBasket() && d.mail(id) != ""
	})
	require.Contains(t, d.mail(id), "a@example.org")
	require.Contains(t, d.mail(id), "10001")
	requireEvents(t, d, id, "order.created", "order.processing", "order.paid", "stock.deduct", "basket.delete", "promotion.track")
}

// story is what the notes of an order's timeline tell people.
func (d *devInstance) story(id string) string {
	d.shop.t.Helper()
	var notes []string
	for _, l := range d.timeline(id) {
		if l.Note != nil {
			notes = append(notes, l.Note.Text)
		}
	}
	return strings.Join(notes, "\n")
}

// requireStory checks that a timeline tells how an order was paid.
func requireStory(t *testing.T, lines []told) {
	t.Helper()
	var pipelines, events []string
	applied := 0
	for _, l := range lines {
		switch l.Type {
		case "transaction":
			require.Equal(t, "approved", l.Transaction.State)
		case "run":
			require.Equal(t, "done", l.Run.State)
			pipelines = append(pipelines, l.Run.Pipeline)
			if l.Run.Pipeline == "pre-process" {
				require.Equal(t, "save-order", l.Run.Steps[0].Step)
			}
		case "notification":
			require.Equal(t, "applied", l.Notification.State)
			applied++
		case "event":
			events = append(events, l.Event.Type)
		}
	}
	require.Subset(t, pipelines, []string{"pre-process", "confirm", "post-process"})
	require.Equal(t, 1, applied)
	require.Contains(t, events, "order.paid")
}

// requireEvents checks that the store is told each of these once.
func requireEvents(t *testing.T, d *devInstance, id string, types ...string) {
	t.Helper()
	counts := map[string]int{}
	for _, l := range d.timeline(id) {
		if l.Event != nil {
			counts[l.Event.Type]++
		}
	}
	for _, kind := range types {
		require.Equal(t, 1, counts[kind], kind)
	}
}

func TestShopperDoesNotPay(t *testing.T) {
	t.Parallel()
	for _, button := range []string{"decline", "cancel"} {
		t.Run(button, func(t *testing.T) {
			t.Parallel()
			d := newDev(t)
			d.load()
			id, page := d.checkout("10001", loaded+returnURLs)
			eventually(t, "the promotion code is counted", func() bool { return d.promotionsUsed() == 1 })

			shopper := browser{d}
			back := shopper.click(page, button)
			shopper.returned(back, "https://shop.example/oops", "10001", id)
			o := d.order(id)
			require.Equal(t, "pending", o.Status, "the order is open to another attempt")
			require.Equal(t, "pending", o.PaymentStatus)
			require.Equal(t, "declined", stateOfOnly(t, o))
			require.Empty(t, d.charges())
			eventually(t, "the promotion code is given back", func() bool { return d.promotionsUsed() == 0 })
			require.Equal(t, 10, d.stock())
			require.Empty(t, d.mail(id))
			story := d.story(id)
			require.Contains(t, story, "waits for the shopper")
			require.Contains(t, story, "was declined")

			// The same page again changes nothing; another attempt pays.
			shopper.returned(back, "https://shop.example/oops", "10001", id)
			shopper.returned(shopper.click(d.repay(id, "again"), "pay"), "https://shop.example/thanks", "10001", id)
			require.True(t, isPaid(d.order(id)))
			require.Len(t, d.charges(), 1)
			eventually(t, "the promotion code is counted again", func() bool { return d.promotionsUsed() == 1 })
			shopper.returned(back, "https://shop.example/thanks", "10001", id) // an order that is paid stays paid
			require.Equal(t, 1, d.promotionsUsed())
		})
	}
}

func TestNothingToPay(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	d.load()
	a := d.do(http.StatusOK, http.MethodPost, "/v1/orders", "create", `{"number": "free", "currency": "EUR", "total": "0.00",
		"discount": "15.00", "lines": [{"sku": "A-1", "name": "Candle", "quantity": 1, "unit_price": "15.00", "total": "15.00"}],
		"customer": {"email": "a@example.org"}, "pay": {}`+loaded+returnURLs+`}`)
	p := read[paid](t, a)
	require.Equal(t, "no", p.MoneyMoved)
	require.Nil(t, p.NextAction)
	require.Equal(t, "paid", p.Order.PaymentStatus)
	require.Equal(t, "processing", p.Order.Status)
	require.True(t, strings.HasPrefix(p.Redirect, "https://shop.example/thanks?"), p.Redirect)
	require.Empty(t, d.charges(), "no PSP was asked")
	eventually(t, "everything around the order happens", func() bool {
		return d.stock() == 9 && d.promotionsUsed() == 1 && !d.hasBasket() && d.mail(p.Order.ID) != ""
	})
}

func TestOnInvoice(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	d.load()
	id := d.newOrder("10001", loaded+returnURLs)
	a := d.pay(id, "pay", "invoice")
	require.Equal(t, http.StatusOK, a.status, "%s", a.body)
	p := read[paid](t, a)
	require.Equal(t, "no", p.MoneyMoved)
	require.NotNil(t, p.NextAction)
	require.Equal(t, "display", p.NextAction.Type)
	require.Contains(t, p.NextAction.Content, "129.95 EUR")
	require.Contains(t, p.NextAction.Content, "10001")
	require.Equal(t, "pending", p.Order.Status)
	require.Equal(t, "pending", p.Order.PaymentStatus)
	require.Empty(t, d.charges())
	eventually(t, "everything around the order happens", func() bool {
		return d.stock() == 9 && d.promotionsUsed() == 1 && !d.hasBasket() && d.mail(id) != ""
	})
	require.Contains(t, d.mail(id), "NL00 DEMO", "the mail says where to transfer the money")
}

func TestShopperComesBackToAPageOfOursWhereTheShopHasNone(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	shopper := browser{d}
	_, page := d.checkout("1", "")
	declined := shopper.open(shopper.click(page, "decline"))
	require.Equal(t, http.StatusOK, declined.status)
	require.Contains(t, declined.header.Get("Content-Type"), "text/html")
	require.Contains(t, string(declined.body), "Not paid")

	id, page := d.checkout("2", "")
	back := shopper.click(page, "pay")
	thanks := shopper.open(back)
	require.Equal(t, http.StatusOK, thanks.status)
	require.Contains(t, string(thanks.body), "Thank you")
	require.Contains(t, string(thanks.body), "129.95")
	require.NotContains(t, string(thanks.body), "a@example.org", "the page shows no personal data")
	require.True(t, isPaid(d.order(id)))

	guess := back[:len(back)-1] + "0"
	if guess == back {
		guess = back[:len(back)-1] + "1"
	}
	require.Equal(t, http.StatusNotFound, shopper.open(guess).status, "nobody can guess the address")
	require.Equal(t, http.StatusNotFound, shopper.open(d.base+"/order-submit/x").status)
}

func TestPagesThatAnyoneCanRequestDecideNothing(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	d.load()
	id, _ := d.checkout("1", loaded+returnURLs)
	require.Equal(t, "pending", d.submit(id).PaymentStatus)
	failed := d.do(http.StatusOK, http.MethodPost, "/v1/orders/"+id+"/failed", "", "")
	o := read[order](t, failed)
	require.Equal(t, "pending", o.Status)
	require.Equal(t, "action_required", stateOfOnly(t, o), "the shopper may still pay")
	require.Empty(t, d.charges())
}

func TestOutOfStockOpensACaseAndKeepsTheMoney(t *testing.T) {
	t.Parallel()
	d := newDev(t)
	d.setStock("0")
	id := d.newOrder("1", "")
	require.Equal(t, http.StatusOK, d.pay(id, "pay", "card").status)
	type openCase struct {
		Kind    string
		OrderID string `json:"order_id"`
	}
	var cases []openCase
	eventually(t, "a person is told", func() bool {
		a := d.do(http.StatusOK, http.MethodGet, "/v1/cases?state=open&kind=out_of_stock", "", "")
		cases = read[struct{ Data []openCase }](t, a).Data
		return len(cases) > 0
	})
	require.Equal(t, []openCase{{"out_of_stock", id}}, cases)
	o := d.order(id)
	require.True(t, isPaid(o))
	require.Equal(t, "processing", o.Status)
	require.NotNil(t, o.Review)
	require.Len(t, d.charges(), 1, "the money stays")
	require.Zero(t, d.stock())
	require.Contains(t, strings.ToLower(d.story(id)), "stock", "the timeline says so")
	review := d.do(http.StatusOK, http.MethodGet, "/v1/orders?needs_review=true", "", "")
	require.Len(t, read[struct{ Data []order }](t, review).Data, 1)
}
