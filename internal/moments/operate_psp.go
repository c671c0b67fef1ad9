package moments

import (
	"context"
	"encoding/json"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// terms says on what terms an operation may be done with a payment: what its
// gateway can do, and whether there is a PSP at all.
func (s *Service) terms(o *payment.Order, p *payment.Payment, op *pipeline.Operation) (payment.Terms, error) {
	account, err := s.account(o, p)
	if err != nil {
		return payment.Terms{}, err
	}
	_, decides := account.Gateway.(gateways.Decider)
	return payment.Terms{
		Can: s.capabilities(o, p, account.Gateway), Offline: op.Offline || decides, Releasing: op.Releasing,
	}, nil
}

// capabilities says what a gateway can do with a payment.
func (s *Service) capabilities(o *payment.Order, p *payment.Payment, g gateways.Gateway) payment.Capabilities {
	return g.Describe().Methods[s.kindOf(o, p)].Capabilities
}

// operator is the service as the steps of operations see it.
type operator struct{ *Service }

// CheckOperation implements steps.Operator.
func (o operator) CheckOperation(run *pipeline.Run, part pipeline.Part) error {
	op, p := run.Operation, run.Order.Payment(part.Payment)
	terms, err := o.terms(run.Order, p, op)
	if err != nil {
		return err
	}
	most, err := run.Order.Allow(op.Action, p, terms, run.At)
	if err != nil {
		return err
	}
	_, err = payment.CheckAmount(&part.Amount, most, partial(op.Action, terms))
	return err
}

// checkData lets the gateways check the data of an operation.
func (s *Service) checkData(run *pipeline.Run, data json.RawMessage) error {
	if len(data) == 0 || run.Operation.Offline {
		return nil
	}
	for _, part := range run.Operation.Parts {
		account, err := s.account(run.Order, run.Order.Payment(part.Payment))
		if err != nil {
			return err
		}
		validator, ok := account.Gateway.(gateways.OperationDataValidator)
		if !ok {
			continue
		}
		if err := validator.ValidateOperationData(data); err != nil {
			return dataProblem(err)
		}
	}
	return nil
}

// Operate carries out an announced operation at its PSP.
func (o operator) Operate(
	ctx context.Context, run *pipeline.Run, p *payment.Payment, t *payment.Transaction, data json.RawMessage,
) []payment.Fact {
	account, err := o.account(run.Order, p)
	if err != nil { // the settings changed between the commit and the call
		return []payment.Fact{notConfigured(t)}
	}
	request := payment.OperationRequest{
		Type: t.Type, Reference: t.Reference, Amount: t.Amount, Final: t.Rest != "", Reason: run.Operation.Reason,
		Method: p.Kind, Order: run.Order, Payment: p, Data: data,
		NotifyURL: o.PublicURL + "/confirm/" + p.Gateway + "/" + p.Account,
	}
	call := gateways.OperationOf(account.Gateway, t.Type)
	if call == nil {
		return []payment.Fact{notConfigured(t)}
	}
	facts := call(ctx, request)
	if len(facts) == 0 {
		facts = []payment.Fact{{State: payment.Unknown, Reason: payment.Reason{Code: "no_answer", Message: "The gateway said nothing."}}}
	}
	facts[0].Reference = t.Reference
	return facts
}

func notConfigured(t *payment.Transaction) payment.Fact {
	return payment.Fact{
		Source: payment.SourceAnswer, Reference: t.Reference, State: payment.NotSent,
		Reason: payment.Reason{Code: "gateway_unavailable", Message: "The gateway is not configured any more."},
	}
}

// mayMark tells whether an operator may say that the money of a payment has come,
// or is sure to. Of a payment at a PSP only the PSP may.
func (s *Service) mayMark(o *payment.Order, p *payment.Payment, op *pipeline.Operation) error {
	account, err := s.account(o, p)
	if err != nil {
		return err
	}
	if _, decides := account.Gateway.(gateways.Decider); !decides {
		return payment.NotAllowed("gateway_decides", "the payment's PSP says when it is paid")
	}
	op.Parts = []pipeline.Part{{Payment: p.N, Amount: p.Charge()}}
	if op.Action == payment.ActMarkAuthorized {
		return o.AllowMarkAuthorized(p)
	}
	return o.AllowMarkPaid(p)
}
