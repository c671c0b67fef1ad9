package payment_test

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

// books are the cases of an order as a store keeps them.
type books struct {
	t     require.TestingT
	cases []payment.Case
	ids   byte
}

// close ends a stretch as a store does: what is staged about cases is written, and
// the order is loaded anew.
func (b *books) close(o *payment.Order) error {
	for i := range o.Staged.Cases {
		b.ids++
		o.Staged.Cases[i].ID = payment.CaseID{15: b.ids}
	}
	if err := o.WorkCases(slices.Clone(b.cases)); err != nil {
		return err
	}
	b.cases = append(b.cases, o.Staged.Cases...)
	for _, ended := range o.Staged.Resolved {
		i := slices.IndexFunc(b.cases, func(c payment.Case) bool { return c.ID == ended.ID })
		require.Equal(b.t, payment.CaseOpen, b.cases[i].State, "a case ends once")
		b.cases[i] = ended
	}
	o.Staged = payment.Staged{}
	return nil
}

// open are the kinds of the open cases, the oldest first.
func (b *books) open() (kinds []payment.CaseKind) {
	for _, c := range b.cases {
		if c.State == payment.CaseOpen {
			kinds = append(kinds, c.Kind)
		}
	}
	return kinds
}

func ending(c payment.Case, action payment.CaseAction) payment.CaseEnd {
	return payment.CaseEnd{Case: c.ID, Resolution: payment.Resolution{
		Word: "checked", Reason: "Seen at the PSP.", Action: action, By: "till", At: noon(),
	}}
}

// verdict is the fact of an operator who settles a case.
func verdict(c payment.Case, action payment.CaseAction) payment.Fact {
	return payment.Judge(payment.Verdict{Case: c, Resolution: ending(c, action).Resolution})
}

func claiming(t require.TestingT, ref, amount string) payment.Fact {
	f := approved(ref)
	f.Amount = amountOf(t, amount)
	return f
}

func TestARepeatedFactOpensNoCaseAgainAndAnotherOneDoes(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	b := &books{t: t}
	record(t, o, claiming(t, "A", "9.00"))
	require.NoError(t, b.close(o))
	require.Equal(t, "9.00 EUR", b.cases[0].Subject)
	require.Equal(t, "10.00", b.cases[0].Amount.String())
	require.Equal(t, "9.00", b.cases[0].Claimed.String())

	o.ResolveCases(ending(b.cases[0], payment.CaseActNone))
	require.NoError(t, b.close(o))
	require.Empty(t, o.Review)

	record(t, o, claiming(t, "A", "9.00"))
	require.NoError(t, b.close(o))
	require.Len(t, b.cases, 1, "PSPs repeat for weeks what was judged already")
	require.Empty(t, o.Review, "and the order is not held for it again")

	record(t, o, claiming(t, "A", "8.00"))
	require.NoError(t, b.close(o))
	require.Len(t, b.cases, 2, "another amount is another fact")
	require.Equal(t, payment.CaseAmountMismatch, o.Review)
}

func TestWhatGoesWrongAgainIsACaseAgain(t *testing.T) {
	t.Parallel()
	for _, kind := range payment.CaseKinds() {
		o, _ := sale(t)
		b := &books{t: t}
		for range 2 {
			o.OpenCase(payment.Case{Kind: kind, Subject: "x", OpenedAt: noon()})
			o.OpenCase(payment.Case{Kind: kind, Subject: "x", OpenedAt: noon()})
			require.NoError(t, b.close(o))
		}
		require.Len(t, b.cases, 1, "%s: open once", kind)
		o.ResolveCases(ending(b.cases[0], payment.CaseActNone))
		require.NoError(t, b.close(o))
		o.OpenCase(payment.Case{Kind: kind, Subject: "x", OpenedAt: noon()})
		require.NoError(t, b.close(o))
		require.Equal(t, kind.Recurs(), len(b.cases) == 2, kind)
	}
}

func TestOpeningAndResolvingIsToldToTheWorldAndInTheTimeline(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	b := &books{t: t}
	record(t, o, claiming(t, "A", "9.00"), claiming(t, "A", "9.00"))
	o.Staged.Events, o.Staged.Notes, o.Sequence = nil, nil, 0
	o.Staged.Cases[0].ID = payment.CaseID{15: 7}
	require.NoError(t, o.WorkCases(nil))
	require.Equal(t, []string{"case.opened"}, eventTypes(o))
	event := o.Staged.Events[0]
	require.Equal(t, payment.CaseID{15: 7}, event.Case)
	require.Equal(t, payment.CaseAmountMismatch, event.CaseKind)
	require.Equal(t, p.Transactions[0].N, event.Transaction)
	require.Equal(t, p.N, event.Payment)
	require.Equal(t, "open", event.Status)
	require.Contains(t, o.Staged.Notes[0].Text, "amount_mismatch")
	require.Equal(t, "system", o.Staged.Notes[0].Author)

	known := o.Staged.Cases
	o.Staged, o.Sequence = payment.Staged{}, 0
	o.ResolveCases(ending(known[0], payment.CaseActNone))
	require.NoError(t, o.WorkCases(known))
	require.Equal(t, []string{"case.resolved"}, eventTypes(o))
	require.Equal(t, "till", o.Staged.Notes[0].Author)
	require.Equal(t, "The case amount_mismatch is resolved: checked. Seen at the PSP.", o.Staged.Notes[0].Text)
	require.Empty(t, b.cases)
}

func TestACaseThatIsNotOpenCannotBeResolvedAndNothingIsChanged(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	b := &books{t: t}
	record(t, o, claiming(t, "A", "9.00"))
	require.NoError(t, b.close(o))
	o.ResolveCases(ending(b.cases[0], payment.CaseActNone))
	require.NoError(t, b.close(o))
	o.ResolveCases(ending(b.cases[0], payment.CaseActNone))
	require.ErrorIs(t, b.close(o), payment.ErrCaseResolved)
}

// The operator's word settles what the PSP reported differently.
func TestAnOperatorSettlesAConflictedTransaction(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		fact   payment.Fact
		action payment.CaseAction
		why    string // it is refused
		status payment.Status
		paid   string
	}{
		"less, taken":              {claiming(t, "A", "9.00"), payment.CaseActApprove, "", payment.StatusPartiallyPaid, "9.00"},
		"more, taken":              {claiming(t, "A", "11.00"), payment.CaseActApprove, "", payment.StatusPaid, "11.00"},
		"less, not moved":          {claiming(t, "A", "9.00"), payment.CaseActDecline, "", payment.StatusFailed, "0.00"},
		"nothing, taken":           {claiming(t, "A", "0.00"), payment.CaseActApprove, "amount_invalid", payment.StatusPending, "0.00"},
		"another currency, taken":  {inDollars(t), payment.CaseActApprove, "currency_differs", payment.StatusPending, "0.00"},
		"another currency, nought": {inDollars(t), payment.CaseActDecline, "", payment.StatusFailed, "0.00"},
		"another account, ours":    {ofAccount("shop-us"), payment.CaseActApprove, "", payment.StatusPaid, "10.00"},
	} {
		o, p := sale(t)
		b := &books{t: t}
		record(t, o, c.fact)
		require.NoError(t, b.close(o), name)
		finding, err := o.Record(verdict(b.cases[0], c.action), noon().Add(time.Hour))
		if c.why != "" {
			require.Equal(t, c.why, whyNot(t, err), name)
			require.Equal(t, "10.00", p.Transactions[0].Amount.String(), name)
			require.Empty(t, o.Staged.CaseEnds, name)
			continue
		}
		require.NoError(t, err, name)
		require.True(t, finding.Changed, name)
		require.NoError(t, b.close(o), name)
		require.Equal(t, c.status, p.Status, name)
		require.Equal(t, c.paid, p.Sums.Captured.String(), name)
		require.Empty(t, o.Review, name)
		record(t, o, c.fact) // the PSP says it again
		require.NoError(t, b.close(o), name)
		require.Empty(t, b.open(), "%s: what was judged is judged", name)
		require.Equal(t, c.status, p.Status, name)
	}
}

func inDollars(t require.TestingT) payment.Fact {
	f, dollars := approved("A"), money(t, "10.00", "USD")
	f.Amount = &dollars
	return f
}

func ofAccount(name string) payment.Fact {
	f := approved("A")
	f.Account = name
	return f
}

func whyNot(t require.TestingT, err error) string {
	var refused *payment.Error
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "action_not_allowed", refused.Code)
	return refused.Why.Code
}

func TestOneVerdictOfTwoCounts(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	b := &books{t: t}
	record(t, o, ofAccount("shop-us"))
	require.NoError(t, b.close(o))
	record(t, o, verdict(b.cases[0], payment.CaseActDecline))
	require.NoError(t, b.close(o))
	record(t, o, verdict(b.cases[0], payment.CaseActApprove)) // declined to approved is an edge of the graph
	require.ErrorIs(t, b.close(o), payment.ErrCaseResolved, "so the stretch must not be written")
	require.Len(t, p.Transactions, 1)
}

func TestWhatIsSettledIsNotSettledAgain(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	b := &books{t: t}
	record(t, o, approved("A"), claiming(t, "A", "9.00"))
	require.NoError(t, b.close(o))
	_, err := o.Record(verdict(b.cases[0], payment.CaseActApprove), noon())
	require.Equal(t, "settled_already", whyNot(t, err))
	orphan := payment.Case{Kind: payment.CaseAmountMismatch, Transaction: 99}
	_, err = o.Record(verdict(orphan, payment.CaseActApprove), noon())
	require.Equal(t, "no_transaction", whyNot(t, err))
}

// What the PSP tells in the end resolves the case by itself.
func TestAnUnknownOutcomeIsDecidedByALaterFact(t *testing.T) {
	t.Parallel()
	for _, state := range []payment.State{payment.Approved, payment.Declined} {
		o, p := sale(t)
		b := &books{t: t}
		o.OpenCase(payment.Case{Kind: payment.CaseUnknownOutcome, Transaction: p.Transactions[0].N, OpenedAt: noon()})
		o.OpenCase(payment.Case{Kind: payment.CaseFailedRun, OpenedAt: noon().Add(time.Hour)})
		require.NoError(t, b.close(o))
		require.Equal(t, payment.CaseUnknownOutcome, o.Review)
		record(t, o, payment.Fact{Reference: reference("A"), State: payment.Unknown})
		require.NoError(t, b.close(o))
		require.Len(t, b.open(), 2, "nothing is decided")
		record(t, o, payment.Fact{Reference: reference("A"), State: state})
		require.NoError(t, b.close(o))
		require.Equal(t, "decided", b.cases[0].Resolution.Word)
		require.Equal(t, "system", b.cases[0].Resolution.By)
		require.Equal(t, []payment.CaseKind{payment.CaseFailedRun}, b.open(), "the other case is another matter")
		require.Equal(t, payment.CaseFailedRun, o.Review)
	}
}

func TestASurplusIsRefundedOnAnOperatorsWordAndTheCaseEndsWithIt(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	second := begun(o, payment.AuthorizeAndCapture, "B", euros(t, "10.00"))
	b := &books{t: t}
	record(t, o, approved("A"), approved("B"))
	require.NoError(t, b.close(o))
	require.Equal(t, payment.CaseSurplus, o.Review)
	require.NoError(t, o.RefundCase(b.cases[0], noon()))
	require.Equal(t, payment.ReleaseSurplus, second.Release.Reason)
	require.True(t, second.Release.Refund)
	require.Nil(t, o.Payments[0].Release, "the payment of the order is left alone")
	require.Equal(t, payment.StatusPaid, o.PaymentStatus(), "as if the second had never come")
	require.Equal(t, "being_released", whyNot(t, o.RefundCase(b.cases[0], noon())))

	record(t, o, byPSP(t, "B", payment.Refund, "r", "4.00"))
	require.NoError(t, b.close(o))
	require.Len(t, b.open(), 1, "a part is back")
	record(t, o, byPSP(t, "B", payment.Refund, "s", "6.00"))
	require.NoError(t, b.close(o))
	require.Empty(t, b.open())
	require.Equal(t, "refunded", b.cases[0].Resolution.Word)
	require.Empty(t, o.Review)
	require.Equal(t, "nothing_to_refund", whyNot(t, o.RefundCase(b.cases[0], noon())))
}

func TestMoneyThatCameTooLateIsGivenBackAsSuch(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	o.MoveTo(payment.OrderCancelled)
	o.Save()
	b := &books{t: t}
	record(t, o, approved("A"))
	require.NoError(t, b.close(o))
	require.NoError(t, o.RefundCase(b.cases[0], noon()))
	require.Equal(t, payment.ReleaseLate, p.Release.Reason)
}

func TestAReleaseThatIsStuckIsTriedAgain(t *testing.T) {
	t.Parallel()
	o, p := sale(t)
	b := &books{t: t}
	record(t, o, approved("A"))
	require.True(t, o.ReleaseLater(p, payment.Release{Reason: payment.ReleaseRequested, Refund: true}, noon()))
	for range payment.ReleaseTriesMax {
		o.PostponeRelease(p, time.Time{}, true)
	}
	o.OpenCase(payment.Case{Kind: payment.CaseStuckRelease, Payment: p.N, OpenedAt: noon()})
	require.NoError(t, b.close(o))
	require.NoError(t, o.RefundCase(b.cases[0], noon().Add(time.Hour)))
	require.True(t, p.Release.Open())
	require.Zero(t, p.Release.Tries)
	record(t, o, byPSP(t, "A", payment.Refund, "r", "10.00"))
	require.NoError(t, b.close(o))
	require.Empty(t, b.open(), "it resolves itself once the money is back")
}

// Whatever a PSP says, it can be recorded: the subject is part of an index.
func TestAHostileClaimMakesASubjectThatCanBeKept(t *testing.T) {
	t.Parallel()
	o, _ := sale(t)
	record(t, o, ofAccount("shop\x00\xff"+strings.Repeat("ä", 5000)))
	subject := o.Staged.Cases[0].Subject
	require.LessOrEqual(t, len(subject), 200)
	require.True(t, strings.HasPrefix(subject, "shop\uFFFD\uFFFDä"), subject)
}

// An order is held for the oldest of its open cases, whatever happens to them.
func TestReviewIsAlwaysTheOldestOpenCase(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := drawBegin(t).order(t)
		b := &books{t: t}
		at := noon()
		for range rapid.IntRange(1, 12).Draw(t, "stretches") {
			at = at.Add(time.Minute)
			switch open := b.open(); rapid.SampledFrom([]string{"fact", "fact", "other", "resolve", "judge"}).Draw(t, "what") {
			case "fact":
				_, _ = o.Record(drawFact(t), at) // one about no transaction changes nothing
			case "other":
				kind := rapid.SampledFrom(payment.CaseKinds()).Draw(t, "kind")
				o.OpenCase(payment.Case{Kind: kind, Subject: rapid.SampledFrom([]string{"", "x"}).Draw(t, "subject"), OpenedAt: at})
			case "resolve":
				if len(open) > 0 {
					o.ResolveCases(ending(b.pick(t), payment.CaseActNone))
				}
			case "judge":
				if len(open) > 0 {
					_, _ = o.Record(verdict(b.pick(t), payment.CaseActApprove), at) // where it can be
				}
			}
			before := o.Sequence
			require.NoError(t, b.close(o))
			require.GreaterOrEqual(t, o.Sequence, before)
			requireBounds(t, o)
			want := payment.CaseKind("")
			if open := b.open(); len(open) > 0 {
				want = open[0]
			}
			require.Equal(t, want, o.Review)
		}
	})
}

// pick draws one of the open cases.
func (b *books) pick(t *rapid.T) payment.Case {
	var open []payment.Case
	for _, c := range b.cases {
		if c.State == payment.CaseOpen {
			open = append(open, c)
		}
	}
	return rapid.SampledFrom(open).Draw(t, "case")
}

// docs/cases.md says of each kind what a caller of the API is told.
func TestThePageAboutCasesSaysWhatTheAPISays(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/cases.md")
	require.NoError(t, err)
	for _, kind := range payment.CaseKinds() {
		var actions []string
		for _, a := range kind.Actions()[1:] {
			actions = append(actions, "`"+string(a)+"`")
		}
		row := "| " + strings.Join(actions, ", ") + " | " + kind.WhatToDo() + " |\n"
		_, line, found := strings.Cut(string(page), "\n| `"+string(kind)+"` |")
		require.True(t, found, "%s has no row", kind)
		line, _, _ = strings.Cut(line, "\n")
		require.True(t, strings.HasSuffix(line+"\n", row), "%s: the page says\n%s\nand the API\n%s", kind, line, row)
	}
}
