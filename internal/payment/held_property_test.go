package payment_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

// till plays a shopper who pays what is due and a shop that takes and gives back money,
// in any order and with any outcome.
type till struct {
	t    *rapid.T
	o    *payment.Order
	at   time.Time
	n    int
	open []*payment.Transaction
}

func (l *till) name() string {
	l.n++
	return fmt.Sprintf("T%03d", l.n)
}

// pay begins a payment of what is due, of which the PSP may take a part only.
func (l *till) pay() {
	due := l.o.Due().Minor()
	if l.o.CheckOpen(l.at) != nil || due == 0 {
		return
	}
	charge := payment.FromMinor(rapid.OneOf(rapid.Just(due), rapid.Int64Range(1, due)).Draw(l.t, "charge"), l.o.Currency)
	typ := rapid.SampledFrom([]payment.Type{payment.Authorize, payment.AuthorizeAndCapture}).Draw(l.t, "type")
	p := begun(l.o, typ, l.name(), charge)
	p.Amount = l.o.Due()
	l.open = append(l.open, p.Initial())
}

// giveBack refunds or voids something of a payment, as far as it is allowed.
func (l *till) giveBack() {
	if len(l.o.Payments) == 0 {
		return
	}
	p := rapid.SampledFrom(l.o.Payments).Draw(l.t, "payment")
	action := rapid.SampledFrom([]payment.Action{payment.ActRefund, payment.ActRefund, payment.ActVoid, payment.ActCapture}).Draw(l.t, "action")
	most, err := l.o.Allow(action, p, payment.Terms{Can: all()}, l.at)
	if err != nil {
		return
	}
	amount := most
	if action != payment.ActVoid {
		amount = payment.FromMinor(rapid.Int64Range(1, most.Minor()).Draw(l.t, "amount"), l.o.Currency)
	}
	l.open = append(l.open, l.o.Announce(p, action.Type(), reference(l.name()), amount, l.at, l.at.Add(time.Hour)))
}

// hear is told what became of something.
func (l *till) hear() {
	if len(l.open) == 0 {
		return
	}
	i := rapid.IntRange(0, len(l.open)-1).Draw(l.t, "which")
	s := rapid.SampledFrom([]payment.State{payment.Approved, payment.Approved, payment.Declined, payment.Pending, payment.NotSent}).Draw(l.t, "state")
	_, err := l.o.Record(payment.Fact{Source: payment.SourceAnswer, Reference: l.open[i].Reference, State: s}, l.at)
	require.NoError(l.t, err)
	if !l.open[i].State.Open() {
		l.open = slices.Delete(l.open, i, i+1)
	}
}

// kept is what the payments have brought, less what was given back or may be on its
// way: by the book of whoever reads all transactions. until bounds what is given back
// by its number, 0 for all.
func (l *till) kept(brings func(payment.Type) bool, until int) (sum int64) {
	for _, p := range l.o.Payments {
		for _, t := range p.Transactions {
			gone := t.Type == payment.Refund && (until == 0 || t.N <= until)
			switch approved := t.State == payment.Approved; {
			case brings(t.Type) && approved:
				sum += t.Amount.Minor()
			case t.Type == payment.Void && approved && brings(payment.Authorize):
				sum -= t.Amount.Minor()
			case t.Type == payment.Void && t.State.Open() && brings(payment.Authorize) && (until == 0 || t.N <= until):
				sum -= t.Amount.Minor()
			case gone && (approved || t.State.Open()):
				sum -= t.Amount.Minor()
			}
		}
	}
	return sum
}

// I4: whatever is paid and given back in whatever order, an order is placed only while
// all of its price is there, it looks paid only once all of its price was taken, and
// what it was placed with is never asked for again.
func TestAnOrderIsPlacedOnlyWithAllOfItsPrice(t *testing.T) {
	t.Parallel()
	placed := 0
	rapid.Check(t, func(t *rapid.T) {
		l := &till{t: t, o: unpaid(t, "100.00"), at: noon()}
		for range rapid.IntRange(4, 30).Draw(t, "steps") {
			l.at = l.at.Add(time.Second)
			switch rapid.SampledFrom([]string{"pay", "back", "hear", "hear"}).Draw(t, "step") {
			case "pay":
				l.pay()
			case "back":
				l.giveBack()
			case "hear":
				l.hear()
			}
			before := l.o.Saved.Status
			process(l.o)
			l.check(before)
		}
		if l.o.Saved.Status == payment.OrderProcessing {
			placed++
		}
	})
	require.NotZero(t, placed, "no sequence got as far")
}

func (l *till) check(before payment.OrderStatus) {
	total := l.o.Total.Minor()
	reserves := func(t payment.Type) bool { return t.Initial() }
	takes := func(t payment.Type) bool { return t == payment.AuthorizeAndCapture || t == payment.Capture }
	switch {
	case before == payment.OrderPending && l.o.Saved.Status == payment.OrderProcessing:
		require.GreaterOrEqual(l.t, l.kept(reserves, 0), total, "it was placed with less than it costs")
	case l.o.Saved.Status == payment.OrderPending:
		require.Less(l.t, l.kept(reserves, 0), total, "it is paid, and waits")
		require.Equal(l.t, total-l.kept(reserves, 0), l.o.Due().Minor())
	}
	if l.o.Saved.Status == payment.OrderProcessing {
		if l.o.Taken().Cmp(l.o.Total) >= 0 {
			require.GreaterOrEqual(l.t, l.kept(takes, l.o.Saved.CoveredN), total, "it looks paid with less than it costs")
		}
		require.LessOrEqual(l.t, l.o.Due().Minor(), total-min(total, l.kept(reserves, l.o.Saved.CoveredN)), "a refund is due")
	}
	told := slices.Contains(kinds(l.o), payment.CaseSurplus)
	require.True(l.t, l.o.Held().Cmp(l.o.Total) <= 0 || told, "a surplus nobody is told of")
}
