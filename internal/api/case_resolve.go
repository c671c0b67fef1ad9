package api

import (
	"context"
	"net/http"
	"slices"
	"strings"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

type resolveBody struct {
	Resolution string       `json:"resolution" maxLength:"40" pattern:"^[a-z_]{1,40}$" patternDescription:"a word of small letters and underscores" example:"money_found"`
	Reason     httpkit.Text `json:"reason" minLength:"1" maxLength:"500" doc:"What was found, for the timeline."`
	Action     string       `json:"action,omitempty" enum:"none,approve,decline,refund" doc:"What is done with the money; none where it is missing."`
}

// errScope refuses a key that a route lets in what needs one scope more.
func errScope(missing payment.Scope) error {
	return httpkit.NewProblem(http.StatusForbidden, httpkit.CodeForbidden, "The API key does not have the scope "+string(missing)+".")
}

// resolveCase ends a case. Its answer is rendered before the commit that it is
// kept with.
func (a *API) resolveCase(ctx context.Context, in *struct {
	CasePath
	Body resolveBody
}) (*caseOutput, error) {
	id, err := payment.ParseCaseID(in.ID)
	if err != nil {
		return nil, unmoved(payment.ErrCaseNotFound)
	}
	reason := strings.TrimSpace(string(in.Body.Reason))
	if reason == "" {
		return nil, unmoved(payment.Invalid("reason", "required", "must say something"))
	}
	key, action := callerOf(ctx).key, payment.CaseAction(in.Body.Action)
	if action == payment.CaseActRefund && !slices.Contains(key.Scopes, payment.ScopeRefunds) {
		return nil, errScope(payment.ScopeRefunds)
	}
	var renderErr error
	answer, err := a.Moments.ResolveCase(ctx, moments.ResolveCommand{
		Store: storeOf(ctx), Case: id, Resolution: in.Body.Resolution, Reason: reason, Action: action,
		Claim: claimOf(ctx, a, "POST /v1/cases/{id}/resolve", in.ID), Author: key.Name, By: a.by(ctx),
		Render: func(c payment.Case) payment.Reply {
			body, err := httpkit.EncodeJSON(a.viewCase(c))
			renderErr = err
			return payment.Reply{Status: http.StatusOK, Body: body, Final: true}
		},
	})
	if err == nil {
		err = renderErr
	}
	if payment.KindOf(err) == payment.KindNotFound {
		err = payment.ErrCaseNotFound
	}
	if err != nil {
		return nil, unmoved(err)
	}
	return nil, asSent(answer)
}
