package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"time"
)

// shopOrder is an order as its shop knows it.
type shopOrder struct {
	name string // number of the order
	// later tells of a shop that takes the money of cards only once it ships.
	later bool

	mu sync.Mutex
	id string // "" until an instance has told
	// kept tells that a merchant wanted to keep the money of the order as it is
	// cancelled, and returned that the order was cancelled and its money is to be
	// given back.
	kept, returned bool
}

func (o *shopOrder) keep() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = true
}

func (o *shopOrder) giveBack() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.returned = true
}

func (o *shopOrder) learn(id string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.id = id
}

// path is where the order is in the API; "" while nobody knows.
func (o *shopOrder) path(below string) string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.id == "" {
		return ""
	}
	return "/v1/orders/" + o.id + below
}

// people are the actors of the history: shoppers with their tabs, and merchants.
func (h *history) people() {
	rng := h.rng("people")
	h.makeCards(h.rng("cards"))
	h.beginEndpoints()
	for n := range 1 + rng.IntN(3) {
		o := &shopOrder{name: fmt.Sprintf("N-%d", n+1), later: rng.IntN(6) == 0}
		h.orders = append(h.orders, o)
		tabs := 1 + rng.IntN(5)/3 // mostly one, sometimes two at once
		for tab := range tabs {
			h.act(fmt.Sprintf("shopper %d%c", n+1, 'a'+tab), func(ctx context.Context) { h.shop(ctx, o) })
		}
		if rng.IntN(3) == 0 || o.later {
			h.act(fmt.Sprintf("merchant %d", n+1), func(ctx context.Context) { h.manage(ctx, o) })
		}
	}
	if h.plan.on[classForged] || h.plan.on[classLies] || h.plan.on[classFlips] || h.plan.on[classDesk] {
		h.act("forger", h.forge)
	}
	if h.plan.on[classStrange] {
		h.act("stranger", h.strange)
	}
}

// content is what the shop sends for an order. Every tab sends the same.
func (h *history) content(o *shopOrder) map[string]any {
	rng := h.rng("content of " + o.name)
	total, currency := fmt.Sprintf("%d.%02d", 1+rng.IntN(300), rng.IntN(100)), "EUR"
	switch rng.IntN(8) {
	case 0:
		total, currency = fmt.Sprint(1+rng.IntN(90000)), "JPY"
	case 1:
		total, currency = fmt.Sprintf("%d.%03d", 1+rng.IntN(300), rng.IntN(1000)), "KWD"
	}
	body := map[string]any{
		"number": o.name, "currency": currency, "total": total,
		"lines":     []map[string]any{{"sku": "A-1", "name": "Lamp", "quantity": 1, "unit_price": total, "total": total}},
		"customer":  map[string]any{"id": "c-1", "email": "a@example.org"},
		"basket_id": "b-" + o.name, "promotion_codes": []string{"SUMMER"},
		"return_urls": map[string]any{"success": "https://shop.example/thanks", "failure": "https://shop.example/oops"},
	}
	most := []int{3, 90}[rng.IntN(2)] // some are over while somebody pays
	body["expires_at"] = h.trace.began.Add(time.Duration(1+rng.IntN(most)) * time.Minute).Format(time.RFC3339)
	return body
}

// shop is a shopper in a tab of the browser: makes the order, and pays it, or tries.
func (h *history) shop(ctx context.Context, o *shopOrder) {
	rng := h.rng(whoIn(ctx))
	pause(rng, 2*time.Second)
	h.create(ctx, o, rng)
	if o.path("") == "" {
		return
	}
	for attempt := range 1 + rng.IntN(3) {
		paid := h.pay(ctx, o, rng, fmt.Sprintf("%s %d", whoIn(ctx), attempt))
		if paid && rng.IntN(4) > 0 {
			break
		}
		pause(rng, 40*time.Second)
	}
}

// create makes the order, and asks until there is an answer.
func (h *history) create(ctx context.Context, o *shopOrder, rng *rand.Rand) {
	key := "create " + whoIn(ctx)
	for range 8 {
		x := h.send(ctx, http.MethodPost, "/v1/orders", key, h.content(o))
		if x.status == http.StatusCreated || x.status == http.StatusOK {
			o.learn(x.said.ID)
			return
		}
		pause(rng, 20*time.Second)
	}
}

// methodsOf are what shoppers pay with: card payments are most.
var methodsOf = []string{"card", "card", "card", "card-two", "card-manual", "wallet", "wallet", "invoice"}

// scenarios are how the PSP plays a card payment; the second half only where the
// PSP may misbehave.
var (
	plainScenarios = []string{"approve", "approve", "approve", "decline", "insufficient_funds", "lost_card", "pending_then_approve", "pending_then_decline"}
	oddScenarios   = []string{
		"approve", "wrong_amount", "wrong_currency", "timeout_after_charge", "timeout_no_charge", "error_after_charge",
		"html_502_after_charge", "garbage", "no_echo", "slow", "refuse_before_send", "action_required",
	}
)

// pay tries to pay once, and repeats the request for as long as its outcome is not
// known. It tells whether the shop took the order to be paid.
func (h *history) pay(ctx context.Context, o *shopOrder, rng *rand.Rand, key string) bool {
	method := methodsOf[rng.IntN(len(methodsOf))]
	if len(h.cards) > 0 && rng.IntN(3) == 0 {
		method = "gift-card"
	}
	if o.later && strings.HasPrefix(method, "card") {
		method = "card-manual"
	}
	body := map[string]any{"method": method}
	if method == "gift-card" {
		body["data"] = h.anyCode(rng)
	}
	if strings.HasPrefix(method, "card") {
		scenarios := plainScenarios
		if h.plan.on[classOdd] && rng.IntN(2) == 0 {
			scenarios = oddScenarios
		}
		body["data"] = map[string]any{"scenario": scenarios[rng.IntN(len(scenarios))]}
	}
	if rng.IntN(6) == 0 || len(h.cards) > 0 && rng.IntN(8) == 0 {
		body = h.split(rng)
	}
	path := o.path("/pay")
	for range 2 + rng.IntN(5) {
		x := h.send(ctx, http.MethodPost, path, key, body)
		switch {
		case x.said.NextAction != nil && x.said.NextAction.URL != "":
			return h.visit(ctx, o, rng, x.said.NextAction.URL)
		case x.status == http.StatusOK:
			if rng.IntN(3) == 0 {
				h.send(ctx, http.MethodPost, path, key, body) // a double click
			}
			return true
		case x.status == http.StatusPaymentRequired:
			if rng.IntN(3) == 0 {
				h.send(ctx, http.MethodPost, path, key, body)
			}
			return false
		case x.status == http.StatusConflict && x.said.Code != "idempotency_in_progress":
			return false
		}
		if rng.IntN(12) == 0 { // the same key for another request
			h.send(ctx, http.MethodPost, path, key, map[string]any{"method": "wallet"})
		}
		pause(rng, 30*time.Second)
	}
	return false
}

// split pays with two cards, a card and something that comes last, or a gift card
// and something for the rest, or the other way round.
func (h *history) split(rng *rand.Rand) map[string]any {
	part := func(method string) map[string]any {
		p := map[string]any{"method": method}
		if strings.HasPrefix(method, "card") {
			p["data"] = map[string]any{"scenario": []string{"approve", "approve", "decline", "slow"}[rng.IntN(4)]}
		}
		if method == "gift-card" {
			p["data"] = h.anyCode(rng)
		}
		return p
	}
	first, last := []string{"card", "card-manual"}, []string{"card-two", "card", "wallet", "invoice"}
	if len(h.cards) > 0 {
		first, last = append(first, "gift-card", "gift-card"), append(last, "gift-card")
	}
	one, other := part(first[rng.IntN(len(first))]), part(last[rng.IntN(len(last))])
	one["amount"] = fmt.Sprint(1 + rng.IntN(20))
	return map[string]any{"payments": []any{one, other}}
}

// visit is the shopper on the PSP's page, and on the way back.
func (h *history) visit(ctx context.Context, o *shopOrder, rng *rand.Rand, page string) bool {
	pause(rng, time.Minute)
	buttons := []string{"pay", "pay", "pay", "decline", "cancel", ""}
	button := buttons[rng.IntN(len(buttons))]
	if button == "" {
		return false // the tab is closed
	}
	back := h.press(ctx, page, button)
	if rng.IntN(6) == 0 {
		h.press(ctx, page, "pay") // once more, in another tab
	}
	if back == "" || rng.IntN(4) == 0 {
		return false
	}
	if rng.IntN(8) == 0 { // whatever the browser asks for decides nothing
		back = strings.NewReplacer("order-submit", "order-failed", "order-failed", "order-submit").Replace(back)
	}
	h.send(ctx, http.MethodGet, back, "", nil)
	return button == "pay"
}

// press presses a button on the PSP's page. It returns where the shopper is sent.
func (h *history) press(ctx context.Context, page, button string) string {
	if h.sched.pass(&gate{who: whoIn(ctx), what: "presses " + button}, nil) == died {
		return ""
	}
	u, err := url.Parse(page)
	if err != nil {
		h.violate("harness", "%v", err)
		return ""
	}
	req := httptest.NewRequestWithContext(ctx, http.MethodPost, u.Path, strings.NewReader("action="+button))
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	recorder := httptest.NewRecorder()
	h.psp.Handler().ServeHTTP(recorder, req)
	return strings.TrimPrefix(recorder.Header().Get("Location"), ourURL)
}

// pause lets up to so much time pass.
func pause(rng *rand.Rand, most time.Duration) {
	time.Sleep(time.Duration(1 + rng.Int64N(int64(most))))
}
