package payment

import (
	"cmp"
	"slices"
)

// Sums are the amounts of a payment, added up over its approved transactions:
// 0 ≤ Refunded ≤ Captured ≤ Authorized and Voided ≤ Authorized − Captured. The
// database holds the same as CHECK constraints.
type Sums struct {
	Authorized Money // all that was ever approved, captured at once or later
	Captured   Money
	Refunded   Money // refunds, credits and chargebacks
	Voided     Money
}

// ZeroSums returns no money in any of the sums.
func ZeroSums(c Currency) Sums {
	return Sums{Authorized: Zero(c), Captured: Zero(c), Refunded: Zero(c), Voided: Zero(c)}
}

// Add adds up two sums.
func (s Sums) Add(t Sums) Sums {
	return Sums{
		Authorized: s.Authorized.Add(t.Authorized), Captured: s.Captured.Add(t.Captured),
		Refunded: s.Refunded.Add(t.Refunded), Voided: s.Voided.Add(t.Voided),
	}
}

// without returns the sums as if money had never come that was given back, or is on
// its way back.
func (s Sums) without(r returned) Sums {
	s.Authorized, s.Captured, s.Refunded = s.Authorized.Sub(r.all()), s.Captured.Sub(r.all()), s.Refunded.Sub(r.done)
	return s
}

// Reserved returns what is authorized and neither captured nor voided.
func (s Sums) Reserved() Money { return s.Authorized.Sub(s.Captured).Sub(s.Voided) }

// fits tells whether the invariants hold.
func (s Sums) fits() bool {
	return s.Refunded.Cmp(s.Captured) <= 0 && s.Captured.Add(s.Voided).Cmp(s.Authorized) <= 0
}

// with returns the sums after a transaction that was approved.
func (s Sums) with(t *Transaction) Sums {
	switch t.Type {
	case Authorize:
		s.Authorized = s.Authorized.Add(t.Amount)
	case AuthorizeAndCapture:
		s.Authorized, s.Captured = s.Authorized.Add(t.Amount), s.Captured.Add(t.Amount)
	case Capture:
		s.Captured = s.Captured.Add(t.Amount)
	case Refund, Credit, Chargeback:
		s.Refunded = s.Refunded.Add(t.Amount)
	case Void:
		s.Voided = s.Voided.Add(t.Amount)
	}
	return s
}

// statusOf derives a status from the sums, given what there is to pay and how
// much of that is taken and reserved.
func statusOf(s Sums, taken, reserved, toPay Money) Status {
	switch {
	case s.Captured.IsPositive() && s.Refunded.Cmp(s.Captured) == 0:
		return StatusRefunded
	case s.Refunded.IsPositive():
		return StatusPartiallyRefunded
	case taken.IsPositive() && taken.Cmp(toPay) >= 0:
		return StatusPaid
	case taken.IsPositive():
		return StatusPartiallyPaid
	case s.Authorized.IsPositive() && s.Reserved().IsZero():
		return StatusVoided
	case s.Authorized.IsPositive() && reserved.Cmp(toPay) >= 0:
		return StatusAuthorized
	default:
		return StatusPending
	}
}

// derive recomputes the sums and the status of a payment from its transactions.
// They count in an order of their own, so that the result depends on what is
// known and not on the order of learning it. One that would break the invariants
// is held out of the sums, and so are all but the smallest amount that a PSP told
// of one thing. It returns those that are held from now on.
func (p *Payment) derive() (newlyHeld []*Transaction) {
	sums := ZeroSums(p.Amount.Currency())
	var before *Transaction
	for _, t := range p.inBookOrder() {
		next, held := sums, false
		if t.State == Approved {
			next = sums.with(t)
			held = !next.fits() || before != nil && t.sameThing(before) || p.superseded(t)
		}
		if held != t.Held {
			t.Held = held
			t.change = t.change.touched()
			if held && !p.superseded(t) {
				newlyHeld = append(newlyHeld, t)
			}
		}
		if !t.Held {
			sums = next
		}
		before = t
	}
	p.Sums = sums
	p.Status = p.statusNow()
	if !p.anyOpen() && !p.Sums.Reserved().IsPositive() {
		p.NextAction = nil // nothing is left to do
	}
	p.change = p.change.touched()
	return newlyHeld
}

// inBookOrder returns the transactions in the order in which they count: by what
// can only follow what; what we asked for as we asked; then what the PSP began,
// by its name there, since nobody can say for sure when that was.
func (p *Payment) inBookOrder() []*Transaction {
	if len(p.Transactions) < 2 {
		return p.Transactions
	}
	ordered := slices.Clone(p.Transactions)
	slices.SortStableFunc(ordered, func(a, b *Transaction) int {
		if order := cmp.Compare(a.Type.stage(), b.Type.stage()); order != 0 {
			return order
		}
		switch {
		case a.Reference != "" && b.Reference != "":
			return cmp.Or(a.CreatedAt.Compare(b.CreatedAt), cmp.Compare(a.Reference, b.Reference))
		case a.Reference != "":
			return -1
		case b.Reference != "":
			return 1
		}
		return cmp.Or(cmp.Compare(a.GatewayReference, b.GatewayReference), cmp.Compare(a.Type, b.Type), a.Amount.Cmp(b.Amount))
	})
	return ordered
}

func (p *Payment) statusNow() Status {
	initial := p.Initial()
	if initial == nil {
		return StatusPending
	}
	if initial.State == Approved && p.Charge().IsZero() {
		return StatusPaid
	}
	status := statusOf(p.Sums, p.Sums.Captured, p.Sums.Reserved(), p.Charge())
	if status == StatusPending && !p.anyOpen() && initial.State != Approved {
		return StatusFailed
	}
	return status
}

func (p *Payment) anyOpen() bool {
	for _, t := range p.Transactions {
		if t.State.Open() {
			return true
		}
	}
	return false
}
