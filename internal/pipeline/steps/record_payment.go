package steps

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// recordPayment takes an operator's word for it that the money of a payment has
// come, or is sure to come. It is a fact like any other, and confirm decides on it.
type recordPayment struct{}

func (recordPayment) Name() string { return "record-payment" }

func (recordPayment) Requires() []pipeline.Input { return []pipeline.Input{pipeline.InputOperation} }

func (recordPayment) Do(run *pipeline.Run) error {
	op := run.Operation
	if op == nil {
		return ErrInterruptedOperation
	}
	for _, part := range op.Parts {
		p := run.Order.Payment(part.Payment)
		if err := record(run, op, p); err != nil {
			return err
		}
	}
	return nil
}

func record(run *pipeline.Run, op *pipeline.Operation, p *payment.Payment) error {
	fact := payment.Fact{Source: payment.SourceOperator, State: payment.Approved}
	if op.Action == payment.ActMarkAuthorized {
		if err := run.Order.AllowMarkAuthorized(p); err != nil {
			return err
		}
		run.Order.Note(run.At, op.Author, "Marked as authorized: "+op.Reason)
		fact.Type, fact.Reference, fact.Amount = payment.Authorize, p.Initial().Reference, &p.Initial().Amount
		return run.Settle(fact)
	}
	if err := run.Order.AllowMarkPaid(p); err != nil {
		return err
	}
	run.Order.Note(run.At, op.Author, "Marked as paid: "+op.Reason)
	t := paidBy(run, p)
	fact.Reference, fact.Amount = t.Reference, &t.Amount
	return run.Settle(fact)
}

// paidBy returns the transaction that the money which came settles: the payment
// itself, the capture of what was reserved on trust, or, where that was released
// meanwhile, one more that takes its place.
func paidBy(run *pipeline.Run, p *payment.Payment) *payment.Transaction {
	initial := p.Initial()
	if initial.State != payment.Approved {
		return initial
	}
	typ, amount := payment.Capture, p.Sums.Reserved()
	if !amount.IsPositive() {
		typ, amount = payment.AuthorizeAndCapture, p.Charge()
	}
	t := run.Announce(p, typ, amount)
	t.Parent = initial.N
	return t
}
