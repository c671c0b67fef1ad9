package moments

import (
	"errors"
	"time"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Possible is something that can be done with an order or a payment, or cannot.
type Possible struct {
	Action  payment.Action
	Payment int // its number; 0 for the order as a whole
	// Max is up to how much, nil where it is not about an amount.
	Max *payment.Money
	// WhyNot is why it is not allowed; nil where it is.
	WhyNot *payment.Reason
}

// The actions in the order in which they are listed.
var (
	actionsOfOrder = []payment.Action{ //nolint:gochecknoglobals // a constant list
		payment.ActPay, payment.ActRepay, payment.ActCancel, payment.ActComplete, payment.ActRefund,
	}
	actionsOfPayment = []payment.Action{ //nolint:gochecknoglobals // a constant list
		payment.ActCapture, payment.ActRefund, payment.ActVoid, payment.ActIncrease, payment.ActMarkPaid, payment.ActMarkAuthorized,
	}
)

// Actions tells what can be done with an order and its payments as it stands, by
// the rules that judge whoever does it. Where nobody knows what became of an earlier
// operation, whoever asks for the next one has the PSP asked first.
func (s *Service) Actions(o *payment.Order) []Possible {
	at := s.Now()
	var all []Possible
	for _, action := range actionsOfOrder {
		most, err := s.mayOrder(o, action, at)
		all = append(all, possible(action, 0, most, err))
	}
	for _, p := range o.Payments {
		for _, action := range actionsOfPayment {
			most, err := s.may(o, p, &pipeline.Operation{Action: action}, at)
			all = append(all, possible(action, p.N, most, err))
		}
	}
	return all
}

func possible(action payment.Action, n int, most *payment.Money, err error) Possible {
	a := Possible{Action: action, Payment: n, Max: most}
	if err == nil {
		return a
	}
	a.Max, a.WhyNot = nil, &payment.Reason{Code: "internal", Message: "nobody can say"}
	if e, ok := errors.AsType[*payment.Error](err); ok {
		a.WhyNot = &payment.Reason{Code: e.Code, Message: e.Message}
		if e.Why != (payment.Reason{}) {
			a.WhyNot = &e.Why
		}
	}
	return a
}

// mayOrder judges what is done with an order as a whole.
func (s *Service) mayOrder(o *payment.Order, action payment.Action, at time.Time) (*payment.Money, error) {
	switch action {
	case payment.ActRepay:
		if o.LatestPayment() == nil {
			return nil, errNeverPaid
		}
		fallthrough
	case payment.ActPay:
		due := o.Due()
		return &due, s.mayPay(o, at)
	case payment.ActCancel:
		return nil, s.mayEnd(o)
	case payment.ActComplete:
		return nil, o.AllowComplete()
	case payment.ActRefund:
		_, most, err := s.refundable(o, &pipeline.Operation{Action: action}, at)
		return &most, err
	case payment.ActCapture, payment.ActVoid, payment.ActIncrease, payment.ActMarkPaid, payment.ActMarkAuthorized:
	}
	return nil, payment.Errorf(payment.KindInternal, "internal", "%s is not done with an order", action)
}

// may judges what is done with one payment.
func (s *Service) may(o *payment.Order, p *payment.Payment, op *pipeline.Operation, at time.Time) (*payment.Money, error) {
	if op.Action == payment.ActMarkPaid || op.Action == payment.ActMarkAuthorized {
		return nil, s.mayMark(o, p, op)
	}
	terms, err := s.terms(o, p, op)
	if err != nil {
		return nil, err
	}
	most, err := o.Allow(op.Action, p, terms, at)
	return &most, err
}

// mayPay tells whether another payment may begin, if need be in place of one that
// its shopper left.
func (s *Service) mayPay(o *payment.Order, at time.Time) error {
	if err := o.CheckOpen(at); err != nil {
		return err
	}
	if err := o.CheckTries(1); err != nil {
		return err
	}
	if err := o.CheckIdle(); err != nil && !s.replaceable(o) {
		return err
	}
	return nil
}

// mayEnd tells whether the order may be cancelled, once it is said what becomes of
// money that it holds.
func (s *Service) mayEnd(o *payment.Order) error {
	if err := o.AllowCancel(); payment.CodeOf(err) != codeInProgress || !s.replaceable(o) {
		return err
	}
	return nil
}

// replaceable tells of an order whose open payments all wait for a shopper, and can
// be closed at their PSPs.
func (s *Service) replaceable(o *payment.Order) bool {
	for _, p := range o.Payments {
		if p.Waits() {
			return false
		}
		for _, t := range p.Transactions {
			if !t.State.Open() {
				continue
			}
			account, err := s.account(o, p)
			if err != nil || t.State != payment.ActionRequired {
				return false
			}
			if _, ok := account.Gateway.(gateways.Closer); !ok {
				return false
			}
		}
	}
	return true
}
