package giftcard_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/giftcard"
	"github.com/paysvc/paysvc/internal/payment"
)

// vault has one card at each store, and counts how often it is asked.
type vault struct {
	gateways.GiftCards
	mu    sync.Mutex
	code  payment.GiftCardCode
	asked int
	// fails, when set, is what became of a code that exists, and misses of one that
	// does not.
	fails, misses error
	// begun, when set, is told of every lookup, which then waits until end is closed.
	begun, end chan struct{}
}

func (v *vault) TakeFromGiftCard(_ context.Context, t payment.GiftCardTaking) (payment.GiftCardEntry, error) {
	if v.begun != nil {
		v.begun <- struct{}{}
		<-v.end
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if t.Code != v.code {
		return payment.GiftCardEntry{}, fmt.Errorf("take: %w", cmp.Or(v.misses, error(payment.ErrGiftCardInvalid)))
	}
	return payment.GiftCardEntry{Reference: t.Reference}, v.fails
}

func (v *vault) GiftCardByCode(_ context.Context, l payment.GiftCardLookup) (payment.GiftCard, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.asked++
	if l.Code != v.code {
		return payment.GiftCard{}, fmt.Errorf("find: %w", cmp.Or(v.misses, error(payment.ErrGiftCardNotFound)))
	}
	return payment.GiftCard{Store: l.Store}, nil
}

// guarded is a vault behind a guard.
type guarded struct {
	*giftcard.Guard
	t     *testing.T
	vault *vault
	now   time.Time
	log   bytes.Buffer
	wrong payment.GiftCardCode
}

func guard(t *testing.T) *guarded {
	t.Helper()
	g := &guarded{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	ids := payment.NewIDs(func() time.Time { return g.now }, rand.NewChaCha8([32]byte{1}))
	g.vault, g.wrong = &vault{code: ids.GiftCardCode()}, ids.GiftCardCode()
	g.Guard = giftcard.NewGuard(g.vault, func() time.Time { return g.now }, zerolog.New(&g.log))
	return g
}

// pay pays at a store with a code, as somebody at an address; "" is not known.
func (g *guarded) pay(store string, code payment.GiftCardCode, from string) error {
	taking := payment.GiftCardTaking{Store: store, Code: code}
	if from != "" {
		taking.Shopper = netip.MustParseAddr(from)
	}
	_, err := g.TakeFromGiftCard(g.t.Context(), taking)
	return err
}

func (g *guarded) look(store string, code payment.GiftCardCode) error {
	_, err := g.GiftCardByCode(g.t.Context(), payment.GiftCardLookup{Store: store, Code: code})
	return err
}

// guess tries so many codes that are none, and returns how many were looked up.
func (g *guarded) guess(times int, store, from string) int {
	g.t.Helper()
	before := g.vault.asked
	for range times {
		if err := g.pay(store, g.wrong, from); err != nil {
			require.Equal(g.t, payment.KindConflict, payment.KindOf(err), "the shopper is told")
		}
	}
	return g.vault.asked - before
}

func TestWhoGuessesFromOneAddressIsStopped(t *testing.T) {
	t.Parallel()
	g := guard(t)
	require.Equal(t, 50, g.guess(200, "demo", "203.0.113.7"))
	err := g.pay("demo", g.vault.code, "203.0.113.7")
	require.ErrorIs(t, err, payment.ErrGiftCardTries, "a code that exists looks like none")
	require.NoError(t, g.pay("demo", g.vault.code, "203.0.113.8"), "nobody else is in the way of that")
	require.NoError(t, g.pay("demo", g.vault.code, ""))
	require.NoError(t, g.look("demo", g.vault.code))
	require.NoError(t, g.pay("other", g.vault.code, "203.0.113.7"), "at another store the same address is another shopper")

	require.Equal(t, 1, strings.Count(g.log.String(), `"level":"warn"`), "once, and not for every try: %s", &g.log)
	require.Contains(t, g.log.String(), `"store":"demo"`)
	require.NotContains(t, g.log.String(), "203.0.113", "nobody is named")
	require.NotContains(t, g.log.String(), g.wrong.Last4())
}

func TestWhatWasTriedIsForgottenAfterAnHour(t *testing.T) {
	t.Parallel()
	g := guard(t)
	require.Equal(t, 50, g.guess(60, "demo", "203.0.113.7"))
	g.now = g.now.Add(59 * time.Minute)
	require.Zero(t, g.guess(60, "demo", "203.0.113.7"))
	g.now = g.now.Add(time.Minute + 30*time.Minute)
	require.Equal(t, 25, g.guess(60, "demo", "203.0.113.7"), "half of it is")
	require.Equal(t, 2, strings.Count(g.log.String(), `"level":"warn"`), "another hour, another warning")
	g.now = g.now.Add(2 * time.Hour)
	require.NoError(t, g.pay("demo", g.vault.code, "203.0.113.7"))
	require.Equal(t, 50, g.guess(60, "demo", "203.0.113.7"))
	g.now = g.now.Add(-time.Minute)
	require.Zero(t, g.guess(60, "demo", "203.0.113.7"), "a clock that is put back forgets nothing")
}

func TestWhoGuessesFromManyAddressesIsStopped(t *testing.T) {
	t.Parallel()
	g := guard(t)
	tried := 0
	for n := range 300 {
		tried += g.guess(5, "demo", fmt.Sprintf("203.0.%d.%d", n/250, 1+n%250))
	}
	require.Equal(t, 1000, tried)
	require.ErrorIs(t, g.look("demo", g.vault.code), payment.ErrGiftCardTries)
	require.ErrorIs(t, g.pay("demo", g.vault.code, ""), payment.ErrGiftCardTries)
	require.NoError(t, g.look("other", g.vault.code), "other stores go on")
	require.Equal(t, 1, strings.Count(g.log.String(), `"level":"warn"`))
	require.Contains(t, g.log.String(), `"limit":"store"`)
}

func TestBalancesAndPaymentsAreCountedTogether(t *testing.T) {
	t.Parallel()
	g := guard(t)
	for range 600 {
		require.ErrorIs(t, g.look("demo", g.wrong), payment.ErrGiftCardNotFound)
	}
	require.Equal(t, 400, g.guess(600, "demo", ""))
	require.ErrorIs(t, g.look("demo", g.vault.code), payment.ErrGiftCardTries)
}

// Cards under the keys that are there can still be guessed, and an operator may have
// dropped a key for good: that must not be when nobody counts.
func TestWhileAKeyIsMissingNobodyGuessesEither(t *testing.T) {
	t.Parallel()
	g := guard(t)
	g.vault.misses = payment.ErrGiftCardsKeyed
	for range 50 {
		require.ErrorIs(t, g.pay("demo", g.wrong, "203.0.113.7"), payment.ErrGiftCardsKeyed)
	}
	require.ErrorIs(t, g.pay("demo", g.vault.code, "203.0.113.7"), payment.ErrGiftCardTries)
	for range 950 {
		require.ErrorIs(t, g.look("demo", g.wrong), payment.ErrGiftCardsKeyed)
	}
	require.ErrorIs(t, g.look("demo", g.vault.code), payment.ErrGiftCardTries)
}

func TestAnHonestShopIsNeverInTheWay(t *testing.T) {
	t.Parallel()
	g := guard(t)
	for range 5000 {
		require.NoError(t, g.pay("demo", g.vault.code, "203.0.113.7"))
		require.NoError(t, g.look("demo", g.vault.code))
	}
	for _, why := range []error{payment.ErrGiftCardShort, payment.ErrGiftCardExpired, payment.ErrGiftCardCurrency, payment.ErrGiftCardsOff, context.Canceled} {
		g.vault.fails = why
		for range 1100 {
			require.ErrorIs(t, g.pay("demo", g.vault.code, "203.0.113.7"), why, "that was no guess")
		}
	}
	require.Empty(t, g.log.String())
}

func TestAnAddressIsWhatOneClientOwns(t *testing.T) {
	t.Parallel()
	g := guard(t)
	require.Equal(t, 25, g.guess(25, "demo", "2001:db8:1:2::1"))
	require.Equal(t, 25, g.guess(40, "demo", "2001:db8:1:2:ffff::9%eth0"), "a /64")
	require.Equal(t, 1, g.guess(1, "demo", "2001:db8:1:3::1"))
	require.Equal(t, 30, g.guess(30, "demo", "203.0.113.7"))
	require.Equal(t, 20, g.guess(30, "demo", "::ffff:203.0.113.7"))
	for _, between := range []string{"127.0.0.1", "10.1.2.3", "192.168.0.9", "::1", "::", "fd00::1", "fe80::1"} {
		require.Equal(t, 60, g.guess(60, "demo", between), "%s is a proxy, or nobody", between)
	}
}

// Who asks a thousand times at once has asked before any of it was counted.
func TestGuessesAtTheSameTimeAreBoundToo(t *testing.T) {
	t.Parallel()
	g := guard(t)
	g.vault.begun, g.vault.end = make(chan struct{}), make(chan struct{})
	var group sync.WaitGroup
	refused := make(chan error, 200)
	for range 200 {
		group.Go(func() { refused <- g.pay("demo", g.wrong, "203.0.113.7") })
	}
	begun := 0
	for range 200 {
		select {
		case <-g.vault.begun:
			begun++
		case err := <-refused:
			require.ErrorIs(t, err, payment.ErrGiftCardTries)
		}
	}
	close(g.vault.end)
	group.Wait()
	require.Equal(t, 50, begun)
}

// What is under way counts only as long as it is.
func TestACrowdThatPaysAtOnceIsNotRemembered(t *testing.T) {
	t.Parallel()
	g := guard(t)
	for range 3 {
		var group sync.WaitGroup
		for range 40 {
			group.Go(func() { _ = g.pay("demo", g.vault.code, "203.0.113.7") })
		}
		group.Wait()
	}
	require.Equal(t, 120, g.vault.asked)
	require.Equal(t, 50, g.guess(60, "demo", "203.0.113.7"))
}

func TestTheGatewayCountsTheShopperAndNotTheShop(t *testing.T) {
	t.Parallel()
	b := setup(t)
	g := guard(t)
	gateway := b.open(func() gateways.GiftCards { return g })
	try := func(said, seen string, code payment.GiftCardCode) payment.Fact {
		o, request := b.order(code.Reveal(), eur("20.00"))
		o.Customer.IP = said
		if seen != "" {
			request.Shopper = netip.MustParseAddr(seen)
		}
		return gateway.Pay(t.Context(), request)
	}
	for range 50 {
		require.Equal(t, "gift_card_invalid", try("203.0.113.7", "", g.wrong).Reason.Code)
		require.Equal(t, "gift_card_invalid", try("203.0.113.9", "203.0.113.8", g.wrong).Reason.Code, "seen weighs more than said")
	}
	for _, stopped := range []payment.Fact{try("203.0.113.7", "", g.wrong), try("", "203.0.113.7", g.wrong), try("", "203.0.113.8", g.wrong)} {
		require.Equal(t, payment.Declined, stopped.State)
		require.Equal(t, "too_many_attempts", stopped.Reason.Code)
	}
	for _, others := range []string{"203.0.113.9", "", "unknown"} {
		require.Equal(t, "gift_card_invalid", try(others, "", g.wrong).Reason.Code, others)
	}
}
