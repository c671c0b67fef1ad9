package moments

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Clocks keeps when somebody looks at reserved money again.
type Clocks interface {
	PostponeClock(ctx context.Context, d payment.DueClock, again time.Time) error
}

// CaptureBefore is until when the money of a payment stays reserved: as the PSP
// said, or else as long as its method keeps it from the beginning of the payment
// on; zero where nobody knows.
func (s *Service) CaptureBefore(o *payment.Order, p *payment.Payment) time.Time {
	if !p.CaptureBefore.IsZero() {
		return p.CaptureBefore
	}
	account, err := s.account(o, p)
	if err != nil {
		return time.Time{}
	}
	life := account.Gateway.Describe().Methods[s.kindOf(o, p)].AuthorizationLife
	if life <= 0 {
		return time.Time{}
	}
	return p.CreatedAt.Add(life)
}

// kindOf is the gateway's word for the method of a payment. One from before it was
// kept has that of the method in the settings.
func (s *Service) kindOf(o *payment.Order, p *payment.Payment) string {
	if p.Kind != "" {
		return p.Kind
	}
	if m, err := s.method(o.Store, p.Method); err == nil {
		return m.Kind
	}
	return ""
}

// KeepClock looks at reserved money whose clock is due: it warns before the money
// lapses, once, and when the time is over it asks the PSP, daily for a while. What
// the PSP says enters the books through confirm; nobody guesses that money is gone.
func (s *Service) KeepClock(ctx context.Context, d payment.DueClock) error {
	o, err := s.Orders.ReadOrder(ctx, "", d.ID.Order)
	if err != nil {
		return fmt.Errorf("clock of %s: %w", d.ID, err)
	}
	p := o.Payment(d.ID.N)
	if p == nil || !p.Sums.Reserved().IsPositive() {
		return s.Clocks.PostponeClock(ctx, d, time.Time{})
	}
	end, now := s.CaptureBefore(o, p), s.Now()
	switch {
	case end.IsZero():
		return s.Clocks.PostponeClock(ctx, d, time.Time{})
	case now.Before(p.WarnAt(end)):
		return s.Clocks.PostponeClock(ctx, d, p.WarnAt(end))
	case now.Before(end):
		return s.change(ctx, o, func(o *payment.Order, at time.Time) {
			if p := leased(o, d); p != nil {
				o.WarnOfLapse(p, end, at)
			}
		})
	}
	return s.askReserved(ctx, o, p, d, end)
}

// leased returns the payment of a clock that nobody has set anew since it was
// leased, or nil.
func leased(o *payment.Order, d payment.DueClock) *payment.Payment {
	if p := o.Payment(d.ID.N); p.ClockDueAt.Equal(d.Lease) {
		return p
	}
	return nil
}

// askReserved asks the PSP about money that should have been captured by now. A PSP
// that knows of no end, or cannot be asked, leaves everything as it is.
func (s *Service) askReserved(
	ctx context.Context, o *payment.Order, p *payment.Payment, d payment.DueClock, end time.Time,
) error {
	lapsing := func(o *payment.Order, at time.Time) {
		if p := leased(o, d); p != nil && p.Sums.Reserved().IsPositive() {
			o.Lapsing(p, end, at)
		}
	}
	facts, err := s.askAbout(ctx, o, p, p.Initial())
	if err == nil && s.news(ctx, o, facts) {
		return s.learn(ctx, o, facts, func(run *pipeline.Run) error {
			lapsing(run.Order, run.At)
			return nil
		})
	}
	if next := payment.NextLapse(end, s.Now()); !next.IsZero() {
		return errors.Join(err, s.Clocks.PostponeClock(ctx, d, next))
	}
	return errors.Join(err, s.change(ctx, o, lapsing))
}

// askAbout asks about a transaction that is decided. That a PSP cannot be asked, or
// knows of none, tells nothing.
func (s *Service) askAbout(
	ctx context.Context, o *payment.Order, p *payment.Payment, t *payment.Transaction,
) ([]payment.Fact, error) {
	facts, err := s.ask(ctx, o, p, t)
	if errors.Is(err, errNobodyToAsk) {
		return nil, nil
	}
	return facts, err
}
