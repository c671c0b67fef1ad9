package payment

import (
	"slices"
	"time"
)

// CheckOpen refuses to begin a payment of an order that needs none or takes none
// any more.
func (o *Order) CheckOpen(at time.Time) error {
	switch {
	case o.Covered():
		return Errorf(KindConflict, "order_already_paid", "payments cover the order already")
	case !o.Payable(at):
		return Errorf(KindConflict, "order_not_open", "the order is closed and cannot be paid")
	}
	return nil
}

// PaymentsMax bounds the payments of one order. Nobody who means to pay begins so
// many; whoever tries stolen cards does, and all of them are read with their order.
const PaymentsMax = 200

// CheckTries refuses so many payments more where an order was tried too often.
func (o *Order) CheckTries(more int) error {
	if len(o.Payments)+more > PaymentsMax {
		return Errorf(KindConflict, "too_many_attempts", "it was tried too often to pay the order: make another one")
	}
	return nil
}

// CheckIdle refuses to begin a payment, or to change what is to be paid, while
// another payment may still move money, or is about to be sent behind others of its
// tender: two at once could both be charged.
func (o *Order) CheckIdle() error { return o.checkIdle(nil) }

// checkIdle is CheckIdle for whoever sends one of these payments.
func (o *Order) checkIdle(own []*Payment) error {
	waits := slices.ContainsFunc(o.Payments, func(p *Payment) bool { return p.Waits() && !slices.Contains(own, p) })
	if waits || len(o.IncomingTransactions()) > 0 {
		return Errorf(KindConflict, "payment_in_progress", "a payment of the order is under way")
	}
	return nil
}

// CheckSend is the last look before something is sent for a payment: between its
// opening and this moment the order may have been paid, closed or changed.
func (o *Order) CheckSend(p *Payment, at time.Time) error {
	if err := o.CheckOpen(at); err != nil {
		return err
	}
	tender := o.TenderOf(p)
	if err := o.checkIdle(tender); err != nil {
		return err
	}
	unsent := p.Amount
	for _, q := range tender {
		if q != p && q.Unsent() {
			unsent = unsent.Add(q.Amount)
		}
	}
	if !unsent.Equal(o.Due()) || p.Status != StatusPending {
		return Errorf(KindConflict, "order_changed", "the order was changed while the payment was begun")
	}
	return nil
}
