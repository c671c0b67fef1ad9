package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// caseView is something that only a person can decide.
type caseView struct {
	ID          string            `json:"id"`
	Kind        string            `json:"kind" example:"amount_mismatch"`
	State       string            `json:"state" enum:"open,resolved"`
	OrderID     *string           `json:"order_id" doc:"Null for a notification that fits no order."`
	Transaction *string           `json:"transaction"`
	Subject     string            `json:"subject,omitempty" doc:"What else it is about: a notification, an effect."`
	Detail      string            `json:"detail"`
	OpenedAt    httpkit.Timestamp `json:"opened_at"`
}

func (a *API) listCases(ctx context.Context, in *struct {
	httpkit.Page
	State string `query:"state" enum:"open,resolved"`
	Kind  string `query:"kind" maxLength:"64"`
}) (*listOutput[caseView], error) {
	rows, next, err := a.Books.Cases.ListCases(ctx, storeOf(ctx), in.State, payment.CaseKind(in.Kind), pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(rows, next, viewCase), nil
}

func viewCase(c payment.Case) caseView {
	v := caseView{
		ID: c.ID.String(), Kind: string(c.Kind), State: c.State, Subject: c.Subject, Detail: c.Detail,
		OpenedAt: httpkit.NewTimestamp(c.OpenedAt),
	}
	if c.Order != (payment.OrderID{}) {
		v.OrderID = shown(c.Order.String())
		if c.Transaction != 0 {
			v.Transaction = shown(payment.TransactionID{Order: c.Order, N: c.Transaction}.String())
		}
	}
	return v
}
