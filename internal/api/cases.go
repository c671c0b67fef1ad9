package api

import (
	"context"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// CasePath names a case in the path. It is exported because huma passes over
// embedded types that are not.
type CasePath struct {
	ID string `path:"id" maxLength:"40" example:"cas_…"`
}

// caseView is something that only a person can decide.
type caseView struct {
	ID           string             `json:"id"`
	Kind         string             `json:"kind" example:"amount_mismatch"`
	State        string             `json:"state" enum:"open,resolved"`
	OrderID      *string            `json:"order_id" doc:"Null for what fits no order."`
	Number       *string            `json:"number" doc:"The store's number of the order."`
	Payment      *string            `json:"payment"`
	Transaction  *string            `json:"transaction"`
	Subject      string             `json:"subject,omitempty" doc:"What else it is about: a notification, an effect, what the PSP claims."`
	Detail       string             `json:"detail" doc:"What is wrong."`
	WhatToDo     string             `json:"what_to_do"`
	Actions      []string           `json:"actions" nullable:"false" doc:"What may be done with the money as the case is resolved."`
	AmountAtRisk *string            `json:"amount_at_risk" doc:"Null where nobody can say."`
	Currency     *string            `json:"currency" doc:"That of the amount, and of the order."`
	Reported     *reportedView      `json:"reported" doc:"What the PSP reports in place of what was asked."`
	OpenedAt     httpkit.Timestamp  `json:"opened_at"`
	AgeSeconds   int64              `json:"age_seconds" doc:"How long it is open, or was."`
	ResolvedAt   *httpkit.Timestamp `json:"resolved_at" nullable:"true"`
	Resolution   *string            `json:"resolution" doc:"A word of whoever resolved it."`
	Reason       *string            `json:"reason"`
	Action       *string            `json:"action" doc:"What was done with the money."`
	ResolvedBy   *string            `json:"resolved_by" doc:"The name of a key, or system where the case settled itself."`
}

// reportedView is an amount, which may be of another currency than the order's.
type reportedView struct {
	Amount   string `json:"amount"`
	Currency string `json:"currency"`
}

// TransformSchema serves huma.
func (reportedView) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema { return nullable(s) }

type caseOutput struct{ Body caseView }

func (a *API) listCases(ctx context.Context, in *struct {
	httpkit.Page
	State string `query:"state" enum:"open,resolved"`
	Kind  string `query:"kind" maxLength:"64"`
}) (*listOutput[caseView], error) {
	rows, next, err := a.Books.Cases.ListCases(ctx, storeOf(ctx), in.State, payment.CaseKind(in.Kind), pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(rows, next, a.viewCase), nil
}

func (a *API) getCase(ctx context.Context, in *CasePath) (*caseOutput, error) {
	id, err := payment.ParseCaseID(in.ID)
	if err != nil {
		return nil, payment.ErrCaseNotFound
	}
	c, err := a.Books.Cases.Case(ctx, storeOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &caseOutput{a.viewCase(c)}, nil
}

func (a *API) viewCase(c payment.Case) caseView {
	v := caseView{
		ID: c.ID.String(), Kind: string(c.Kind), State: c.State, Subject: c.Subject, Detail: c.Detail,
		WhatToDo: c.Kind.WhatToDo(), Actions: []string{}, OpenedAt: httpkit.NewTimestamp(c.OpenedAt),
	}
	until := a.Now()
	if c.State == payment.CaseResolved {
		r := c.Resolution
		at := httpkit.NewTimestamp(r.At)
		v.ResolvedAt, v.Resolution, v.Reason, v.Action, v.ResolvedBy = &at, &r.Word, &r.Reason, shown(string(r.Action)), &r.By
		until = r.At
	} else {
		for _, action := range c.Kind.Actions() {
			v.Actions = append(v.Actions, string(action))
		}
	}
	v.AgeSeconds = max(0, int64(until.Sub(c.OpenedAt).Seconds()))
	if c.Claimed != nil {
		v.Reported = &reportedView{Amount: c.Claimed.String(), Currency: c.Claimed.Currency().String()}
	}
	if c.Amount != nil {
		v.AmountAtRisk = shown(c.Amount.String())
	}
	if c.Currency != (payment.Currency{}) {
		v.Currency = shown(c.Currency.String())
	}
	if c.Order == (payment.OrderID{}) {
		return v
	}
	v.OrderID, v.Number = shown(c.Order.String()), shown(c.Number)
	if c.Payment != 0 {
		v.Payment = shown(payment.PaymentID{Order: c.Order, N: c.Payment}.String())
	}
	if c.Transaction != 0 {
		v.Transaction = shown(payment.TransactionID{Order: c.Order, N: c.Transaction}.String())
	}
	return v
}
