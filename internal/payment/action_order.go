package payment

// AllowMarkPaid tells whether an operator may say that the money of a payment has
// come. It may have come late: after a release, or after it was given up.
func (o *Order) AllowMarkPaid(p *Payment) error {
	switch t := p.Initial(); {
	case t == nil:
		return NotAllowed("nothing_to_pay", "the payment was never begun")
	case p.Sums.Refunded.IsPositive():
		return NotAllowed("refunded_already", "the payment was paid, and money was given back")
	case p.Sums.Reserved().IsPositive():
		return nil
	case p.Sums.Captured.IsPositive(), p.Status == StatusPaid:
		return NotAllowed("already_paid", "the payment is paid already")
	}
	return nil
}

// AllowMarkAuthorized tells whether an operator may say that the money of a payment
// is sure to come.
func (o *Order) AllowMarkAuthorized(p *Payment) error {
	switch t := p.Initial(); {
	case o.Saved.Status == OrderCancelled:
		return NotAllowed("order_cancelled", "the order is cancelled")
	case t == nil || t.State != Pending:
		return NotAllowed("not_pending", "the payment does not wait for money")
	}
	return nil
}

// AllowComplete tells whether the order may be called complete: all that is left to
// do for it is done.
func (o *Order) AllowComplete() error {
	switch o.Saved.Status {
	case OrderProcessing:
		return nil
	case OrderComplete:
		return NotAllowed("completed_already", "the order is complete already")
	case OrderCancelled:
		return NotAllowed("order_cancelled", "the order is cancelled")
	case OrderPending:
	}
	return NotAllowed("order_not_covered", "the payments do not cover the order yet")
}

// CheckAmount makes the amount of an operation from the one that is wanted, nil for
// all, and the most that there is.
func CheckAmount(wanted *Money, most Money, partial bool) (Money, error) {
	switch {
	case wanted == nil:
		return most, nil
	case !wanted.IsPositive():
		return Money{}, Invalid("amount", "amount_invalid", "must be above zero")
	case wanted.Cmp(most) > 0:
		e := Invalid("amount", "amount_exceeds", "is more than there is")
		e.Max = &most
		return Money{}, e
	case wanted.Cmp(most) < 0 && !partial:
		e := NotAllowed("partial_not_supported", "the payment's PSP does this with the whole amount only")
		e.Max = &most
		return Money{}, e
	}
	return *wanted, nil
}

// Forgone is the fact that nobody waits any more for a transfer outside any PSP, now
// that its order is cancelled; another reason may be put in its place. One that comes
// all the same is late truth, and a case.
func Forgone(t *Transaction) Fact {
	return Fact{
		Source: SourceOperator, Reference: t.Reference, State: Declined,
		Reason: Reason{Code: "order_cancelled", Message: "The order was cancelled."},
	}
}

// AllowCancel tells whether the order may be cancelled, money that it holds aside.
func (o *Order) AllowCancel() error {
	if o.Saved.Status == OrderCancelled {
		return Errorf(KindConflict, "order_not_open", "the order is cancelled already")
	}
	for _, t := range o.IncomingTransactions() {
		if !t.AwaitsTransfer() {
			return Errorf(KindConflict, "payment_in_progress", "a payment of the order is under way")
		}
	}
	return nil
}
