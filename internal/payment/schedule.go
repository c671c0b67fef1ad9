package payment

import (
	"hash/fnv"
	"slices"
	"time"
)

// inquiryDelays is when the PSP is asked about an open transaction: after the
// first delay, then after each next one; the last repeats daily.
var inquiryDelays = []time.Duration{
	15 * time.Second, 30 * time.Second, time.Minute, 2 * time.Minute, 5 * time.Minute, 10 * time.Minute,
	30 * time.Minute, time.Hour, 3 * time.Hour, 6 * time.Hour, 12 * time.Hour, 24 * time.Hour,
}

const (
	// InquiriesMax is how often the PSP is asked about what it cannot tell: by the
	// delays, and on five days more.
	InquiriesMax = 17
	// What the PSP knows to be pending is nobody's riddle, as a bank transfer that
	// takes its time: it is asked about weekly then, eight times.
	pendingDelay = 7 * 24 * time.Hour
	pendingMax   = InquiriesMax + 8
)

// SendMax is how long after its announcement a transaction may still be sent. What
// could not be sent by then, because the commit or the process was held up, is not
// sent at all: by "no such payment" a PSP means only what it can still get.
const SendMax = 5 * time.Second

// InquiryDelay returns how long to wait before the PSP is asked again, when it
// has been asked so many times. The jitter of up to a fifth, more or less, comes
// from the reference, so the schedule of a transaction is the same wherever it is
// computed while many of them spread out. The first delay has none.
func InquiryDelay(reference string, asked int) time.Duration {
	delay := inquiryDelays[min(asked, len(inquiryDelays)-1)]
	if asked == 0 {
		return delay
	}
	return spread(reference, delay)
}

// spread makes a delay up to a fifth longer or shorter.
func spread(reference string, delay time.Duration) time.Duration {
	h := fnv.New64a()
	_, _ = h.Write([]byte(reference)) // a hash never fails
	fifth := int64(delay / 5)
	return delay + time.Duration(int64(h.Sum64()>>1)%(2*fifth+1)-fifth)
}

// NextInquiry returns when the PSP is asked about the transaction next, when it was
// asked now once more and said nothing new; zero at the end of the schedule.
func (t *Transaction) NextInquiry(at time.Time) time.Time {
	switch asked := t.Inquiries + 1; {
	case asked < InquiriesMax:
		return at.Add(InquiryDelay(t.Reference, asked))
	case t.State == Pending && asked < pendingMax:
		return at.Add(spread(t.Reference, pendingDelay))
	}
	return time.Time{}
}

// Askable tells whether a PSP can be asked about the transaction: it is open, and
// was sent to one. At the end of the schedule it still can be.
func (t *Transaction) Askable() bool {
	return t.State.Open() && t.Reference != "" && (!t.DueAt.IsZero() || t.Inquiries > 0)
}

// Lost tells whether nobody knows what became of the transaction: its outcome is
// unknown, or it was being sent when a crash came.
func (t *Transaction) Lost(at time.Time) bool {
	return t.State == Unknown || t.State == Sending && at.Sub(t.CreatedAt) >= SendingMax
}

// Lost tells whether nobody knows what became of a transaction of the order.
func (o *Order) Lost(at time.Time) bool {
	return slices.ContainsFunc(o.OpenTransactions(), func(t *Transaction) bool { return t.Lost(at) })
}

// Undecided tells that the order waits for money, and the shopper has nothing to do
// for it: perhaps nobody knows what became of it.
func (s Standing) Undecided() bool {
	return s.Status == OrderPending && s.PaymentStatus == StatusPending && s.NextAction == nil
}

// Asked counts a question to the PSP that left the transaction open, and says when
// the next one is due. Asked is how often it had been asked before: where somebody
// else has counted it, or the transaction is decided, nothing is done. At the end
// of the schedule a case is opened, and the order stays as it is: nobody guesses.
// A fact that comes later still decides.
func (o *Order) Asked(n, asked int, next, at time.Time, why string) {
	p, t := o.Transaction(n)
	if t == nil || !t.State.Open() || t.Inquiries != asked || t.DueAt.IsZero() {
		return
	}
	t.Inquiries++
	t.DueAt = next
	t.change = t.change.touched()
	if !next.IsZero() {
		return
	}
	amount := t.Amount
	o.OpenCase(Case{
		Kind: CaseUnknownOutcome, Payment: p.N, Transaction: n, Amount: &amount, OpenedAt: at,
		Detail: why + " It is open since " + t.CreatedAt.UTC().Format(time.DateTime) + " UTC, and the PSP is not asked any more.",
	})
}

// Transaction returns the transaction of this number and its payment, or nils.
func (o *Order) Transaction(n int) (*Payment, *Transaction) {
	for _, p := range o.Payments {
		for _, t := range p.Transactions {
			if t.N == n {
				return p, t
			}
		}
	}
	return nil, nil
}
