package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// reserved returns an order of which all is reserved until a time, zero for a PSP
// that does not say until when.
func reserved(t *testing.T, until time.Time) (*payment.Order, *payment.Payment) {
	t.Helper()
	o := unpaid(t, "100.00")
	p := begun(o, payment.Authorize, "A", o.Total)
	f := approved("A")
	f.CaptureBefore = until
	record(t, o, f)
	return o, p
}

func TestTheClockOfReservedMoneyWarnsInTime(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ until, due time.Time }{
		"a day before, of a week":                 {noon().Add(7 * 24 * time.Hour), noon().Add(6 * 24 * time.Hour)},
		"a day before, of three days":             {noon().Add(72 * time.Hour), noon().Add(48 * time.Hour)},
		"in the last fifth of less":               {noon().Add(10 * time.Hour), noon().Add(8 * time.Hour)},
		"at once, where it is nearly over":        {noon().Add(-time.Hour), noon()},
		"when its life is looked up, if untold":   {time.Time{}, noon().Add(time.Hour)},
		"and no PSP's nanoseconds make any of it": {noon().Add(10*time.Hour + 999), noon().Add(8 * time.Hour)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, p := reserved(t, c.until)
			require.WithinDuration(t, c.due, p.ClockDueAt, time.Microsecond)
			require.Equal(t, c.until.Truncate(time.Microsecond), p.CaptureBefore)
		})
	}
}

func TestTheClockStandsStillWhileNothingIsReserved(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "100.00")
	p := begun(o, payment.AuthorizeAndCapture, "A", o.Total)
	f := approved("A")
	f.CaptureBefore = noon().Add(time.Hour)
	record(t, o, f)
	require.Zero(t, p.ClockDueAt, "the money is taken")

	for _, typ := range []payment.Type{payment.Capture, payment.Void} {
		o, p := reserved(t, noon().Add(7*24*time.Hour))
		record(t, o, byPSP(t, "A", typ, "part", "40.00"))
		require.NotZero(t, p.ClockDueAt, "a part is still reserved")
		record(t, o, byPSP(t, "A", typ, "rest", "60.00"))
		require.Zero(t, p.ClockDueAt, "%s of all of it", typ)
	}
}

func TestAReservationThatThePSPKeepsLongerWarnsLater(t *testing.T) {
	t.Parallel()
	o, p := reserved(t, noon().Add(7*24*time.Hour))
	o.WarnOfLapse(p, p.CaptureBefore, noon().Add(6*24*time.Hour))
	require.Equal(t, p.CaptureBefore, p.ClockDueAt)

	f := approved("A")
	f.CaptureBefore = noon().Add(5 * 24 * time.Hour)
	record(t, o, f)
	require.Equal(t, noon().Add(7*24*time.Hour), p.CaptureBefore, "an older word changes nothing")
	require.Equal(t, p.CaptureBefore, p.ClockDueAt, "nor does it warn again")

	f.CaptureBefore = noon().Add(14 * 24 * time.Hour)
	record(t, o, f)
	require.Equal(t, noon().Add(13*24*time.Hour), p.ClockDueAt)
}

func TestMoneyThatIsOnItsWayBackIsNotWarnedAbout(t *testing.T) {
	t.Parallel()
	o, p := reserved(t, noon().Add(7*24*time.Hour))
	o.ReleaseLater(p, payment.Release{Reason: payment.ReleaseCancelled}, noon())
	events := len(o.Staged.Events)
	o.WarnOfLapse(p, p.CaptureBefore, noon().Add(6*24*time.Hour))
	require.Len(t, o.Staged.Events, events)
	require.Equal(t, p.CaptureBefore, p.ClockDueAt, "but looked at when it lapses")
}

func TestWhetherMoneyLapsedIsAskedDailyAndNeverGuessed(t *testing.T) {
	t.Parallel()
	end := noon().Add(7 * 24 * time.Hour)
	o, p := reserved(t, end)
	at, asked := end, 0
	for ; len(o.Staged.Cases) == 0; asked++ {
		o.Lapsing(p, end, at)
		at = at.Add(24 * time.Hour)
	}
	require.Equal(t, 5, asked)
	require.Zero(t, p.ClockDueAt)
	require.Equal(t, []payment.CaseKind{payment.CaseAuthorizationExpiring}, kinds(o))
	require.Equal(t, euros(t, "100.00"), *o.Staged.Cases[0].Amount)
	require.Equal(t, payment.StatusAuthorized, p.Status)
}
