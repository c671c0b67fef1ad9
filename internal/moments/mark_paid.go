package moments

import (
	"context"
	"errors"
	"net/netip"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// MarkPaidCommand says that the money of a payment without a PSP has come.
type MarkPaidCommand struct {
	Store   string
	Payment payment.PaymentID
	// Claim is the idempotency key.
	Claim  *payment.Claim
	Author string // name of the key
	Reason string
	From   netip.Addr
	// Render makes the answer from the outcome, as for PayCommand.
	Render func(Outcome) payment.Reply
}

// MarkPaid takes an operator's word for it that a payment was made: one that
// waits is approved, one that was trusted is captured. It is a fact like any
// other, and confirm decides on it. The error of what is not allowed says why.
func (s *Service) MarkPaid(ctx context.Context, c MarkPaidCommand) (Answer, error) {
	reply := payment.Reply{}
	var answered *pipeline.Run // what reply is about
	req := pipeline.Request{
		Open:    payment.Opening{Store: c.Store, Order: c.Payment.Order, Claim: c.Claim},
		Prepare: func(run *pipeline.Run) error { return s.markPaid(run, c) },
		Pick:    s.pick(pipeline.Confirm),
		Confirm: s.pick(pipeline.Confirm),
		From:    c.From,
		Reply: func(run *pipeline.Run) *payment.Reply {
			reply, answered = c.Render(Outcome{Order: run.Order, Payment: run.Payment}), run
			return &reply
		},
	}
	run, err := s.execute(ctx, req)
	if run != nil && run == answered {
		return Answer{Reply: reply}, nil // the money is in the books, whatever a step made of it
	}
	if claimed, ok := errors.AsType[*payment.Claimed](err); ok {
		known := PayCommand{Store: c.Store, Order: c.Payment.Order, Claim: c.Claim, Render: c.Render}
		return s.repeat(ctx, &known, claimed)
	}
	return Answer{Reply: reply}, err
}

// markPaid records, on the locked order, what the operator says.
func (s *Service) markPaid(run *pipeline.Run, c MarkPaidCommand) error {
	o := run.Order
	p := o.Payment(c.Payment.N)
	if p == nil {
		return payment.NotFound("a payment of this id")
	}
	account, err := s.account(o, p)
	if err != nil {
		return err
	}
	if _, decides := account.Gateway.(gateways.Decider); !decides {
		return payment.NotAllowed("gateway_decides", "the payment's PSP says when it is paid")
	}
	if err := mayMarkPaid(o, p); err != nil {
		return err
	}
	run.Payment = p
	o.Note(run.At, c.Author, "Marked as paid: "+c.Reason)
	t := p.Initial()
	if t.State == payment.Approved { // what was reserved on trust is taken now
		capture := o.Announce(p, payment.Capture, run.Reference(), p.Sums.Reserved(), run.At, run.At)
		capture.Parent = t.N
		t = capture
	}
	return run.Take(payment.Fact{
		Source: payment.SourceOperator, Reference: t.Reference, State: payment.Approved, Amount: &t.Amount,
	})
}

// mayMarkPaid tells whether money of the payment is still to come.
func mayMarkPaid(o *payment.Order, p *payment.Payment) error {
	t := p.Initial()
	switch {
	case o.Saved.Status == payment.OrderCancelled:
		return payment.NotAllowed("order_cancelled", "the order is cancelled")
	case t != nil && t.State == payment.Pending, p.Sums.Reserved().IsPositive():
		return nil
	case p.Sums.Captured.IsPositive(), p.Status == payment.StatusPaid:
		return payment.NotAllowed("already_paid", "the payment is paid already")
	}
	return payment.NotAllowed("nothing_to_pay", "the payment was declined or released: it waits for no money")
}
