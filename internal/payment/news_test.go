package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// asLoaded makes an order what it is when it is read again.
func asLoaded(o *payment.Order) *payment.Order {
	c := *o
	c.Staged = payment.Staged{}
	return &c
}

func TestOnlyWhatChangesTheBooksIsNews(t *testing.T) {
	t.Parallel()
	charged := func(t *testing.T) *payment.Order {
		o := unpaid(t, "100.00")
		begun(o, payment.AuthorizeAndCapture, "A", o.Total)
		record(t, o, byPSP(t, "A", "", "pi_1", "100.00"))
		record(t, o, byPSP(t, "A", payment.Refund, "re_1", "30.00"))
		return asLoaded(o)
	}
	less := byPSP(t, "A", payment.Refund, "re_1", "20.00")
	kept := approved("A")
	kept.CaptureBefore = noon().Add(time.Hour)
	for name, c := range map[string]struct {
		fact payment.Fact
		news bool
	}{
		"what is known":                   {byPSP(t, "A", "", "pi_1", "100.00"), false},
		"an older state":                  {payment.Fact{Reference: reference("A"), State: payment.Pending}, false},
		"what the PSP began, again":       {byPSP(t, "A", payment.Refund, "re_1", "30.00"), false},
		"another refund":                  {byPSP(t, "A", payment.Refund, "re_2", "30.00"), true},
		"a refund of another amount":      {less, true},
		"another amount":                  {byPSP(t, "A", "", "pi_1", "99.00"), true},
		"a reversal":                      {payment.Fact{Reference: reference("A"), State: payment.Reversed}, true},
		"until when the money is kept":    {kept, true},
		"what the order knows nothing of": {approved("B"), true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := charged(t)
			before := *o.Payments[0].Initial()
			changed, cases := o.News([]payment.Fact{c.fact}, noon())
			require.Equal(t, c.news, changed || payment.Unheard(cases, nil))
			require.Equal(t, before, *o.Payments[0].Initial(), "asking changes nothing")
			require.Len(t, o.Payments[0].Transactions, 2)
			require.Empty(t, o.Staged)
		})
	}
}

func TestADifferenceThatIsReportedAgainIsNoNews(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "100.00")
	begun(o, payment.AuthorizeAndCapture, "A", o.Total)
	b := &books{t: t}
	wrong := byPSP(t, "A", "", "pi_1", "99.00")
	record(t, o, wrong)
	require.NoError(t, b.close(o))
	o = asLoaded(o)
	isNews := func(f payment.Fact) bool {
		changed, cases := o.News([]payment.Fact{f}, noon())
		return changed || payment.Unheard(cases, b.cases)
	}
	require.False(t, isNews(wrong), "a person looks at it")
	o.ResolveCases(ending(b.cases[0], payment.CaseActNone))
	require.NoError(t, b.close(o))
	require.False(t, isNews(wrong), "a person has looked at it")
	require.True(t, isNews(byPSP(t, "A", "", "pi_1", "98.00")), "another amount")
	require.True(t, isNews(ofAccount("shop-us")), "another account, although the order is held for something else")
	require.True(t, isNews(approved("B")), "what the order knows nothing of")
}
