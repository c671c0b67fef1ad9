package moments

import (
	"slices"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// prepare makes the run one that the attempt is about, as the moment would.
func (a attempt) prepare(run *pipeline.Run, s *Service) error {
	if a.begins {
		return a.begin(run, s)
	}
	if a.operates != "" {
		return s.prepare(run, &OperateCommand{Action: a.operates, Payment: a.about, Author: "trial", Amount: a.amount(run)})
	}
	if a.about == 0 {
		return nil
	}
	run.Payment = run.Order.Payment(a.about)
	if run.Payment == nil || !a.finding || len(run.Payment.Transactions) == 0 {
		return nil
	}
	latest := slices.MaxFunc(run.Payment.Transactions, func(t, u *payment.Transaction) int { return t.N - u.N })
	run.Findings = []payment.Finding{{
		Payment: run.Payment, Transaction: latest, Source: a.source(), Before: latest.State,
	}}
	return nil
}

// amount is how much is tried: an increase says by how much, by as much as the
// payment was for.
func (a attempt) amount(run *pipeline.Run) func(payment.Currency) (*payment.Money, error) {
	p := run.Order.Payment(a.about)
	if a.operates != payment.ActIncrease || p == nil {
		return nil
	}
	return func(payment.Currency) (*payment.Money, error) { return &p.Amount, nil }
}

// begin opens the payment with a method: that of the payment which is begun once
// more, whose order is as it was before.
func (a attempt) begin(run *pipeline.Run, s *Service) error {
	m, err := s.method(run.Order.Store, a.method)
	if err != nil {
		return err
	}
	run.Payment = run.Order.OpenPayment(m.Name, m.Account.GatewayName, m.Account.Name, m.Account.Mode, run.Order.Due(), run.At)
	run.Payment.Fee = m.Fee.Of(run.Payment.Amount)
	return nil
}

// before returns the order as it was when the payment was begun: without it and
// those after it. If no money is left then, nothing had been decided yet.
func before(o *payment.Order, p *payment.Payment) *payment.Order {
	was := *o
	was.Payments = slices.DeleteFunc(slices.Clone(o.Payments), func(other *payment.Payment) bool { return other.N >= p.N })
	if !was.Held().IsPositive() {
		was.Progress = payment.Progress{Status: payment.OrderPending}
		was.Saved, was.Review, was.Effects = was.Progress, "", nil
	}
	return &was
}
