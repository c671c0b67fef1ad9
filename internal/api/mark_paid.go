package api

import (
	"context"
	"strings"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// PaymentPath names a payment in the path. It is exported because huma passes
// over embedded types that are not.
type PaymentPath struct {
	ID string `path:"id" maxLength:"40" example:"pay_…"`
}

type markPaidBody struct {
	Reason string `json:"reason" minLength:"1" maxLength:"500" doc:"What the operator knows, for the timeline: where and when the money came."`
}

func (a *API) markPaid(ctx context.Context, in *struct {
	PaymentPath
	Body markPaidBody
}) (*payOutput, error) {
	id, err := payment.ParsePaymentID(in.ID)
	if err != nil {
		return nil, unmoved(errPaymentNotFound)
	}
	reason := strings.TrimSpace(in.Body.Reason)
	if reason == "" {
		return nil, unmoved(payment.Invalid("reason", "required", "must say something"))
	}
	var renderErr error
	answer, err := a.Moments.Operate(ctx, moments.OperateCommand{
		Store: storeOf(ctx), Order: id.Order, Payment: id.N, Action: payment.ActMarkPaid,
		Claim:  claimOf(ctx, a, "POST /v1/payments/{id}/mark-paid", in.ID),
		Author: callerOf(ctx).key.Name, Actor: callerOf(ctx).key.ID, Reason: reason, From: addressOf(ctx),
		Render: func(o moments.Outcome) payment.Reply {
			reply, err := renderPay(ctx, o)
			renderErr = err
			return reply
		},
	})
	if err == nil {
		err = renderErr
	}
	if payment.KindOf(err) == payment.KindNotFound {
		err = errPaymentNotFound
	}
	if err != nil {
		return nil, unmoved(err)
	}
	return nil, asSent(answer)
}
