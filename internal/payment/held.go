package payment

import "slices"

// Held returns the money that is paid or reserved for the order: approved and
// neither released nor taken back. What is given back before the order is covered
// pays nothing of it; once it was covered, refunds do not lower it: what was paid
// and given back is not due again.
func (o *Order) Held() Money {
	held := Zero(o.Currency)
	for _, p := range o.Payments {
		held = held.Add(o.HeldBy(p))
	}
	return held
}

// HeldBy returns how much of the order's total a payment holds, fee aside.
func (o *Order) HeldBy(p *Payment) Money {
	if p.Dropped() {
		return Zero(o.Currency)
	}
	back := o.returned(p)
	return p.covers(p.Sums.Authorized.Sub(p.Sums.Voided).Sub(back.all()).Sub(back.voiding))
}

// Due returns what is neither paid nor reserved yet, never negative.
func (o *Order) Due() Money {
	if due := o.Total.Sub(o.Held()); due.IsPositive() {
		return due
	}
	return Zero(o.Currency)
}

// Covered tells whether payments hold all that the order costs.
func (o *Order) Covered() bool {
	if !o.Total.IsPositive() {
		return slices.ContainsFunc(o.Payments, func(p *Payment) bool { return p.Status == StatusPaid })
	}
	return o.Held().Cmp(o.Total) >= 0
}

// Taken returns how much of the total was ever captured, fees aside. Like Held,
// refunds lower it only as long as the order is not covered.
func (o *Order) Taken() Money {
	taken := Zero(o.Currency)
	for _, p := range o.counted() {
		taken = taken.Add(p.covers(p.Sums.Captured.Sub(o.returned(p).all())))
	}
	return taken
}

// returned is money of a payment that was given back before the order was covered, or
// was on its way back and may be so still: the order was covered without it, or is not
// covered yet.
type returned struct {
	done, underWay Money // of what was taken
	voiding        Money // of what is reserved, and may be released yet
}

// all is what is gone of what was taken, or may be.
func (r returned) all() Money { return r.done.Add(r.underWay) }

func (o *Order) returned(p *Payment) returned {
	nothing := Zero(o.Currency)
	r := returned{done: nothing, underWay: nothing, voiding: nothing}
	for _, t := range p.Transactions {
		switch open := t.State.Open(); {
		case o.wasCovered() && t.N > o.Saved.CoveredN: // it was covered with that money
		case t.Type == Void && open:
			r.voiding = r.voiding.Add(t.Amount)
		case t.Type.GivesBack() && open:
			r.underWay = r.underWay.Add(t.Amount)
		case t.Type.GivesBack() && t.State == Approved && !t.Held:
			r.done = r.done.Add(t.Amount)
		}
	}
	r.underWay = r.underWay.Min(p.Sums.Captured.Sub(r.done))
	r.voiding = r.voiding.Min(p.Sums.Reserved())
	return r
}

// wasCovered tells of an order that its payments covered once. Of one that is cancelled
// and was covered before the number was kept, nobody can tell any more.
func (o *Order) wasCovered() bool {
	return o.Saved.Status != OrderPending && (o.Saved.Status != OrderCancelled || o.Saved.CoveredN > 0)
}

// counted returns the payments that make up how the order stands: those whose
// money was dropped only where there are no others.
func (o *Order) counted() []*Payment {
	if !slices.ContainsFunc(o.Payments, (*Payment).Dropped) {
		return o.Payments // nearly always, and many times for each payment
	}
	kept := slices.DeleteFunc(slices.Clone(o.Payments), func(p *Payment) bool { return p.Dropped() })
	if o.Progress.Status == OrderCancelled && !slices.ContainsFunc(kept, func(p *Payment) bool { return p.Sums.Authorized.IsPositive() }) {
		return o.Payments
	}
	return kept
}

// reserved returns how much of the total is authorized and neither captured nor
// voided, fees aside.
func (o *Order) reserved() Money {
	reserved := Zero(o.Currency)
	for _, p := range o.counted() {
		reserved = reserved.Add(p.covers(p.Sums.Reserved()))
	}
	return reserved
}

// Sums adds up the amounts of all payments, fees included.
func (o *Order) Sums() Sums {
	sums := ZeroSums(o.Currency)
	for _, p := range o.Payments {
		sums = sums.Add(p.Sums)
	}
	return sums
}

// PaymentStatus derives what the order's payments say together. Once they cover the
// order it says nothing of what was given back before.
func (o *Order) PaymentStatus() Status {
	if !o.Total.IsPositive() && o.Covered() {
		return StatusPaid
	}
	covered := o.wasCovered() || o.Covered()
	sums, taken := ZeroSums(o.Currency), Zero(o.Currency)
	for _, p := range o.counted() {
		of := p.Sums
		if covered {
			of = of.without(o.returned(p))
		}
		sums, taken = sums.Add(of), taken.Add(p.covers(of.Captured))
	}
	return statusOf(sums, taken, o.reserved(), o.Total)
}
