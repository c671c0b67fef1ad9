package payment_test

import (
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestComparisonsFollowEachOtherWithoutAGap(t *testing.T) {
	t.Parallel()
	c := payment.Comparison{CoveredUntil: noon()}
	c.Begin(payment.ID{1}, noon().Add(24*time.Hour))
	_, until := c.Settled()
	from, to := c.Listed()
	require.True(t, from.Before(noon()), "the PSP may have told late")
	require.Equal(t, noon().Add(24*time.Hour), to)
	c.End()
	c.Begin(payment.ID{2}, noon().Add(48*time.Hour))
	next, _ := c.Settled()
	require.Equal(t, until, next)
}

// turn reads a list, page by page, until it ends or is refused, and returns how many
// pages that took.
func turn(c *payment.Comparison, next func(page int) string) (pages int, err error) {
	for c.Phase == payment.Listing && err == nil {
		pages++
		err = c.Turn(next(pages))
	}
	return pages, err
}

func TestAListThatGoesRoundIsNoticedSoon(t *testing.T) {
	t.Parallel()
	for lead := range 20 {
		for circle := 1; circle < 20; circle++ {
			c := payment.Comparison{}
			c.Begin(payment.ID{1}, noon())
			pages, err := turn(&c, func(page int) string {
				if page > lead {
					page = lead + (page-lead)%circle
				}
				return fmt.Sprint("page ", page)
			})
			require.ErrorIs(t, err, payment.ErrEndlessList)
			require.LessOrEqual(t, pages, 3*(lead+circle)+1, "%d, then %d", lead, circle)
		}
	}
}

func TestALongListIsReadToItsEnd(t *testing.T) {
	t.Parallel()
	list := func(last int) (int, error) {
		c := payment.Comparison{}
		c.Begin(payment.ID{1}, noon())
		return turn(&c, func(page int) string {
			if page == last {
				return ""
			}
			return strconv.Itoa(page)
		})
	}
	pages, err := list(100_000)
	require.NoError(t, err)
	require.Equal(t, 100_000, pages)
	pages, err = list(100_001)
	require.ErrorIs(t, err, payment.ErrEndlessList, "cursors that are new for ever")
	require.Equal(t, 100_000, pages)
}

func TestAComparisonThatIsGivenUpBeginsWhereItBegan(t *testing.T) {
	t.Parallel()
	c := payment.Comparison{CoveredUntil: noon()}
	c.Begin(payment.ID{1}, noon().Add(24*time.Hour))
	require.NoError(t, c.Turn("a"))
	from, _ := c.Listed()
	c.GiveUp()
	require.Zero(t, c.Run)
	c.Begin(payment.ID{2}, noon().Add(48*time.Hour))
	require.NoError(t, c.Turn("a"), "what was read before is forgotten")
	again, to := c.Listed()
	require.Equal(t, from, again)
	require.Equal(t, noon().Add(48*time.Hour), to)
}

func TestAComparisonByHandLooksNoFurtherThanThePSPIsSure(t *testing.T) {
	t.Parallel()
	var c payment.Comparison
	c.Between(payment.ID{1}, noon(), noon().Add(time.Hour), noon().Add(90*time.Minute))
	from, to := c.Settled()
	require.Equal(t, noon(), from)
	require.Equal(t, noon().Add(30*time.Minute), to)
	listedFrom, listedTo := c.Listed()
	require.True(t, listedFrom.Before(from))
	require.Equal(t, noon().Add(90*time.Minute), listedTo)
}

// What a comparison takes to be the transaction of a fact is what Record takes.
func TestAComparisonKnowsTheSubjectOfAFact(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		is    bool
		of    payment.Counterpart
		about payment.Fact
	}{
		"its own reference":           {true, payment.Counterpart{Reference: "A", Type: payment.Capture}, payment.Fact{Reference: "A"}},
		"and its type":                {true, payment.Counterpart{Reference: "A", Type: payment.Capture}, payment.Fact{Reference: "A", Type: payment.Capture}},
		"a sale under another word":   {true, payment.Counterpart{Reference: "A", Type: payment.Authorize}, payment.Fact{Reference: "A", Type: payment.AuthorizeAndCapture}},
		"a refund of it":              {false, payment.Counterpart{Reference: "A", Type: payment.Authorize}, payment.Fact{Reference: "A", Type: payment.Refund}},
		"the PSP's name":              {true, payment.Counterpart{Type: payment.Refund, GatewayReference: "r"}, payment.Fact{Reference: "A", Type: payment.Refund, GatewayReference: "r"}},
		"the same name of another":    {false, payment.Counterpart{Type: payment.Capture, GatewayReference: "r"}, payment.Fact{Reference: "A", Type: payment.Refund, GatewayReference: "r"}},
		"two that nobody gave a name": {false, payment.Counterpart{Type: payment.Refund}, payment.Fact{Reference: "A", Type: payment.Refund}},
	} {
		require.Equal(t, c.is, c.of.IsSubject(c.about), name)
	}
}

func TestAComparisonTellsAgreementFromDifference(t *testing.T) {
	t.Parallel()
	booked := payment.Counterpart{
		State: payment.Approved, Amount: euros(t, "10.00"), Account: payment.AccountName{Account: account, Mode: payment.ModeTest},
	}
	usd := money(t, "10.00", "USD")
	for name, c := range map[string]struct {
		agrees bool
		fact   payment.Fact
	}{
		"the same":          {true, payment.Fact{State: payment.Approved, Amount: amountOf(t, "10.00"), Account: account, Mode: payment.ModeTest}},
		"no more said":      {true, payment.Fact{State: payment.Approved}},
		"an older state":    {true, payment.Fact{State: payment.Pending}},
		"a newer state":     {false, payment.Fact{State: payment.Reversed}},
		"an unknown word":   {false, payment.Fact{State: "settled"}},
		"another amount":    {false, payment.Fact{State: payment.Approved, Amount: amountOf(t, "9.00")}},
		"another currency":  {false, payment.Fact{State: payment.Approved, Amount: &usd}},
		"another account":   {false, payment.Fact{State: payment.Approved, Account: "other"}},
		"live instead test": {false, payment.Fact{State: payment.Approved, Mode: payment.ModeLive}},
	} {
		require.Equal(t, c.agrees, booked.Agrees(c.fact), name)
	}
}

func TestTheFirstIDOfATimeSortsBeforeThoseMadeThen(t *testing.T) {
	t.Parallel()
	first := payment.FirstID(noon())
	later := payment.FirstID(noon().Add(time.Millisecond))
	require.Less(t, string(first[:]), string(later[:]))
}
