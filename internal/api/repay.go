package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

func (a *API) repay(ctx context.Context, in *struct {
	OrderPath
	Body *payBody
}) (*payOutput, error) {
	id, err := payment.ParseOrderID(in.ID)
	if err != nil {
		return nil, unmoved(err)
	}
	c := moments.PayCommand{}
	if in.Body != nil {
		if c, err = in.Body.command(); err != nil {
			return nil, unmoved(err)
		}
	}
	c.Order, c.Claim = id, claimOf(ctx, a, "POST /v1/orders/{id}/repay", in.ID)
	return nil, a.answerPay(ctx, a.Moments.Repay, c)
}
