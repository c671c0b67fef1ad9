package simulation

import (
	"fmt"
	"math/big"
	"time"
)

// bookEntry is a line of a gift card's ledger. Card is how its code ends.
type bookEntry struct {
	Card, Currency, Kind     string
	N                        int
	Reference, Taken         string
	Amount, Initial, Balance int64
	At                       time.Time
}

// readCards adds what was done with gift cards to the ledger of the PSP: to our books
// they are one, with a ledger of their own.
func (h *history) readCards(b *books) {
	b.cards = rowsOf[bookEntry](h, `select c.last4, c.currency, e.kind, e.n, coalesce(e.reference, ''), coalesce(e.taken_reference, ''),
		e.amount, c.initial, c.balance, e.at from gift_card_entries e join gift_cards c on c.store = e.store and c.id = e.card
		order by c.last4, e.n`)
	for _, e := range b.cards {
		line := entry{
			Operation: "charge", Reference: e.Reference, Amount: major(-e.Amount, e.Currency), Currency: e.Currency, State: "approved",
			ID: fmt.Sprintf("%s-%d", e.Card, e.N), Payment: e.Reference, Account: "gift-card",
		}
		switch e.Kind {
		case "issue":
			continue
		case "return":
			line.Operation, line.Amount, line.Payment = "refund", major(e.Amount, e.Currency), e.Taken
		}
		h.ledger = append(h.ledger, line)
	}
}

// checkCards: what is missing on a card is what orders hold of it (I22), and nobody
// pays with one that is blocked.
func (h *history) checkCards(b *books) {
	put, left, gone := map[string]int64{}, map[string]int64{}, map[string]int64{}
	for _, e := range b.cards {
		if e.Kind == "issue" {
			put[e.Card] += e.Amount
		}
		left[e.Card] += e.Amount
		if t := b.transactions[e.Reference]; e.Kind == "take" && t != nil {
			gone[e.Card] += t.payment.Captured - t.payment.Refunded
		}
		if e.Initial != put[e.Card] || left[e.Card] < 0 || left[e.Card] > e.Initial {
			h.violate("I22", "of %d on a card, %d are left by entry %d", e.Initial, left[e.Card], e.N)
		}
		if c := h.cardIn(e); c == nil {
			h.violate("I8", "there is a card of %d %s that the shop does not know", e.Initial, e.Currency)
		} else if e.Kind == "take" && c.blockedAt(e.At) {
			h.violate("I9", "%s took from a card that was blocked", e.Reference)
		}
	}
	for _, e := range b.cards {
		if e.Kind == "issue" && (e.Balance != left[e.Card] || e.Initial-e.Balance != gone[e.Card]) {
			h.violate("I22", "of %d on a card %d are left, its ledger says %d, and orders hold %d of it", e.Initial, e.Balance,
				left[e.Card], gone[e.Card])
		}
	}
	for _, c := range h.cards {
		if _, there := put[c.last4()]; c.id != "" && !there {
			h.violate("I3", "the shop was told of a card of %s %s, and there is none", c.amount, c.currency)
		}
	}
}

// cardIn is the card of an entry as the shop knows it.
func (h *history) cardIn(e bookEntry) *giftCard {
	for _, c := range h.cards {
		if c.last4() == e.Card && c.currency == e.Currency && minor(c.amount, c.currency) == e.Initial {
			return c
		}
	}
	return nil
}

func (c *giftCard) last4() string { return c.code[len(c.code)-4:] }

func (c *giftCard) blockedAt(at time.Time) bool {
	for _, s := range c.blocked {
		if at.After(s.from) && (s.to.IsZero() || at.Before(s.to)) {
			return true
		}
	}
	return false
}

// major is minor the other way round.
func major(n int64, currency string) string {
	digits := len(fmt.Sprint(minor("1", currency))) - 1
	return new(big.Rat).SetFrac(big.NewInt(n), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(digits)), nil)).FloatString(digits)
}
