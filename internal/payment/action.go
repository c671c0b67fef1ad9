package payment

import "time"

// Action is something that can be done with an order or a payment.
type Action string

// The actions.
const (
	ActPay            Action = "pay"
	ActRepay          Action = "repay"
	ActCapture        Action = "capture"
	ActRefund         Action = "refund"
	ActVoid           Action = "void"
	ActIncrease       Action = "increase"
	ActCancel         Action = "cancel"
	ActMarkPaid       Action = "mark_paid"
	ActMarkAuthorized Action = "mark_authorized"
	ActComplete       Action = "complete"
)

// Type is the type of the transactions that an operation on a payment makes.
func (a Action) Type() Type {
	switch a {
	case ActCapture:
		return Capture
	case ActRefund:
		return Refund
	case ActVoid:
		return Void
	case ActIncrease:
		return Authorize
	case ActPay, ActRepay, ActCancel, ActMarkPaid, ActMarkAuthorized, ActComplete:
	}
	return ""
}

// Terms are on what terms an operation is wanted, beside the money.
type Terms struct {
	// Can is what the payment's gateway can do with it.
	Can Capabilities
	// Offline records what happens outside any PSP, which then need not be able to
	// do it.
	Offline bool
	// Releasing tells that the operation carries out the payment's release.
	Releasing bool
}

// Allow tells up to how much an operation may be done with a payment now, or in an
// error made by NotAllowed why it may not be done at all. The table of all states
// and operations is a test.
func (o *Order) Allow(a Action, p *Payment, terms Terms, at time.Time) (Money, error) {
	if err := p.settled(a, at); err != nil {
		return Money{}, err
	}
	more := a == ActCapture || a == ActIncrease
	released := p.Release.Open() && (p.Release.Refund || a != ActRefund) // what was taken may stay
	if !terms.Releasing && (released || more && p.Dropped()) {
		return Money{}, NotAllowed("being_released", "the payment's money is being given back")
	}
	switch a {
	case ActCapture:
		return o.allowCapture(p, terms)
	case ActRefund:
		return p.allowRefund(terms)
	case ActVoid:
		return p.allowVoid(terms)
	case ActIncrease:
		return o.allowIncrease(p, terms)
	case ActPay, ActRepay, ActCancel, ActMarkPaid, ActMarkAuthorized, ActComplete:
	}
	return Money{}, Errorf(KindInternal, "internal", "%s is not done with the money of one payment", a)
}

// SendingMax is how long a call to a PSP can last: what is in state sending for
// longer was left by a crash, and its outcome is unknown.
const SendingMax = 2 * time.Minute

// settled refuses an operation while nobody knows what became of an earlier one
// that moves the same money.
func (p *Payment) settled(a Action, at time.Time) error {
	for _, t := range p.Transactions {
		if t.Lost(at) && (t.Type == Refund) == (a == ActRefund) {
			return NotAllowed("outcome_unknown", "nobody knows yet what became of an earlier operation; the PSP is being asked")
		}
	}
	return nil
}

func (o *Order) allowCapture(p *Payment, terms Terms) (Money, error) {
	left := p.Sums.Reserved().Sub(p.under(Capture))
	switch {
	case !terms.Can.Capture:
		return Money{}, notAble
	case o.Saved.Status == OrderCancelled:
		return Money{}, NotAllowed("order_cancelled", "the order is cancelled")
	case p.under(Void).IsPositive():
		return Money{}, busy
	case p.has(Capture) && !terms.Can.MultipleCaptures:
		return Money{}, NotAllowed("captured_already", "the payment was captured, and its PSP captures once")
	case !left.IsPositive():
		return Money{}, p.nothingReserved()
	case o.Saved.Status == OrderPending && !o.Covered(): // once it was, what another payment lost is no reason
		return Money{}, NotAllowed("order_not_covered", "the payments do not cover the order yet")
	}
	return left, nil
}

func (p *Payment) allowRefund(terms Terms) (Money, error) {
	left := p.Sums.Captured.Sub(p.Sums.Refunded).Sub(p.under(Refund))
	switch {
	case !terms.Can.Refund && !terms.Offline:
		return Money{}, notAble
	case left.IsPositive():
		return left, nil
	case p.under(Refund).IsPositive():
		return Money{}, busy
	case p.Sums.Refunded.IsPositive():
		return Money{}, NotAllowed("refunded_already", "all that was taken is given back")
	}
	return Money{}, NotAllowed("nothing_captured", "nothing was taken that could be given back")
}

func (p *Payment) allowVoid(terms Terms) (Money, error) {
	left := p.Sums.Reserved()
	switch {
	case !terms.Can.Void && !terms.Offline:
		return Money{}, notAble
	case !left.IsPositive():
		return Money{}, p.nothingReserved()
	case p.under(Capture).IsPositive(), p.under(Void).IsPositive(), p.under(Authorize).IsPositive():
		return Money{}, busy
	case p.Sums.Captured.IsPositive() && !terms.Can.VoidRest && !terms.Offline:
		return Money{}, NotAllowed("captured_already", "a part was captured, and the PSP does not release the rest")
	}
	return left, nil
}

func (o *Order) allowIncrease(p *Payment, terms Terms) (Money, error) {
	switch {
	case !terms.Can.Increase:
		return Money{}, notAble
	case o.Saved.Status == OrderCancelled:
		return Money{}, NotAllowed("order_cancelled", "the order is cancelled")
	case p.under(Void).IsPositive(), p.under(Capture).IsPositive(), p.under(Authorize).IsPositive():
		return Money{}, busy
	case p.Sums.Captured.IsPositive():
		return Money{}, NotAllowed("captured_already", "only what was not captured yet can be increased")
	case !p.Sums.Reserved().IsPositive():
		return Money{}, p.nothingReserved()
	}
	return FromMinor(amountMax, p.Amount.Currency()).Sub(p.Sums.Authorized), nil
}

var (
	notAble = NotAllowed("gateway_cannot", "the payment's PSP cannot do that")                     //nolint:gochecknoglobals // a constant error
	busy    = NotAllowed("operation_in_progress", "another operation on the payment is under way") //nolint:gochecknoglobals // a constant error
)

// nothingReserved says why there is nothing to capture or to void.
func (p *Payment) nothingReserved() *Error {
	switch {
	case p.under(Capture).IsPositive():
		return busy
	case p.Sums.Captured.IsPositive():
		return NotAllowed("captured_already", "all that was reserved is captured")
	case p.Sums.Voided.IsPositive():
		return NotAllowed("voided_already", "the money was released")
	case p.Status == StatusFailed:
		return NotAllowed("payment_failed", "the payment failed: it holds no money")
	}
	return NotAllowed("nothing_authorized", "no money is reserved for the payment")
}

// under adds up the operations of a type that are under way: they reserve what
// they may still take.
func (p *Payment) under(typ Type) Money {
	sum := Zero(p.Amount.Currency())
	for _, t := range p.Transactions {
		if t.Type == typ && t.State.Open() && (typ != Authorize || t.Parent != 0) {
			sum = sum.Add(t.Amount)
		}
	}
	return sum
}

// has tells of an operation of a type that was done, or is under way.
func (p *Payment) has(typ Type) bool {
	for _, t := range p.Transactions {
		if t.Type == typ && (t.State.Open() || t.State == Approved) {
			return true
		}
	}
	return false
}
