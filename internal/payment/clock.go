package payment

import "time"

// Reserved money lapses when it is not captured in time. The clock of a payment
// says when somebody looks at that next: first to learn how long the PSP keeps it,
// where it did not say; then to warn; then, when the time is over, to ask the PSP,
// daily for a while. Nobody guesses: the money is gone when the PSP says so.
const (
	// clockUnset is when the life of a reservation is looked up that the PSP did not
	// tell by then.
	clockUnset = time.Hour
	// warnLong is how long before the end somebody is warned of a reservation that
	// lives for longLife or more; of shorter ones in the last fifth.
	warnLong = 24 * time.Hour
	longLife = 72 * time.Hour
	// lapsedDelay is when the PSP is asked again that could not tell, lapsedMax until
	// how long after the end that is done.
	lapsedDelay = 24 * time.Hour
	lapsedMax   = 5 * lapsedDelay
)

// DueClock is a payment whose clock is due.
type DueClock struct {
	ID PaymentID
	// Lease is until when it was leased: what tells this lease from a later one.
	Lease time.Time
}

// promised keeps until when the PSP says that it keeps the money, the latest of all
// that it ever said. The clock is set anew by it.
func (p *Payment) promised(f Fact, at time.Time) {
	until := f.CaptureBefore.Truncate(time.Microsecond) // as it is kept: the same again is no news
	if !until.After(p.CaptureBefore) {
		return
	}
	p.CaptureBefore, p.ClockDueAt = until, time.Time{}
	p.change = p.change.touched()
	p.wind(at)
}

// wind starts the clock of money that is reserved, and stops it when nothing is any
// more.
func (p *Payment) wind(at time.Time) {
	switch {
	case !p.Sums.Reserved().IsPositive():
		p.setClock(time.Time{})
	case !p.ClockDueAt.IsZero(): // it runs
	case p.CaptureBefore.IsZero():
		p.setClock(at.Add(clockUnset))
	default:
		p.setClock(later(at, p.WarnAt(p.CaptureBefore)))
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// WarnAt is when somebody is warned that a reservation lapses at end.
func (p *Payment) WarnAt(end time.Time) time.Time {
	if life := end.Sub(p.CreatedAt); life < longLife {
		return end.Add(-life / 5)
	}
	return end.Add(-warnLong)
}

// WarnOfLapse tells the timeline and the store that reserved money lapses at end,
// and has the clock come again then.
func (o *Order) WarnOfLapse(p *Payment, end, at time.Time) {
	p.setClock(end)
	if p.Release.Open() {
		return // it is on its way back already
	}
	reserved := p.Sums.Reserved()
	o.Emit(Event{Type: "payment.authorization_expiring", Payment: p.N, Status: string(p.Status), Amount: &reserved}, at)
	o.Note(at, "system", reserved.String()+" "+reserved.Currency().String()+" by "+p.Method+" ("+p.Gateway+
		") are reserved until "+end.UTC().Format(time.DateTime)+" UTC: capture them before.")
}

// NextLapse is when the PSP is asked again about money that is reserved past end,
// when it could not tell now; zero when that has gone on for long enough.
func NextLapse(end, at time.Time) time.Time {
	if next := at.Add(lapsedDelay); next.Before(end.Add(lapsedMax)) {
		return next
	}
	return time.Time{}
}

// Lapsing says when the PSP is asked again about money that is reserved past end. At
// the end of that a case is opened, and the books stay as they are.
func (o *Order) Lapsing(p *Payment, end, at time.Time) {
	next := NextLapse(end, at)
	p.setClock(next)
	if !next.IsZero() {
		return
	}
	reserved := p.Sums.Reserved()
	o.OpenCase(Case{
		Kind: CaseAuthorizationExpiring, Payment: p.N, Transaction: p.Initial().N, Amount: &reserved, OpenedAt: at,
		Detail: "The PSP was to keep the money until " + end.UTC().Format(time.DateTime) +
			" UTC, and does not say whether it still does.",
	})
}

func (p *Payment) setClock(due time.Time) {
	if due.Equal(p.ClockDueAt) {
		return
	}
	p.ClockDueAt = due
	p.change = p.change.touched()
}
