package steps

import (
	"encoding/json"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Decider decides a payment of a gateway that has no PSP, in memory. The fact
// names no reference yet; the request says what the transaction is.
type Decider interface {
	Decide(o *payment.Order, p *payment.Payment, reference string, data json.RawMessage) (payment.Fact, payment.PayRequest, error)
}

// decidePayment lets a gateway without a PSP (zero total, offline) say at once
// what the payment is worth. Steps before it may still refuse the payment.
type decidePayment struct {
	decider Decider
}

func (decidePayment) Name() string { return "decide-payment" }

func (decidePayment) Requires() []pipeline.Input { return []pipeline.Input{pipeline.InputPayment} }

func (s decidePayment) Do(run *pipeline.Run) error {
	if err := mayBegin(run); err != nil {
		return err
	}
	reference := run.Reference()
	fact, request, err := s.decider.Decide(run.Order, run.Payment, reference, run.Data)
	if err != nil {
		return err
	}
	run.AnnounceAs(reference, run.Payment, request.Type(), request.Amount)
	fact.Source, fact.Reference = payment.SourceGateway, reference
	return run.Take(fact)
}

// mayBegin refuses to begin the run's payment for nobody, or for an order that is
// no longer as it was when the payment was opened.
func mayBegin(run *pipeline.Run) error {
	if run.Resumed {
		return ErrInterrupted
	}
	return run.Order.CheckSend(run.Payment, run.At)
}

// ErrInterrupted refuses a payment that ended before anything was sent for it, and
// to begin one for somebody who is gone: a payment begins with who asks for it, or
// not at all.
var ErrInterrupted = payment.Errorf(payment.KindUnavailable, "gateway_unavailable",
	"the payment was interrupted before it began; nothing was sent")
