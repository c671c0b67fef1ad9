package steps

import (
	"context"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// Opener finds the gateway of a payment and says how the payment begins there:
// the request without the reference and the shopper's data.
type Opener interface {
	Open(o *payment.Order, p *payment.Payment) (Payer, payment.PayRequest, error)
}

// Payer begins a payment at a PSP. What it returns is a fact in any case.
type Payer interface {
	Pay(ctx context.Context, r payment.PayRequest) payment.Fact
}

// pspRedirect begins the payment at its PSP: it announces the transaction, calls
// once it is committed, and hands the shopper's next action on.
type pspRedirect struct {
	opener Opener
}

func (pspRedirect) Name() string { return "psp-redirect" }

func (pspRedirect) Requires() []pipeline.Input { return []pipeline.Input{pipeline.InputPayment} }

func (s pspRedirect) Do(run *pipeline.Run) error {
	if err := mayBegin(run); err != nil {
		return err
	}
	_, request, err := s.opener.Open(run.Order, run.Payment)
	if err != nil {
		return err
	}
	run.Announce(run.Payment, request.Type(), request.Amount)
	return nil
}

func (s pspRedirect) Call(ctx context.Context, run *pipeline.Run) pipeline.Answer {
	announced := run.Payment.Initial()
	payer, request, err := s.opener.Open(run.Order, run.Payment)
	if err != nil { // the settings changed between the commit and the call
		return pipeline.Answer{Facts: []payment.Fact{{
			Source: payment.SourceAnswer, Reference: announced.Reference, State: payment.NotSent,
			Reason: payment.Reason{Code: "gateway_unavailable", Message: "The gateway is not configured any more."},
		}}}
	}
	// What was announced is what is asked for, whatever settings say by now.
	request.Capture, request.Amount = announced.Type == payment.AuthorizeAndCapture, announced.Amount
	request.Reference, request.Data, request.Shopper = announced.Reference, run.Data, run.Shopper
	fact := payer.Pay(ctx, request)
	fact.Source, fact.Reference = payment.SourceAnswer, announced.Reference
	return pipeline.Answer{Facts: []payment.Fact{fact}}
}
