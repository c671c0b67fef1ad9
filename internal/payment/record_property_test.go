package payment_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

// begin is how an order stood before any fact arrived. Each sequence of facts is
// played on an order of its own.
type begin struct {
	first, second   payment.Type // of the payments; second may be ""
	capture, refund bool         // announced by us on the first payment
	// fee is part of the 10.00 that each payment charges, in minor units; a discount
	// is missing from them.
	fee int64
}

func (b begin) order(t require.TestingT) *payment.Order {
	fee := payment.FromMinor(b.fee, currency(t, "EUR"))
	o := unpaid(t, euros(t, "10.00").Sub(fee).String())
	p := begun(o, b.first, "A", euros(t, "10.00"))
	p.Amount, p.Fee = o.Total, fee
	if b.capture {
		o.Announce(p, payment.Capture, reference("AC"), euros(t, "6.00"), noon(), noon())
	}
	if b.refund {
		o.Announce(p, payment.Refund, reference("AR"), euros(t, "4.00"), noon(), noon())
	}
	if b.second != "" {
		second := begun(o, b.second, "B", euros(t, "10.00"))
		second.Amount, second.Fee = o.Total, fee
	}
	return o
}

func drawBegin(t *rapid.T) begin {
	initial := []payment.Type{payment.Authorize, payment.AuthorizeAndCapture}
	return begin{
		first:   rapid.SampledFrom(initial).Draw(t, "first"),
		second:  rapid.SampledFrom(append(initial, "")).Draw(t, "second"),
		capture: rapid.Bool().Draw(t, "capture"),
		refund:  rapid.Bool().Draw(t, "refund"),
		fee:     rapid.SampledFrom([]int64{0, 0, 250, 999, -1, -200, -5000}).Draw(t, "fee"),
	}
}

// drawFact draws what a PSP may say: of what we announced under a reference, or
// of something that it began by itself, truthfully or not.
func drawFact(t *rapid.T) payment.Fact {
	f := payment.Fact{
		Source:    payment.SourceNotification,
		Reference: reference(rapid.SampledFrom([]string{"A", "A", "A", "AC", "AR", "B", "B", "UNKNOWN"}).Draw(t, "reference")),
		State: rapid.SampledFrom([]payment.State{
			payment.Approved, payment.Approved, payment.Approved, payment.Approved, payment.Pending, payment.ActionRequired,
			payment.Declined, payment.NotSent, payment.Unknown, payment.Reversed, payment.Sending, "gibberish",
		}).Draw(t, "state"),
		Account: rapid.SampledFrom([]string{"", "", "", account, account, "another"}).Draw(t, "account"),
		Mode:    rapid.SampledFrom([]payment.Mode{"", "", payment.ModeTest, payment.ModeTest, payment.ModeLive}).Draw(t, "mode"),
		At:      rapid.SampledFrom([]time.Time{{}, noon().Add(-time.Hour), noon().Add(time.Hour)}).Draw(t, "at"),
	}
	f.Type = rapid.SampledFrom([]payment.Type{
		"", "", payment.Authorize, payment.AuthorizeAndCapture, payment.Capture, payment.Capture, payment.Refund,
		payment.Refund, payment.Void, payment.Credit, payment.Chargeback,
	}).Draw(t, "type")
	ours := f.Type == payment.Capture && f.Reference == reference("AC") || f.Type == payment.Refund && f.Reference == reference("AR")
	if f.Type != "" && !f.Type.Initial() && !ours { // what is ours has our name
		f.GatewayReference = rapid.SampledFrom([]string{"", "x", "y", "z"}).Draw(t, "name")
	}
	if rapid.Bool().Draw(t, "action") {
		f.NextAction = &payment.NextAction{Type: "redirect"}
	}
	minor := rapid.SampledFrom([]int64{0, 1000, 1000, 1000, 600, 400, 300, 700, -500}).Draw(t, "minor")
	if minor != 0 {
		code := rapid.SampledFrom([]string{"EUR", "EUR", "EUR", "EUR", "USD", "JPY"}).Draw(t, "currency")
		m := payment.FromMinor(minor, currency(t, code))
		f.Amount = &m
	}
	return f
}

// play records facts at growing times and returns the order as it ends.
func play(t require.TestingT, b begin, facts []payment.Fact) *payment.Order {
	o := b.order(t)
	for i, f := range facts {
		finding, err := o.Record(f, noon().Add(time.Duration(i)*time.Minute))
		if err != nil {
			require.ErrorIs(t, err, payment.ErrUnknownReference)
			_, named := o.TransactionByReference(f.Reference)
			require.Nil(t, named, "a fact about a known transaction was not recorded")
			continue
		}
		require.NotNil(t, finding.Transaction)
		requireBounds(t, o)
	}
	return o
}

// requireBounds is I5: no set of facts, however absurd, breaks the sums.
func requireBounds(t require.TestingT, o *payment.Order) {
	for _, p := range o.Payments {
		s := p.Sums
		require.LessOrEqual(t, int64(0), s.Refunded.Minor())
		require.LessOrEqual(t, int64(0), s.Voided.Minor())
		require.LessOrEqual(t, s.Refunded.Minor(), s.Captured.Minor())
		require.LessOrEqual(t, s.Captured.Minor()+s.Voided.Minor(), s.Authorized.Minor())
	}
}

// moneyState describes all about an order's money that may depend on what is
// known, and on nothing else.
func moneyState(o *payment.Order) string {
	var b strings.Builder
	fmt.Fprintf(&b, "order %s held %s due %s covered %t\n", o.PaymentStatus(), o.Held(), o.Due(), o.Covered())
	for _, p := range o.Payments {
		s := p.Sums
		fmt.Fprintf(&b, "payment %d %s authorized %s captured %s refunded %s voided %s action %t\n", p.N, p.Status,
			s.Authorized, s.Captured, s.Refunded, s.Voided, p.NextAction != nil)
		lines := make([]string, 0, len(p.Transactions))
		for _, t := range p.Transactions {
			lines = append(lines, fmt.Sprintf("  %s %s %q %q %s held %t", t.Type, t.Amount, t.Reference, t.GatewayReference,
				t.State, t.Held))
		}
		slices.Sort(lines)
		b.WriteString(strings.Join(lines, "\n") + "\n")
	}
	return b.String()
}

// F55: any order and any repetition of what is said ends in the same state.
func TestAnyOrderAndAnyRepetitionOfFactsEndsInTheSameMoneyState(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := drawBegin(t)
		facts := rapid.SliceOfN(rapid.Custom(drawFact), 1, 8).Draw(t, "facts")
		want := moneyState(play(t, b, facts))
		for range 20 {
			again := append(slices.Clone(facts), rapid.SliceOfN(rapid.SampledFrom(facts), 0, 4).Draw(t, "repeated")...)
			again = rapid.Permutation(again).Draw(t, "order of arrival")
			require.Equal(t, want, moneyState(play(t, b, again)))
		}
	})
}

// All 720 sequences of one eventful life: a sale that was pending, its approval,
// a refund that came twice under two words for its state, more of a chargeback
// than is left, and an approval of something else.
func TestEverySequenceOfSixFactsEndsInTheSameMoneyState(t *testing.T) {
	t.Parallel()
	b := begin{first: payment.AuthorizeAndCapture}
	pending := payment.Fact{Reference: reference("A"), State: payment.Pending}
	wrong := approved("A")
	wrong.Amount = amountOf(t, "7.00")
	refund := byPSP(t, "A", payment.Refund, "x", "6.00")
	refunding := refund
	refunding.State = payment.Pending
	facts := []payment.Fact{
		pending, approved("A"), wrong, refunding, refund, byPSP(t, "A", payment.Chargeback, "y", "5.00"),
	}
	want := moneyState(play(t, b, facts))
	require.Contains(t, want, "captured 10.00 refunded 6.00")
	sequences := 0
	permute(facts, 0, func(sequence []payment.Fact) {
		sequences++
		require.Equal(t, want, moneyState(play(t, b, sequence)))
	})
	require.Equal(t, 720, sequences)
}

func permute(facts []payment.Fact, from int, visit func([]payment.Fact)) {
	if from == len(facts) {
		visit(facts)
		return
	}
	for i := from; i < len(facts); i++ {
		facts[from], facts[i] = facts[i], facts[from]
		permute(facts, from+1, visit)
		facts[from], facts[i] = facts[i], facts[from]
	}
}

// weight orders the states by evidence, as reliability.md has them: the model
// that the transition function is compared with.
func weight(s payment.State) int {
	return slices.Index([]payment.State{
		payment.Sending, payment.Unknown, payment.NotSent, payment.ActionRequired, payment.Pending, payment.Declined,
		payment.Approved, payment.Reversed,
	}, s)
}

// honest tells whether a fact about a transaction of ours says what was asked.
func honest(p *payment.Payment, x *payment.Transaction, f payment.Fact) bool {
	return (f.Account == "" || f.Account == p.Account) && (f.Mode == "" || f.Mode == p.Mode) &&
		(f.Amount == nil || f.Amount.Equal(x.Amount)) &&
		(x.Type != payment.AuthorizeAndCapture || f.Type != payment.Authorize)
}

// I4: what we announced is approved, or taken back, exactly when somebody said
// so of the very amount, currency, account and mode that were asked; otherwise
// it is in the heaviest state that anybody reported.
func TestWhatWeAskedForIsInTheHeaviestStateThatWasHonestlyReported(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := drawBegin(t)
		facts := rapid.SliceOfN(rapid.Custom(drawFact), 1, 8).Draw(t, "facts")
		o := play(t, b, facts)
		for _, p := range o.Payments {
			for _, x := range p.Transactions {
				if x.Reference == "" {
					continue
				}
				want := payment.Sending
				for _, f := range facts {
					if about(o, f) != x {
						continue
					}
					state := f.State
					switch {
					case weight(state) <= 0:
						state = payment.Unknown
					case honest(p, x, f) || weight(state) < weight(payment.Approved):
					case f.Type == payment.Authorize && state == payment.Approved && amountsAgree(p, x, f):
						state = payment.Pending // reserved, which is less than taken
					case f.Type == payment.Authorize && state == payment.Reversed && amountsAgree(p, x, f):
					default:
						state = payment.Unknown
					}
					if weight(state) > weight(want) {
						want = state
					}
				}
				require.Equal(t, want, x.State, "transaction %s", x.Reference)
			}
		}
	})
}

func amountsAgree(p *payment.Payment, x *payment.Transaction, f payment.Fact) bool {
	f.Type = ""
	return honest(p, x, f)
}

// about finds the announced transaction that a fact is about, nil for one that
// the PSP began.
func about(o *payment.Order, f payment.Fact) *payment.Transaction {
	p, named := o.TransactionByReference(f.Reference)
	switch {
	case named == nil, f.Type == "", f.Type == named.Type:
		return named
	case f.Type.Initial():
		return p.Initial()
	}
	return nil
}

// I11 and I1: whatever a fact contradicts, it is on record, and a person is told.
func TestEveryFactIsOnRecordAndEveryBrokenRuleHasACase(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		b := drawBegin(t)
		facts := rapid.SliceOfN(rapid.Custom(drawFact), 1, 8).Draw(t, "facts")
		o := play(t, b, facts)
		opened := make(map[payment.CaseKind]map[int]bool)
		for _, c := range o.Staged.Cases {
			if opened[c.Kind] == nil {
				opened[c.Kind] = make(map[int]bool)
			}
			opened[c.Kind][c.Transaction] = true
		}
		for _, f := range facts {
			p, named := o.TransactionByReference(f.Reference)
			if named == nil {
				continue
			}
			if about(o, f) == nil {
				require.True(t, slices.ContainsFunc(p.Transactions, func(x *payment.Transaction) bool {
					return x.Type == f.Type && x.GatewayReference == f.GatewayReference && x.Parent != 0
				}), "lost: %+v", f)
			}
			requireMismatchCases(t, p, f, opened)
		}
		for _, p := range o.Payments {
			for _, x := range p.Transactions {
				told := func(kind payment.CaseKind) bool {
					return slices.ContainsFunc(p.Transactions, func(y *payment.Transaction) bool {
						same := y == x || y.Reference == "" && x.Reference == "" && y.Type == x.Type && y.GatewayReference == x.GatewayReference
						return same && opened[kind][y.N]
					})
				}
				held := opened[payment.CaseOverLimit][x.N] || opened[payment.CaseAmountMismatch][x.N]
				require.True(t, !x.Held || held, "%s is held and nobody is told", x.Type)
				wonBack := x.Type == payment.Chargeback
				require.True(t, x.State != payment.Reversed || wonBack || told(payment.CaseReversed))
				charged := x.Type == payment.Chargeback && x.State == payment.Approved
				require.True(t, !charged || told(payment.CaseChargeback))
			}
		}
		require.True(t, o.Held().Cmp(o.Total) <= 0 || len(opened[payment.CaseSurplus]) > 0, "a surplus nobody is told of")
		require.Equal(t, len(o.Staged.Cases) > 0, o.Review != "", "an order with a case is held for review")
	})
}

func requireMismatchCases(
	t require.TestingT, p *payment.Payment, f payment.Fact, opened map[payment.CaseKind]map[int]bool,
) {
	if f.Account != "" && f.Account != p.Account {
		require.NotEmpty(t, opened[payment.CaseAccountMismatch])
	}
	if f.Mode != "" && f.Mode != p.Mode {
		require.NotEmpty(t, opened[payment.CaseModeMismatch])
	}
	if f.Amount != nil && f.Amount.Currency() != p.Amount.Currency() {
		require.NotEmpty(t, opened[payment.CaseCurrencyMismatch])
	}
}
