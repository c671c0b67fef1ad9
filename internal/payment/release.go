package payment

import (
	"slices"
	"time"
)

// ReleaseReason says why money of a payment is given back.
type ReleaseReason string

// The reasons.
const (
	// ReleaseTender is a part of several payments of which another one failed.
	ReleaseTender ReleaseReason = "tender_incomplete"
	// ReleaseCancelled is money of an order that was cancelled, on the word of
	// whoever cancelled it.
	ReleaseCancelled ReleaseReason = "cancelled"
	// ReleaseSurplus is money on an order that was covered already.
	ReleaseSurplus ReleaseReason = "surplus"
	// ReleaseLate is money that came for an order that was cancelled by then.
	ReleaseLate ReleaseReason = "paid_after_cancel"
	// ReleaseRest is what a final capture left, at a PSP that does not release it
	// by itself.
	ReleaseRest ReleaseReason = "capture_final"
	// ReleaseRequested is money that an operator gives back.
	ReleaseRequested ReleaseReason = "by_request"
	// ReleaseUncovered is money that an operator gives back of an order that was never
	// covered.
	ReleaseUncovered ReleaseReason = "not_covered"
)

// Release is the decision that money of a payment is given back: voided where it
// is reserved, refunded where it was taken. It is written in the commit of what
// led to it, and a job carries it out, whatever crashes in between.
type Release struct {
	Reason ReleaseReason
	// Refund tells that what was taken is refunded; otherwise only what is reserved
	// is voided.
	Refund bool
	// DueAt is when it is looked at next; zero once nothing is left to give back, or
	// when it was given up and a case is open.
	DueAt time.Time
	// Tries counts the tries in a row that gave nothing back.
	Tries int
}

// Open tells whether money is still to be given back.
func (r *Release) Open() bool { return r != nil && !r.DueAt.IsZero() }

// ReleaseLater has the money of a payment given back, from at on. It tells
// whether that is news: what is decided already stays as it is, but for a refund
// where only a void was agreed.
func (o *Order) ReleaseLater(p *Payment, r Release, at time.Time) bool {
	if p.Dropped() {
		r.Reason = p.Release.Reason // it never becomes the order's, whoever gives it back
	}
	if p.Release != nil && (p.Release.Open() || p.Release.Reason == r.Reason) && (p.Release.Refund || !r.Refund) {
		return false
	}
	r.DueAt = at
	p.Release = &r
	p.change = p.change.touched()
	p.endRelease(at) // all of it may have been given back before
	o.Emit(Event{Type: "payment.release", Payment: p.N, Status: string(r.Reason)}, at)
	return true
}

// GiveBack is ReleaseLater for a decision that is meant anew: a release that was
// given up is tried again.
func (o *Order) GiveBack(p *Payment, r Release, at time.Time) {
	if !o.ReleaseLater(p, r, at) && !p.Release.Open() {
		o.PostponeRelease(p, at, false)
	}
}

// PostponeRelease says when the release of a payment is looked at again, zero for
// never. Failed counts a try that gave nothing back.
func (o *Order) PostponeRelease(p *Payment, again time.Time, failed bool) {
	if p.Release == nil {
		return
	}
	p.Release.DueAt = again
	if failed {
		p.Release.Tries++
	} else {
		p.Release.Tries = 0
	}
	p.change = p.change.touched()
}

// Releasable is what a release still has to give back: what is reserved, then what
// was taken.
func (p *Payment) Releasable() (reserved, taken Money) {
	taken = Zero(p.Amount.Currency())
	if p.Release != nil && p.Release.Refund {
		taken = p.Sums.Captured.Sub(p.Sums.Refunded)
	}
	return p.Sums.Reserved(), taken
}

// Dropped tells of a payment whose money was never the order's, or is not any
// more: another payment has to cover what it was for.
func (p *Payment) Dropped() bool {
	if p.Release == nil {
		return false
	}
	switch p.Release.Reason {
	case ReleaseTender, ReleaseSurplus, ReleaseUncovered:
		return true
	case ReleaseCancelled, ReleaseLate, ReleaseRest, ReleaseRequested:
	}
	return false
}

// endRelease ends a release once nothing is left to give back and nothing open
// can bring more. News of the payment, and money that arrives later, make it due.
func (p *Payment) endRelease(at time.Time) {
	if p.Release == nil {
		return
	}
	reserved, taken := p.Releasable()
	nothing := !reserved.IsPositive() && !taken.IsPositive() && !p.mayRelease()
	switch {
	case nothing && p.Release.Open():
		p.Release.DueAt = time.Time{}
	case nothing, p.Release.Open() && !p.Release.DueAt.After(at), !p.Release.Open() && p.Release.Tries >= ReleaseTriesMax:
		return
	default:
		p.Release.DueAt = at
	}
	p.change = p.change.touched()
}

// mayRelease tells whether something open can bring more to give back. A refund
// under way cannot where what was taken is kept.
func (p *Payment) mayRelease() bool {
	return slices.ContainsFunc(p.Transactions, func(t *Transaction) bool {
		return t.State.Open() && (p.Release.Refund || t.Type != Refund)
	})
}

// ReleaseTriesMax is how often a release is tried in vain before a person has to
// look.
const ReleaseTriesMax = 8

// breakTender gives back what the payments took that were to pay the order
// together with changed, once one of them failed: all of them pay, or none. One that
// was given up and pays after all is alone, too. Once they have paid the order, or it
// is cancelled, what becomes of one is no longer the others' business.
func (o *Order) breakTender(changed *Payment, at time.Time) {
	tender := o.TenderOf(changed)
	broken := slices.ContainsFunc(tender, func(p *Payment) bool { return !p.Alive() })
	if changed.Tender == 0 || o.Progress.Status != OrderPending || !broken {
		return
	}
	for _, p := range tender {
		switch {
		case !p.Alive():
		case len(p.Transactions) == 0:
			o.Abandon(p, at)
		case p.Initial().AwaitsTransfer():
			o.forgoPart(p, at)
		default:
			o.ReleaseLater(p, Release{Reason: ReleaseTender, Refund: true}, at)
		}
	}
}

// forgoPart ends a part of a broken tender that waits for a transfer: nobody is to
// make it now, and no PSP would ever say that it does not come.
func (o *Order) forgoPart(p *Payment, at time.Time) {
	forgone := Forgone(p.Initial())
	forgone.Reason = Reason{Code: string(ReleaseTender), Message: "Another payment that was to pay the order with it failed."}
	_, _ = o.Record(forgone, at) // it is about a transaction that is there
}

// stallTender gives up what is still to be sent of several payments that pay the
// order together, when one of them does not decide at once: what the shopper
// entered for the others is kept nowhere, so nobody could send them later.
func (o *Order) stallTender(p *Payment, at time.Time) {
	if p.Tender == 0 || p.Initial().State == Sending || !p.anyOpen() {
		return
	}
	for _, q := range o.TenderOf(p) {
		o.Abandon(q, at) // which breaks the tender
	}
}

// TenderOf returns the payments that pay the order together with p, in the order in
// which they are made; p alone where it pays alone.
func (o *Order) TenderOf(p *Payment) []*Payment {
	if p.Tender == 0 {
		return []*Payment{p}
	}
	return slices.DeleteFunc(slices.Clone(o.Payments), func(q *Payment) bool { return q.Tender != p.Tender })
}
