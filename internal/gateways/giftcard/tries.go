package giftcard

import (
	"net/netip"
	"time"
)

// The bounds of codes that are none. Codes of ours have a check character, so only
// imported ones are looked up mistyped: even a crowd behind one address, or the
// busiest shop, does not do that so often. Whoever guesses among codes of ten digits,
// ten thousand of them live, finds one in six weeks on average.
const (
	triesWindow     = time.Hour
	triesPerAddress = 50
	triesPerStore   = 1000
)

// limit names one of the bounds.
type limit string

const (
	limitAddress limit = "address"
	limitStore   limit = "store"
)

// tries are the codes of no card that were looked up for a store. Its bound bounds
// how many addresses are remembered, too.
type tries struct {
	// begun is when the present span began. Spans are as long as the window, and what
	// was missed in the one before counts for as much of it as the window still covers.
	begun          time.Time
	missed, before tally
	open           tally // under way
	warned         map[limit]bool
}

// tally counts in total, and by address where that is known.
type tally struct {
	all int
	of  map[netip.Prefix]int
}

func newTries(now time.Time) *tries {
	return &tries{begun: now, missed: newTally(), before: newTally(), open: newTally(), warned: make(map[limit]bool)}
}

func newTally() tally { return tally{of: make(map[netip.Prefix]int)} }

func (t *tally) add(who netip.Prefix, n int) {
	t.all += n
	if !who.IsValid() {
		return
	}
	if t.of[who] += n; t.of[who] == 0 {
		delete(t.of, who)
	}
}

// slide begins the span that now is in.
func (t *tries) slide(now time.Time) {
	passed := now.Sub(t.begun)
	if passed < triesWindow {
		return
	}
	t.before, t.begun = t.missed, t.begun.Add(triesWindow)
	if passed >= 2*triesWindow {
		t.before, t.begun = newTally(), now
	}
	t.missed, t.warned = newTally(), make(map[limit]bool)
}

// exceeded names the bound that stands in the way of one more try, "" for none.
func (t *tries) exceeded(now time.Time, who netip.Prefix) limit {
	left := triesWindow - max(0, now.Sub(t.begun))
	count := func(missed, before, open int) int {
		return missed + open + int(int64(before)*int64(left)/int64(triesWindow))
	}
	switch {
	case who.IsValid() && count(t.missed.of[who], t.before.of[who], t.open.of[who]) >= triesPerAddress:
		return limitAddress
	case count(t.missed.all, t.before.all, t.open.all) >= triesPerStore:
		return limitStore
	}
	return ""
}

// known is what one client owns of an address: all of it, or a /64. An address that
// is not public is somebody's in between, and says nothing about the shopper.
func known(a netip.Addr) netip.Prefix {
	a = a.Unmap()
	if !a.IsGlobalUnicast() || a.IsPrivate() {
		return netip.Prefix{}
	}
	bits := 64
	if a.Is4() {
		bits = a.BitLen()
	}
	p, err := a.Prefix(bits)
	if err != nil {
		return netip.Prefix{}
	}
	return p
}
