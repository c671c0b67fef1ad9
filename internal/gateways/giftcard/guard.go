package giftcard

import (
	"context"
	"errors"
	"net/netip"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// Codes is where gift cards are found by their codes: to be paid with, or to be
// looked at.
type Codes interface {
	gateways.GiftCards
	GiftCardByCode(ctx context.Context, l payment.GiftCardLookup) (payment.GiftCard, error)
}

// Guard stands before the gift cards of all stores, so that nobody finds one by
// guessing codes, over many orders or without any. It counts the codes that were
// none, and looks up no more where there were too many: the error is
// payment.ErrGiftCardTries then, for a code that exists too. It counts in memory, as
// rate limits do: each instance for itself.
type Guard struct {
	Codes
	now func() time.Time
	log zerolog.Logger

	mu     sync.Mutex
	stores map[string]*tries
}

// NewGuard makes a guard of cards. What it logs names a store, and nobody.
func NewGuard(cards Codes, now func() time.Time, log zerolog.Logger) *Guard {
	return &Guard{Codes: cards, now: now, log: log, stores: make(map[string]*tries)}
}

// TakeFromGiftCard implements gateways.GiftCards.
func (g *Guard) TakeFromGiftCard(ctx context.Context, t payment.GiftCardTaking) (entry payment.GiftCardEntry, err error) {
	err = g.watch(t.Store, t.Shopper, func() error {
		entry, err = g.Codes.TakeFromGiftCard(ctx, t)
		return err
	})
	return entry, err
}

// GiftCardByCode implements Codes.
func (g *Guard) GiftCardByCode(ctx context.Context, l payment.GiftCardLookup) (card payment.GiftCard, err error) {
	err = g.watch(l.Store, netip.Addr{}, func() error { // a server of the shop asks, for anybody
		card, err = g.Codes.GiftCardByCode(ctx, l)
		return err
	})
	return card, err
}

// watch looks a code up, unless too many were none. Of lookups that are under way
// each may turn out to be of no card: they count until it is known.
func (g *Guard) watch(store string, shopper netip.Addr, lookUp func() error) error {
	who := known(shopper)
	if err := g.admit(store, who); err != nil {
		return err
	}
	missed := false
	defer func() { g.settle(store, who, missed) }()
	err := lookUp()
	missed = isMiss(err)
	return err
}

// isMiss tells that no card was found. One whose key is missing is not found either:
// whoever looks sees no difference to a wrong code, and could go on with those.
func isMiss(err error) bool {
	return errors.Is(err, payment.ErrGiftCardInvalid) || errors.Is(err, payment.ErrGiftCardNotFound) ||
		errors.Is(err, payment.ErrGiftCardsKeyed)
}

func (g *Guard) admit(store string, who netip.Prefix) error {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now()
	t := g.stores[store]
	if t == nil {
		t = newTries(now)
		g.stores[store] = t
	}
	t.slide(now)
	limit := t.exceeded(now, who)
	if limit == "" {
		t.open.add(who, 1)
		return nil
	}
	if !t.warned[limit] {
		t.warned[limit] = true
		g.log.Warn().Str("store", store).Str("limit", string(limit)).Dur("window", triesWindow).
			Msg("codes of gift cards are being guessed: for a while no more are looked up")
	}
	return payment.ErrGiftCardTries
}

func (g *Guard) settle(store string, who netip.Prefix, missed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	t := g.stores[store]
	t.open.add(who, -1)
	if missed {
		t.slide(g.now())
		t.missed.add(who, 1)
	}
}
