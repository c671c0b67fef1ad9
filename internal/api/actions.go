package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// actionView is something that can be done with an order or a payment, or cannot.
type actionView struct {
	Action    string      `json:"action" enum:"pay,repay,cancel,complete,refund,capture,void,increase,mark_paid,mark_authorized"`
	Payment   *string     `json:"payment" doc:"The payment that it is about; null for the order as a whole."`
	Allowed   bool        `json:"allowed"`
	MaxAmount *string     `json:"max_amount" doc:"Up to how much; null where it is not about an amount, or not allowed."`
	WhyNot    *whyNotView `json:"why_not" doc:"Why it is not allowed now, or null."`
}

type whyNotView struct {
	Code    string `json:"code"`
	Message string `json:"message"`
}

type actionsOutput struct {
	Body struct {
		Data []actionView `json:"data"`
	}
}

func (a *API) getActions(ctx context.Context, in *OrderPath) (*actionsOutput, error) {
	o, err := a.order(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	out := &actionsOutput{}
	for _, action := range a.Moments.Actions(o) {
		out.Body.Data = append(out.Body.Data, viewAction(o.ID, action))
	}
	return out, nil
}

func viewAction(order payment.OrderID, a moments.Possible) actionView {
	v := actionView{Action: string(a.Action), Allowed: a.WhyNot == nil}
	if a.Payment != 0 {
		v.Payment = shown(payment.PaymentID{Order: order, N: a.Payment}.String())
	}
	if a.Max != nil {
		v.MaxAmount = shown(a.Max.String())
	}
	if a.WhyNot != nil {
		v.WhyNot = &whyNotView{Code: a.WhyNot.Code, Message: sentence(a.WhyNot.Message)}
	}
	return v
}
