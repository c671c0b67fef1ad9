package sandbox

import (
	"context"
	"net/http"
	"time"
)

// decision is what the shopper's buttons say.
type decision string

const (
	decisionPay     decision = "pay"
	decisionDecline decision = "decline"
	decisionCancel  decision = "cancel"
)

// outcome is how a decision ends where the scenario does not say otherwise.
func (d decision) outcome() string {
	switch d {
	case decisionPay:
		return stateApproved
	case decisionDecline:
		return stateDeclined
	case decisionCancel:
		return stateCancelled
	default:
		return ""
	}
}

// decide does what a button does and tells the merchant. The same decision
// again changes nothing; another one than was made is a problem. A pending
// payment can be decided only by the control API (evenPending).
func (s *Simulator) decide(ctx context.Context, p *payment, d decision, evenPending bool) (*payment, error) {
	pressed := false
	e, err := s.ledger.update(p.ID, func(next *payment) (*notification, error) {
		first := next.first()
		switch {
		case first.State == statePending && evenPending:
			first.settle(d.outcome(), reasonOf(d.outcome()), s.now().UTC())
		case first.State == stateActionRequired:
			s.press(next, d)
			pressed = true
		case first.State == d.outcome(), first.State == statePending && d == decisionPay:
			return nil, errUnchanged
		default:
			return nil, refuse(http.StatusConflict, "already_decided", "The payment is decided otherwise.")
		}
		return s.notificationOf(next, 0)
	})
	if err != nil {
		return e.Payment, withPayment(err, e.Payment)
	}
	if pressed && e.Payment.first().State == statePending {
		s.settleLater(place{e.Payment.ID, 0})
	}
	s.await(ctx, s.dispatch(e.Notification), s.delays.FirstDelivery)
	return e.Payment, nil
}

// press decides a waiting payment; Pay ends as the scenario says.
func (s *Simulator) press(p *payment, d decision) {
	first := p.first()
	sc, known := scenarioNamed(p.Scenario)
	if d != decisionPay || !known || sc.state == stateActionRequired {
		first.settle(d.outcome(), reasonOf(d.outcome()), s.now().UTC())
		return
	}
	sc.play(first, s.now().UTC(), s.delays.Pending)
}

// await gives the result of a first try, or nothing when it takes too long.
func (s *Simulator) await(ctx context.Context, first <-chan []delivery, limit time.Duration) []delivery {
	t := time.NewTimer(limit)
	defer t.Stop()
	select {
	case results := <-first:
		return results
	case <-t.C:
	case <-ctx.Done():
	case <-s.background.ctx.Done():
	}
	return nil
}
