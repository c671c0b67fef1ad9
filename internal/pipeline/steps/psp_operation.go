package steps

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Operator does something with the money of a payment at its PSP.
type Operator interface {
	// CheckOperation is the last look before something is sent: it refuses a part
	// that may not be done, or not any more.
	CheckOperation(run *pipeline.Run, part pipeline.Part) error
	// Operate carries out what was announced as t. The first fact is about t.
	Operate(ctx context.Context, run *pipeline.Run, p *payment.Payment, t *payment.Transaction, data json.RawMessage) []payment.Fact
}

// pspOperation is what psp-capture, psp-refund, psp-void and psp-increase share. It
// lets the PSP capture, refund, void or increase: it announces the
// transactions, calls once they are committed, and brings back what was answered.
// What happens outside any PSP is recorded on the operator's word, without a call.
type pspOperation struct{ operator Operator }

func (pspOperation) Requires() []pipeline.Input { return []pipeline.Input{pipeline.InputOperation} }

func (s pspOperation) Do(run *pipeline.Run) error {
	op := run.Operation
	if op == nil { // a job took up the run: whoever asked is gone
		return ErrInterruptedOperation
	}
	for _, part := range op.Parts {
		if err := s.operator.CheckOperation(run, part); err != nil {
			return err
		}
	}
	record := run.Settle
	if slices.ContainsFunc(op.Parts, func(part pipeline.Part) bool { return !op.Outside(part) }) {
		record = run.Take // a PSP is called for the others, and confirm follows
	}
	for _, part := range op.Parts {
		p := run.Order.Payment(part.Payment)
		t := run.Announce(p, op.Action.Type(), part.Amount)
		t.Parent, t.Rest = parentOf(p, t.Type), part.Rest
		if !op.Outside(part) {
			continue
		}
		err := record(payment.Fact{Source: payment.SourceOperator, Reference: t.Reference, State: payment.Approved, Amount: &t.Amount})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s pspOperation) Call(ctx context.Context, run *pipeline.Run) pipeline.Answer {
	var calls []*operationCall
	var group sync.WaitGroup
	for _, p := range run.Order.Payments {
		for _, t := range p.Transactions {
			if t.State == payment.Sending && run.Owns(t) {
				c := &operationCall{payment: p, transaction: t}
				calls = append(calls, c)
				group.Go(func() { c.do(ctx, run, s.operator) }) // all at once: none is to wait until it is too late to be sent
			}
		}
	}
	group.Wait()
	var answer pipeline.Answer
	for _, c := range calls {
		answer.Facts = append(answer.Facts, c.facts...)
	}
	return answer
}

// operationCall is one of the calls that an operation makes.
type operationCall struct {
	payment     *payment.Payment
	transaction *payment.Transaction
	facts       []payment.Fact
}

// do calls the PSP. A gateway that panics has told nothing.
func (c *operationCall) do(ctx context.Context, run *pipeline.Run, operator Operator) {
	defer func() {
		if p := recover(); p != nil {
			c.facts = []payment.Fact{{
				Source: payment.SourceAnswer, Reference: c.transaction.Reference, State: payment.Unknown,
				Reason: payment.Reason{Code: "internal_error", Message: pipeline.PanicError(p).Error()},
			}}
		}
	}()
	c.facts = operator.Operate(ctx, run, c.payment, c.transaction, run.Data)
	for i := range c.facts {
		c.facts[i].Source = payment.SourceAnswer
	}
}

// parentOf returns the number of the transaction that an operation acts upon: what
// reserved the money, or what took it last.
func parentOf(p *payment.Payment, typ payment.Type) int {
	parent := p.Initial().N
	for _, t := range p.Transactions {
		if typ == payment.Refund && t.Type == payment.Capture && t.State == payment.Approved {
			parent = t.N
		}
	}
	return parent
}

// ErrInterruptedOperation refuses an operation that ended before anything was sent
// for it: an operation is carried out for who asks for it, or not at all.
var ErrInterruptedOperation = payment.Errorf(payment.KindUnavailable, "gateway_unavailable",
	"the operation was interrupted before it began; nothing was sent")
