package payment_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

// machine plays operations as the engine does (allowed, announced, then told of) and
// facts as PSPs do, in any order, and keeps a book of its own.
type machine struct {
	t  *rapid.T
	o  *payment.Order
	p  *payment.Payment
	at time.Time
	// did is what became of our operations, by type and in minor units.
	did map[payment.Type]int64
	n   int
}

func newMachine(t *rapid.T) *machine {
	m := &machine{t: t, at: noon(), did: map[payment.Type]int64{}}
	m.o = unpaid(t, "100.00")
	typ := rapid.SampledFrom([]payment.Type{payment.Authorize, payment.Authorize, payment.AuthorizeAndCapture}).Draw(t, "begins with")
	m.p = begun(m.o, typ, "A", m.o.Total)
	m.fact(payment.Fact{Reference: reference("A"), State: payment.Approved})
	m.o.Progress.Status = payment.OrderProcessing
	m.o.Save()
	return m
}

func (m *machine) fact(f payment.Fact) {
	_, err := m.o.Record(f, m.at)
	require.NoError(m.t, err)
}

// operate asks for an operation, of an amount that may be too much.
func (m *machine) operate() {
	a := rapid.SampledFrom([]payment.Action{
		payment.ActCapture, payment.ActCapture, payment.ActRefund, payment.ActRefund, payment.ActVoid, payment.ActIncrease,
	}).Draw(m.t, "action")
	most, err := m.o.Allow(a, m.p, payment.Terms{Can: all()}, m.at)
	if err != nil {
		require.Equal(m.t, "action_not_allowed", payment.CodeOf(err))
		return
	}
	require.True(m.t, most.IsPositive(), "%s is allowed, of nothing", a)
	m.requireLeft(a, most)
	amount := payment.FromMinor(rapid.Int64Range(1, 15000).Draw(m.t, "minor"), m.o.Currency)
	if amount, err = payment.CheckAmount(&amount, most, a != payment.ActVoid); err != nil {
		return
	}
	m.n++
	t := m.o.Announce(m.p, a.Type(), reference(fmt.Sprintf("OP%02d", m.n)), amount, m.at, m.at.Add(15*time.Second))
	t.Parent = m.p.Initial().N
	m.tell(t)
}

// requireLeft requires that no more is allowed than is left once all that is under
// way has succeeded.
func (m *machine) requireLeft(a payment.Action, most payment.Money) {
	s, under := m.p.Sums, map[payment.Type]payment.Money{}
	for _, typ := range []payment.Type{payment.Capture, payment.Refund, payment.Void} {
		under[typ] = payment.Zero(m.o.Currency)
		for _, t := range m.p.Transactions {
			if t.Type == typ && t.State.Open() {
				under[typ] = under[typ].Add(t.Amount)
			}
		}
	}
	switch a {
	case payment.ActCapture:
		require.LessOrEqual(m.t, most.Add(s.Captured).Add(s.Voided).Add(under[payment.Capture]).Cmp(s.Authorized), 0)
	case payment.ActVoid:
		require.LessOrEqual(m.t, most.Add(s.Captured).Add(s.Voided).Add(under[payment.Capture]).Add(under[payment.Void]).Cmp(s.Authorized), 0)
	case payment.ActRefund:
		require.LessOrEqual(m.t, most.Add(s.Refunded).Add(under[payment.Refund]).Cmp(s.Captured), 0)
	default:
	}
}

// tell records what became of an operation of ours; nothing yet, perhaps.
func (m *machine) tell(t *payment.Transaction) {
	state := rapid.SampledFrom([]payment.State{
		payment.Approved, payment.Approved, payment.Approved, payment.Declined, payment.NotSent, payment.Pending, payment.Unknown, "",
	}).Draw(m.t, "state")
	if state == "" {
		return
	}
	before := t.State
	m.fact(payment.Fact{Reference: t.Reference, State: state, Amount: &t.Amount})
	if before != payment.Approved && t.State == payment.Approved {
		m.did[t.Type] += t.Amount.Minor()
	}
}

// hear lets something be told of an operation that is open, where there is one.
func (m *machine) hear() {
	if open := m.p.OpenTransactions(); len(open) > 0 {
		m.tell(open[rapid.IntRange(0, len(open)-1).Draw(m.t, "transaction")])
	}
}

// Whatever is asked for, in whatever order it becomes known, what is allowed fits
// into what is left, and all that was done is counted, once.
func TestOperationsNeverTakeMoreThanThereIs(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		m := newMachine(t)
		for range rapid.IntRange(1, 25).Draw(t, "steps") {
			m.at = m.at.Add(time.Duration(rapid.IntRange(0, 150).Draw(t, "seconds")) * time.Second)
			if rapid.IntRange(0, 2).Draw(t, "hear") == 0 {
				m.hear()
			} else {
				m.operate()
			}
			requireBounds(t, m.o)
		}
		s := m.p.Sums
		sale := m.p.Initial().Type == payment.AuthorizeAndCapture
		require.Equal(t, 10000+m.did[payment.Authorize], s.Authorized.Minor())
		require.Equal(t, m.did[payment.Capture]+map[bool]int64{true: 10000}[sale], s.Captured.Minor())
		require.Equal(t, m.did[payment.Refund], s.Refunded.Minor())
		require.Equal(t, m.did[payment.Void], s.Voided.Minor())
		require.Empty(t, m.o.Staged.Cases, "and nobody has to look")
	})
}

// A refund of ours that is first heard of by the PSP's name is counted once,
// whatever is told first, and however often; and it reserves nothing once it is
// known.
func TestARefundThatIsFirstKnownByThePSPsNameIsCountedOnce(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := unpaid(t, "100.00")
		p := begun(o, payment.AuthorizeAndCapture, "A", o.Total)
		_, err := o.Record(approved("A"), noon())
		require.NoError(t, err)
		ours := o.Announce(p, payment.Refund, reference("R"), euros(t, "40.00"), noon(), noon())
		early := byPSP(t, "A", payment.Refund, "re_1", "40.00")
		early.State = rapid.SampledFrom([]payment.State{payment.Pending, payment.Approved}).Draw(t, "first heard as")
		facts := rapid.Permutation([]payment.Fact{
			{Source: payment.SourceAnswer, Reference: reference("R"), State: payment.Unknown},
			early, byPSP(t, "A", payment.Refund, "re_1", "40.00"), early,
			{Reference: reference("R"), GatewayReference: "re_1", State: payment.Approved, Amount: amountOf(t, "40.00")},
		}).Draw(t, "order")
		for _, f := range facts {
			_, err := o.Record(f, noon())
			require.NoError(t, err)
			requireBounds(t, o)
		}
		require.Equal(t, payment.Approved, ours.State)
		require.Equal(t, "40.00", p.Sums.Refunded.String())
		require.Empty(t, o.Staged.Cases)
		require.Empty(t, o.OpenTransactions(), "nothing is left to find out")
		left, err := o.Allow(payment.ActRefund, p, payment.Terms{Can: all()}, noon())
		require.NoError(t, err)
		require.Equal(t, "60.00", left.String())
	})
}

// Of another amount than we asked for, a person decides; nothing more is sent before.
func TestARefundThatThePSPMadeOfAnotherAmountIsHeld(t *testing.T) {
	t.Parallel()
	l := sold(t).then(payment.Refund, "R", "40.00", payment.Unknown)
	record(t, l.o, byPSP(t, "A", payment.Refund, "re_1", "30.00"))
	require.Equal(t, "30.00", l.p.Sums.Refunded.String(), "until it is known that it is ours")
	record(t, l.o, payment.Fact{Reference: reference("R"), GatewayReference: "re_1", State: payment.Pending})
	require.Equal(t, []payment.CaseKind{payment.CaseAmountMismatch}, kinds(l.o))
	require.Equal(t, "0.00", l.p.Sums.Refunded.String())
	require.NotEqual(t, "yes", l.verdict(payment.ActRefund, payment.Terms{Can: all()}))
}

// A refund that the shop made at the PSP and one of ours are two.
func TestARefundOfThePSPsOwnIsNotOurs(t *testing.T) {
	t.Parallel()
	l := sold(t).then(payment.Refund, "R", "40.00", payment.Unknown)
	record(t, l.o, byPSP(t, "A", payment.Refund, "re_1", "40.00"))
	record(t, l.o, payment.Fact{Reference: reference("R"), GatewayReference: "re_2", State: payment.Approved})
	require.Equal(t, "80.00", l.p.Sums.Refunded.String())
	require.Equal(t, "20.00", l.verdict(payment.ActRefund, payment.Terms{Can: all()}))
	require.Empty(t, l.o.Staged.Cases)
}
