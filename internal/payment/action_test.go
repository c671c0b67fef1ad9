package payment_test

import (
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// all is what a gateway can do at most.
func all() payment.Capabilities {
	return payment.Capabilities{
		Capture: true, PartialCapture: true, MultipleCaptures: true, ReleasesRest: true,
		Refund: true, PartialRefund: true, Void: true, VoidRest: true, Increase: true,
	}
}

// life is a payment of 100.00 of an order of 100.00, and what happened to it.
type life struct {
	t *testing.T
	o *payment.Order
	p *payment.Payment
}

func authorized(t *testing.T) *life {
	l := announced(t, payment.Authorize)
	record(t, l.o, approved("A"))
	return l
}

func sold(t *testing.T) *life {
	l := announced(t, payment.AuthorizeAndCapture)
	record(t, l.o, approved("A"))
	return l
}

func announced(t *testing.T, typ payment.Type) *life {
	o := unpaid(t, "100.00")
	return &life{t: t, o: o, p: begun(o, typ, "A", o.Total)}
}

// status is the order's from now on.
func (l *life) status(s payment.OrderStatus) *life {
	l.o.Progress.Status = s
	l.o.Save()
	return l
}

// initial is what became of the transaction that began the payment.
func (l *life) initial(s payment.State) *life {
	record(l.t, l.o, payment.Fact{Source: payment.SourceAnswer, Reference: reference("A"), State: s})
	return l
}

// then announces an operation, and records what became of it.
func (l *life) then(typ payment.Type, name, amount string, s payment.State) *life {
	t := l.o.Announce(l.p, typ, reference(name), euros(l.t, amount), noon(), noon().Add(15*time.Second))
	t.Parent = l.p.Initial().N
	if s != payment.Sending {
		record(l.t, l.o, payment.Fact{Source: payment.SourceAnswer, Reference: reference(name), State: s})
	}
	return l
}

func (l *life) releasing() *life {
	l.o.ReleaseLater(l.p, payment.Release{Reason: payment.ReleaseRequested, Refund: true}, noon())
	return l
}

// verdict is up to how much an action is allowed, "yes" where it is about no amount,
// or why it is not.
func (l *life) verdict(a payment.Action, terms payment.Terms) string {
	var most payment.Money
	var err error
	switch a {
	case payment.ActMarkPaid:
		err = l.o.AllowMarkPaid(l.p)
	case payment.ActMarkAuthorized:
		err = l.o.AllowMarkAuthorized(l.p)
	default:
		most, err = l.o.Allow(a, l.p, terms, noon().Add(time.Minute))
	}
	refused := &payment.Error{}
	switch {
	case errors.As(err, &refused):
		assert.Equal(l.t, payment.KindConflict, refused.Kind)
		assert.NotEmpty(l.t, refused.Why.Message)
		return refused.Why.Code
	case err != nil:
		return err.Error()
	case most == (payment.Money{}):
		return "yes"
	}
	return most.String()
}

// The table of what can be done with a payment, for every state that it can be in,
// at a gateway that can do everything. "?" is what the PSP must say first.
func TestWhatCanBeDoneWithAPayment(t *testing.T) {
	t.Parallel()
	const (
		more    = "9999999999899.99" // as much as an amount can be, less what is reserved
		nothing = "nothing_authorized"
		failed  = "payment_failed"
		none    = "nothing_captured"
		unknown = "outcome_unknown"
		taken   = "captured_already"
		busy    = "operation_in_progress"
		off     = "order_cancelled"
		going   = "being_released"
		wait    = "not_pending"
		paid    = "already_paid"
		back    = "refunded_already"
	)
	p, c := payment.OrderProcessing, payment.OrderCancelled
	approved, pending, lost := payment.Approved, payment.Pending, payment.Unknown
	for _, row := range []struct {
		state                                            string
		is                                               func(*testing.T) *life
		capture, refund, void, increase, paid, authorize string
	}{
		{"it is being sent", func(t *testing.T) *life { return announced(t, payment.Authorize) }, nothing, none, nothing, nothing, "yes", wait},
		{"the shopper must act", func(t *testing.T) *life { return announced(t, payment.Authorize).initial(payment.ActionRequired) }, nothing, none, nothing, nothing, "yes", wait},
		{"it is pending", func(t *testing.T) *life { return announced(t, payment.AuthorizeAndCapture).initial(pending) }, nothing, none, nothing, nothing, "yes", "yes"},
		{"its outcome is unknown", func(t *testing.T) *life { return announced(t, payment.Authorize).initial(lost) }, unknown, none, unknown, unknown, "yes", wait},
		{"it was declined", func(t *testing.T) *life { return announced(t, payment.Authorize).initial(payment.Declined) }, failed, none, failed, failed, "yes", wait},
		{"it never arrived", func(t *testing.T) *life { return announced(t, payment.Authorize).initial(payment.NotSent) }, failed, none, failed, failed, "yes", wait},
		{"authorized", func(t *testing.T) *life { return authorized(t).status(p) }, "100.00", none, "100.00", more, "yes", wait},
		{"authorized, then taken back", func(t *testing.T) *life { return authorized(t).status(p).initial(payment.Reversed) }, failed, none, failed, failed, "yes", wait},
		{"authorized, the order cancelled", func(t *testing.T) *life { return authorized(t).status(c) }, off, none, "100.00", off, "yes", off},
		{"authorized, increased", func(t *testing.T) *life {
			return authorized(t).status(p).then(payment.Authorize, "I", "20.00", approved)
		}, "120.00", none, "120.00", "9999999999879.99", "yes", wait},
		{"authorized, an increase pending", func(t *testing.T) *life {
			return authorized(t).status(p).then(payment.Authorize, "I", "20.00", pending)
		}, "100.00", none, busy, busy, "yes", wait},
		{"authorized, an increase declined", func(t *testing.T) *life {
			return authorized(t).status(p).then(payment.Authorize, "I", "20.00", payment.Declined)
		}, "100.00", none, "100.00", more, "yes", wait},
		{"captured in part", func(t *testing.T) *life { return authorized(t).status(p).then(payment.Capture, "C", "30.00", approved) }, "70.00", "30.00", "70.00", taken, "yes", wait},
		{"captured in part, the rest voided", func(t *testing.T) *life {
			return authorized(t).status(p).then(payment.Capture, "C", "30.00", approved).then(payment.Void, "V", "70.00", approved)
		}, taken, "30.00", taken, taken, paid, wait},
		{"a capture is being sent", func(t *testing.T) *life {
			return authorized(t).status(p).then(payment.Capture, "C", "30.00", payment.Sending)
		}, "70.00", none, busy, busy, "yes", wait},
		{"a capture is pending", func(t *testing.T) *life { return authorized(t).status(p).then(payment.Capture, "C", "30.00", pending) }, "70.00", none, busy, busy, "yes", wait},
		{"a capture of all is pending", func(t *testing.T) *life { return authorized(t).status(p).then(payment.Capture, "C", "100.00", pending) }, busy, none, busy, busy, "yes", wait},
		{"a capture is unknown", func(t *testing.T) *life { return authorized(t).status(p).then(payment.Capture, "C", "30.00", lost) }, unknown, none, unknown, unknown, "yes", wait},
		{"a capture was declined", func(t *testing.T) *life {
			return authorized(t).status(p).then(payment.Capture, "C", "30.00", payment.Declined)
		}, "100.00", none, "100.00", more, "yes", wait},
		{"a capture never arrived", func(t *testing.T) *life {
			return authorized(t).status(p).then(payment.Capture, "C", "30.00", payment.NotSent)
		}, "100.00", none, "100.00", more, "yes", wait},
		{"a void is pending", func(t *testing.T) *life { return authorized(t).status(p).then(payment.Void, "V", "100.00", pending) }, busy, none, busy, busy, "yes", wait},
		{"a void is unknown", func(t *testing.T) *life { return authorized(t).status(p).then(payment.Void, "V", "100.00", lost) }, unknown, none, unknown, unknown, "yes", wait},
		{"voided", func(t *testing.T) *life { return authorized(t).status(p).then(payment.Void, "V", "100.00", approved) }, "voided_already", none, "voided_already", "voided_already", "yes", wait},
		{"paid", func(t *testing.T) *life { return sold(t).status(p) }, taken, "100.00", taken, taken, paid, wait},
		{"paid, the order complete", func(t *testing.T) *life { return sold(t).status(payment.OrderComplete) }, taken, "100.00", taken, taken, paid, wait},
		{"paid, the order cancelled", func(t *testing.T) *life { return sold(t).status(c) }, off, "100.00", taken, off, paid, off},
		{"paid, its money on its way back", func(t *testing.T) *life { return sold(t).status(p).releasing() }, going, going, going, going, paid, wait},
		{"refunded in part", func(t *testing.T) *life { return sold(t).status(p).then(payment.Refund, "R", "40.00", approved) }, taken, "60.00", taken, taken, back, wait},
		{"a refund is pending", func(t *testing.T) *life { return sold(t).status(p).then(payment.Refund, "R", "40.00", pending) }, taken, "60.00", taken, taken, paid, wait},
		{"a refund of all is pending", func(t *testing.T) *life { return sold(t).status(p).then(payment.Refund, "R", "100.00", pending) }, taken, busy, taken, taken, paid, wait},
		{"a refund is unknown", func(t *testing.T) *life { return sold(t).status(p).then(payment.Refund, "R", "40.00", lost) }, taken, unknown, taken, taken, paid, wait},
		{"a refund was declined", func(t *testing.T) *life {
			return sold(t).status(p).then(payment.Refund, "R", "40.00", payment.Declined)
		}, taken, "100.00", taken, taken, paid, wait},
		{"a refund failed later", func(t *testing.T) *life {
			l := sold(t).status(p).then(payment.Refund, "R", "40.00", approved)
			record(t, l.o, payment.Fact{Reference: reference("R"), State: payment.Reversed})
			return l
		}, taken, "100.00", taken, taken, paid, wait},
		{"refunded", func(t *testing.T) *life { return sold(t).status(p).then(payment.Refund, "R", "100.00", approved) }, taken, back, taken, taken, back, wait},
		{"charged back", func(t *testing.T) *life {
			l := sold(t).status(p)
			record(t, l.o, byPSP(t, "A", payment.Chargeback, "cb_1", "100.00"))
			return l
		}, taken, back, taken, taken, back, wait},
		{"charged back in part", func(t *testing.T) *life {
			l := sold(t).status(p)
			record(t, l.o, byPSP(t, "A", payment.Chargeback, "cb_1", "30.00"))
			return l
		}, taken, "70.00", taken, taken, back, wait},
	} {
		t.Run(row.state, func(t *testing.T) {
			t.Parallel()
			l, terms := row.is(t), payment.Terms{Can: all()}
			got := [6]string{
				l.verdict(payment.ActCapture, terms), l.verdict(payment.ActRefund, terms), l.verdict(payment.ActVoid, terms),
				l.verdict(payment.ActIncrease, terms), l.verdict(payment.ActMarkPaid, terms), l.verdict(payment.ActMarkAuthorized, terms),
			}
			require.Equal(t, [6]string{row.capture, row.refund, row.void, row.increase, row.paid, row.authorize}, got)
			l.cannotAtAGatewayThatCannot()
		})
	}
}

// cannotAtAGatewayThatCannot: whatever the state, nothing is allowed that the
// gateway cannot do; what happens outside it is judged as though it could.
func (l *life) cannotAtAGatewayThatCannot() {
	l.t.Helper()
	for _, a := range []payment.Action{payment.ActCapture, payment.ActRefund, payment.ActVoid, payment.ActIncrease} {
		able := l.verdict(a, payment.Terms{Can: all()})
		unable := l.verdict(a, payment.Terms{})
		if able == "outcome_unknown" || able == "being_released" {
			assert.Equal(l.t, able, unable, "%s", a)
			continue
		}
		assert.Equal(l.t, "gateway_cannot", unable, "%s", a)
		if a == payment.ActRefund || a == payment.ActVoid {
			assert.Equal(l.t, able, l.verdict(a, payment.Terms{Offline: true}), "%s offline", a)
		}
	}
}

func TestWhatAGatewayCannotDoInParts(t *testing.T) {
	t.Parallel()
	once := payment.Terms{Can: all()}
	once.Can.MultipleCaptures, once.Can.VoidRest = false, false
	l := authorized(t).status(payment.OrderProcessing).then(payment.Capture, "C", "30.00", payment.Approved)
	require.Equal(t, "captured_already", l.verdict(payment.ActCapture, once))
	require.Equal(t, "captured_already", l.verdict(payment.ActVoid, once))
	once.Offline = true
	require.Equal(t, "70.00", l.verdict(payment.ActVoid, once), "somebody saw it released elsewhere")

	l = authorized(t).status(payment.OrderProcessing).then(payment.Capture, "C", "30.00", payment.Declined)
	require.Equal(t, "100.00", l.verdict(payment.ActCapture, once), "a capture that was declined was none")

	_, err := payment.CheckAmount(amountOf(t, "1.00"), euros(t, "2.00"), false)
	refused := &payment.Error{}
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "partial_not_supported", refused.Why.Code)
	require.Equal(t, "2.00", refused.Max.String())
	whole, err := payment.CheckAmount(amountOf(t, "2.00"), euros(t, "2.00"), false)
	require.NoError(t, err)
	require.Equal(t, "2.00", whole.String())
}

// A call that has taken longer than any may was lost with the instance that made it.
func TestAnOperationThatACrashLeftIsUnknown(t *testing.T) {
	t.Parallel()
	l := sold(t).then(payment.Refund, "R", "40.00", payment.Sending)
	left, err := l.o.Allow(payment.ActRefund, l.p, payment.Terms{Can: all()}, noon().Add(payment.SendingMax-1))
	require.NoError(t, err)
	require.Equal(t, "60.00", left.String(), "it may still come back")
	_, err = l.o.Allow(payment.ActRefund, l.p, payment.Terms{Can: all()}, noon().Add(payment.SendingMax))
	refused := &payment.Error{}
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "outcome_unknown", refused.Why.Code)
}

// What the order was short of was said when it was placed: what one payment does not
// take is no reason not to take another.
func TestAPaymentIsCapturedThoughAnotherWasNotTakenWhole(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "100.00")
	a, b := begun(o, payment.Authorize, "A", euros(t, "50.00")), begun(o, payment.Authorize, "B", euros(t, "50.00"))
	record(t, o, approved("A"))
	_, err := o.Allow(payment.ActCapture, a, payment.Terms{Can: all()}, noon())
	refused := &payment.Error{}
	require.ErrorAs(t, err, &refused)
	require.Equal(t, "order_not_covered", refused.Why.Code, "the other half may never come")

	record(t, o, approved("B"))
	o.Progress.Status = payment.OrderProcessing
	o.Save()
	o.Announce(a, payment.Capture, reference("C"), euros(t, "30.00"), noon(), noon())
	o.Announce(a, payment.Void, reference("V"), euros(t, "20.00"), noon(), noon())
	record(t, o, approved("C"), approved("V"))
	left, err := o.Allow(payment.ActCapture, b, payment.Terms{Can: all()}, noon())
	require.NoError(t, err)
	require.Equal(t, "50.00", left.String())
}
