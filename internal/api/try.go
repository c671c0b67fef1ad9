package api

import (
	"context"
	"encoding/json"
	"net/netip"

	"github.com/danielgtaylor/huma/v2"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// tryBody asks what a pipeline would do to an order.
type tryBody struct {
	Order     string          `json:"order" maxLength:"40" example:"ord_…"`
	Pipeline  string          `json:"pipeline" maxLength:"40" example:"confirm" doc:"One that runs begin with: internal, pre-process, confirm, post-process or cancel."`
	Fact      string          `json:"fact,omitempty" enum:"approved,declined,pending,action_required,not_sent,unknown,reversed" doc:"Of confirm: what the PSP would report about the latest open transaction. Without it, the latest transaction stands as the books have it."`
	Method    string          `json:"method,omitempty" maxLength:"64" doc:"Of internal and pre-process: what would be paid with. Without it, the method of the latest payment."`
	From      string          `json:"from,omitempty" maxLength:"45" example:"192.0.2.7" doc:"The address of whoever causes the run. A fact is then a notification from there; without it, the answer to an inquiry, which has no sender."`
	Pipelines json.RawMessage `json:"pipelines,omitempty" doc:"Edits by pipeline, as below the key pipelines in paysvc.yaml, on top of those in force for the order's method. References to the environment and to files are not looked up."`
}

// tryView is the answer: moments.TryReport, with what may be null.
type tryView struct {
	Order       string                     `json:"order"`
	Pipeline    string                     `json:"pipeline"`
	InForce     moments.TrialReport        `json:"in_force" doc:"What the pipeline would do as settings have it."`
	Tried       *editedTrialView           `json:"tried" doc:"What it would do with the edits, or null without any."`
	Differences []moments.DifferenceReport `json:"differences" doc:"How the two decide otherwise; empty where they do the same."`
	Remarks     []string                   `json:"remarks" doc:"What a trial cannot know, and what it took instead, for people."`
}

// editedTrialView is a trial that there may not be.
type editedTrialView moments.TrialReport

// TransformSchema serves huma.
func (editedTrialView) TransformSchema(_ huma.Registry, s *huma.Schema) *huma.Schema {
	return nullable(s)
}

type tryOutput struct{ Body tryView }

func (a *API) tryPipeline(ctx context.Context, in *struct{ Body tryBody }) (*tryOutput, error) {
	id, err := payment.ParseOrderID(in.Body.Order)
	if err != nil {
		return nil, err
	}
	var from netip.Addr
	if in.Body.From != "" {
		if from, err = netip.ParseAddr(in.Body.From); err != nil {
			return nil, payment.Invalid("from", "invalid", "must be an IP address such as 192.0.2.7")
		}
	}
	tried, err := a.Books.Pipelines.Try(ctx, moments.TryCommand{
		Store: storeOf(ctx), Order: id, Pipeline: in.Body.Pipeline, Fact: payment.State(in.Body.Fact), Method: in.Body.Method,
		From: from, Edits: in.Body.Pipelines,
	})
	if err != nil {
		return nil, err
	}
	r := tried.Report()
	return &tryOutput{Body: tryView{
		Order: r.Order, Pipeline: r.Pipeline, InForce: r.InForce, Tried: (*editedTrialView)(r.Tried),
		Differences: r.Differences, Remarks: r.Remarks,
	}}, nil
}
