package sandbox

import (
	"context"
	"errors"
	"net/http"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// notOperated reads an answer to a request for an operation that is an error.
// That nothing is left may be so because this very operation was made: the PSP is
// asked for it by our reference, and only what it does not know then was refused.
// What else it tells of the payment beside that is told too: it may be why.
func (g *Gateway) notOperated(ctx context.Context, o operation, a gateways.Answer) []payment.Fact {
	refusal := refused(o.reference, a)
	if !nothingLeft(a.Status, refusal.Reason.Code) {
		return []payment.Fact{refusal}
	}
	refusal.State = payment.Unknown
	found, err := g.inquireOperation(ctx, o)
	switch {
	case err == nil:
		return asAnswers(found)
	case errors.Is(err, gateways.ErrNotFound):
		refusal.State = payment.Declined
	}
	return append([]payment.Fact{refusal}, g.begunThere(o, a)...)
}

// nothingLeft tells that the PSP's answer is about what is left of the payment.
func nothingLeft(status int, code string) bool {
	return status == http.StatusConflict && code == "not_allowed" ||
		status == http.StatusUnprocessableEntity && code == "amount_exceeds"
}

// begunThere returns what a refusal tells of operations that the PSP began by itself.
func (g *Gateway) begunThere(o operation, a gateways.Answer) []payment.Fact {
	e, err := decode[errorObject](a.Body)
	if err != nil || e.Payment == nil || !e.Payment.echoes() || e.Payment.Reference != o.of {
		return nil
	}
	facts, err := g.facts(e.Payment, payment.SourceAnswer)
	if err != nil {
		return nil
	}
	var begun []payment.Fact
	for _, f := range facts[1:] {
		if f.Reference == o.of {
			begun = append(begun, f)
		}
	}
	return begun
}

// askOperation asks for what an answer did not say. Such an answer is a hint that
// the operation exists, and proves nothing about it.
func (g *Gateway) askOperation(ctx context.Context, o operation) []payment.Fact {
	facts, err := g.inquireOperation(ctx, o)
	if err != nil {
		return []payment.Fact{unknown(o.reference, "answer_without_echo", "The payment provider did not say what its answer is about.")}
	}
	return asAnswers(facts)
}

// asAnswers makes what was found out on behalf of an answer a part of it.
func asAnswers(facts []payment.Fact) []payment.Fact {
	for i := range facts {
		facts[i].Source = payment.SourceAnswer
	}
	return facts
}
