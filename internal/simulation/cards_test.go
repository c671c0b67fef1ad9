package simulation

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// giftCard is a gift card as the shop and its shoppers know it.
type giftCard struct {
	code, amount, currency string

	mu sync.Mutex
	id string // "" until an instance has told
	// blocked are the times within which nobody can pay with it, as far as the shop
	// was told; unsure tells that it was not told of a block, or of the end of one.
	blocked []span
	unsure  bool
}

// span is a time; to is zero while it lasts.
type span struct{ from, to time.Time }

// noCard is a code of no card.
const noCard = "GIFT-0000-NONE"

// makeCards are the gift cards of a history: none in every other one. Several orders
// may be paid with one.
func (h *history) makeCards(rng *rand.Rand) {
	if rng.IntN(2) == 0 {
		return
	}
	for n := range 1 + rng.IntN(2) {
		c := &giftCard{code: fmt.Sprintf("GIFT-0000-000%d", n+1), amount: fmt.Sprintf("%d.%02d", 5+rng.IntN(500), rng.IntN(100)), currency: "EUR"}
		if rng.IntN(8) == 0 {
			c.amount, c.currency = fmt.Sprint(1+rng.IntN(100000)), "JPY"
		}
		h.cards = append(h.cards, c)
	}
	h.act("till", h.keepCards)
}

// anyCode is what a shopper types.
func (h *history) anyCode(rng *rand.Rand) map[string]any {
	code := noCard
	if rng.IntN(10) > 0 {
		code = h.cards[rng.IntN(len(h.cards))].code
	}
	return map[string]any{"code": code}
}

// keepCards is the till of the shop: it issues the cards, and blocks one now and then.
func (h *history) keepCards(ctx context.Context) {
	rng := h.rng(whoIn(ctx))
	for _, c := range h.cards {
		h.issue(ctx, rng, c)
	}
	for range rng.IntN(5) {
		pause(rng, 30*time.Second)
		if c := h.cards[rng.IntN(len(h.cards))]; c.id != "" {
			h.turn(ctx, rng, c)
		}
	}
}

// issue has a card issued, and asks until there is an answer.
func (h *history) issue(ctx context.Context, rng *rand.Rand, c *giftCard) {
	for range 8 {
		x := h.send(ctx, http.MethodPost, "/v1/gift-cards", "issue "+c.code, map[string]any{
			"amount": c.amount, "currency": c.currency, "code": c.code,
		})
		if x.status == http.StatusCreated {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.id = x.said.ID
			return
		}
		if x.status == http.StatusUnprocessableEntity || x.said.Code == "gift_cards_not_configured" {
			h.violate("harness", "no gift card is issued: %s", x.body)
		}
		pause(rng, 5*time.Second)
	}
}

// turn blocks a card, ends its block, or asks what is on it.
func (h *history) turn(ctx context.Context, rng *rand.Rand, c *giftCard) {
	path := "/v1/gift-cards/" + c.id
	switch rng.IntN(5) {
	case 0, 1, 2:
		x := h.send(ctx, http.MethodPost, path+"/deactivate", "", nil)
		if c.unsure = c.unsure || x.status != http.StatusOK; !c.unsure {
			c.blocked = append(c.blocked, span{from: time.Now()})
		}
	case 3:
		if n := len(c.blocked); n > 0 && c.blocked[n-1].to.IsZero() {
			c.blocked[n-1].to = time.Now()
		}
		x := h.send(ctx, http.MethodPost, path+"/activate", "", nil)
		c.unsure = c.unsure || x.status != http.StatusOK
	default:
		h.send(ctx, http.MethodPost, "/v1/gift-cards/balance", "", map[string]any{"code": c.code})
	}
}
