package payment_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

// last announces a capture of so much that is to be the last.
func (l *life) last(amount string, rest payment.Rest) {
	l.t.Helper()
	l.then(payment.Capture, "C", amount, payment.Sending)
	l.p.Transactions[len(l.p.Transactions)-1].Rest = rest
}

// reported counts how often people were told that a rest stays reserved.
func (l *life) reported() (n int) {
	for _, note := range l.o.Staged.Notes {
		if strings.HasPrefix(note.Text, "The capture was the last: ") {
			n++
		}
	}
	return n
}

func TestWhatBecomesOfARestIsForItsGatewayToSay(t *testing.T) {
	t.Parallel()
	for want, can := range map[payment.Rest]payment.Capabilities{
		payment.RestReleased: {ReleasesRest: true, Void: true, VoidRest: true},
		payment.RestVoided:   {Void: true, VoidRest: true},
		payment.RestHeld:     {Void: true},
	} {
		require.Equal(t, want, can.Rest())
	}
	require.Equal(t, payment.RestHeld, payment.Capabilities{}.Rest())
}

func TestALastCaptureOfAllLeavesNoRest(t *testing.T) {
	t.Parallel()
	for _, rest := range []payment.Rest{payment.RestVoided, payment.RestHeld} {
		l := authorized(t)
		l.last("100.00", rest)
		record(t, l.o, approved("C"))
		require.Nil(t, l.p.Release)
		require.Zero(t, l.reported())
	}
}

// A capture of more than there is counts for nothing until a person has looked.
func TestACaptureThatDoesNotCountLeavesNoRest(t *testing.T) {
	t.Parallel()
	for _, rest := range []payment.Rest{payment.RestVoided, payment.RestHeld} {
		l := authorized(t)
		l.last("100.01", rest)
		record(t, l.o, approved("C"))
		require.Equal(t, "100.00", l.p.Sums.Reserved().String())
		require.Nil(t, l.p.Release)
		require.Zero(t, l.reported())
	}
}

// Whatever is told of the last capture, in whatever order and however often, under our
// name or the PSP's: once it is approved, and only then, the rest is decided about.
func TestARestIsDecidedAboutOnceWhenTheCaptureIsApproved(t *testing.T) {
	t.Parallel()
	rests := []payment.Rest{"", payment.RestReleased, payment.RestVoided, payment.RestHeld}
	states := []payment.State{
		payment.Unknown, payment.NotSent, payment.Pending, payment.Declined, payment.Approved, payment.Approved, payment.Reversed,
	}
	rapid.Check(t, func(rt *rapid.T) {
		l, rest := authorized(t), rapid.SampledFrom(rests).Draw(rt, "rest")
		amount := rapid.SampledFrom([]string{"40.00", "60.00"}).Draw(rt, "amount") // of 100.00, so twice is too much, or not
		l.last(amount, rest)
		capture, approved := l.p.Transactions[1], false
		for range rapid.IntRange(0, 6).Draw(rt, "facts") {
			f := payment.Fact{Reference: capture.Reference, State: rapid.SampledFrom(states).Draw(rt, "state")}
			if rapid.Bool().Draw(rt, "by the PSP's name") {
				f.Reference, f.Type, f.Amount = reference("A"), payment.Capture, amountOf(t, amount)
			}
			if f.Type != "" || rapid.Bool().Draw(rt, "named") {
				f.GatewayReference = "psp-1"
			}
			_, err := l.o.Record(f, noon())
			require.NoError(rt, err)
			approved = approved || capture.State == payment.Approved && !capture.Held
			require.Equal(rt, approved && rest == payment.RestVoided, l.p.Release != nil)
		}
		require.Equal(rt, map[bool]int{true: 1}[approved && rest == payment.RestHeld], l.reported())
		released := 0
		for _, e := range l.o.Staged.Events {
			if e.Type == "payment.release" {
				released++
			}
		}
		require.Equal(rt, map[bool]int{true: 1}[approved && rest == payment.RestVoided], released)
	})
}
