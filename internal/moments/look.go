package moments

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// The bounds of asking PSPs because somebody looks at an order.
const (
	lookAgain = 15 * time.Second // between two looks at one order
	lookMax   = 10 * time.Second // that a look may take
	looksMax  = 64               // under way at once
	looksEach = 4                // of them, that ask about one account
	looksKept = 10_000           // remembered
)

// LookedAt tells that somebody reads an order of which it is not known how it
// stands. What it returns asks the PSPs about it, for the next who reads; it is nil
// where that was done a moment ago, or where enough of it is under way. So whoever
// polls brings the answer nearer and no storm to the PSP. The schedule of asking
// goes on as it is. Each account has few places, so that one whose PSP hangs leaves
// the others theirs.
func (s *Service) LookedAt(store string, id payment.OrderID) (look func(ctx context.Context)) {
	if !s.looks.begin(id, s.Now()) {
		return nil
	}
	return func(ctx context.Context) {
		defer s.looks.end()
		bounded, cancel := context.WithTimeout(ctx, lookMax)
		defer cancel()
		if err := s.lookSafely(bounded, store, id); err != nil {
			s.Log.Warn().Err(err).Stringer("order", id).Msg("ask about an order that somebody looks at")
		}
	}
}

// lookSafely is look for a goroutine of its own, where a panic would end the service.
func (s *Service) lookSafely(ctx context.Context, store string, id payment.OrderID) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = pipeline.PanicError(p)
		}
	}()
	return s.look(ctx, store, id)
}

func (s *Service) look(ctx context.Context, store string, id payment.OrderID) error {
	o, err := s.Orders.ReadOrder(ctx, store, id)
	if err != nil {
		return err
	}
	for _, p := range o.Payments {
		err = errors.Join(err, s.lookAtPayment(ctx, o, p))
	}
	return err
}

// lookAtPayment asks about what is lost of a payment, if its account has a place.
func (s *Service) lookAtPayment(ctx context.Context, o *payment.Order, p *payment.Payment) error {
	lost := slices.DeleteFunc(slices.Clone(p.Transactions), func(t *payment.Transaction) bool { return !t.Lost(s.Now()) })
	account := payment.AccountName{Store: o.Store, Gateway: p.Gateway, Account: p.Account, Mode: p.Mode}
	if len(lost) == 0 || !s.looks.enter(account) {
		return nil
	}
	defer s.looks.leave(account)
	for _, t := range lost {
		if err := s.inquire(ctx, o, p, t); err != nil {
			return err
		}
	}
	return nil
}

// looks remembers which orders were looked at lately, and counts the looks under
// way, and those that ask about an account. Its zero value is ready.
type looks struct {
	mu   sync.Mutex
	at   map[payment.OrderID]time.Time
	busy int
	each map[payment.AccountName]int
}

func (l *looks) begin(id payment.OrderID, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.at[id]; l.busy >= looksMax || ok && now.Sub(at) < lookAgain {
		return false
	}
	if len(l.at) >= looksKept {
		for id, at := range l.at {
			if now.Sub(at) >= lookAgain {
				delete(l.at, id)
			}
		}
	}
	if len(l.at) >= looksKept {
		return false
	}
	if l.at == nil {
		l.at = make(map[payment.OrderID]time.Time)
	}
	l.at[id] = now
	l.busy++
	return true
}

func (l *looks) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.busy--
}

// enter takes one of the places of an account, if one is free.
func (l *looks) enter(a payment.AccountName) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.each[a] >= looksEach {
		return false
	}
	if l.each == nil {
		l.each = make(map[payment.AccountName]int)
	}
	l.each[a]++
	return true
}

func (l *looks) leave(a payment.AccountName) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.each[a]--; l.each[a] == 0 {
		delete(l.each, a)
	}
}
