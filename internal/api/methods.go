package api

import (
	"context"
	"encoding/json"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
)

// methodView is a method as the API offers it.
type methodView struct {
	Method              string           `json:"method"`
	Title               string           `json:"title"`
	Type                string           `json:"type" enum:"standard,redirection,button,standard_and_button,standard_and_redirection"`
	RequiresInteraction bool             `json:"requires_interaction"`
	Fee                 string           `json:"fee" doc:"What the method costs on top; negative for a discount."`
	TotalWithFee        string           `json:"total_with_fee"`
	Widget              map[string]any   `json:"widget" doc:"What a page needs to ask for the payment data, or null."`
	Saved               []any            `json:"saved"`
	Capabilities        capabilitiesView `json:"capabilities"`
	Position            int              `json:"position"`
	Excluded            *reasonView      `json:"excluded,omitempty" doc:"Why the order cannot be paid with it."`
}

type capabilitiesView struct {
	Capture          bool   `json:"capture"`
	PartialCapture   bool   `json:"partial_capture"`
	MultipleCaptures bool   `json:"multiple_captures"`
	ReleasesRest     bool   `json:"releases_rest" doc:"What a last capture leaves is released by the PSP."`
	Refund           bool   `json:"refund"`
	PartialRefund    bool   `json:"partial_refund"`
	Void             bool   `json:"void"`
	VoidRest         bool   `json:"void_rest" doc:"What a capture left can be voided."`
	Increase         bool   `json:"increase" doc:"More can be reserved later."`
	Recurring        string `json:"recurring" enum:"not_supported,manual,automatic"`
	Save             bool   `json:"save"`
}

type methodsOutput struct {
	Body struct {
		Data []methodView `json:"data"`
	}
}

func (a *API) listMethods(ctx context.Context, in *struct {
	OrderPath
	Include string `query:"include" enum:"excluded" doc:"excluded adds those that cannot pay the order, with the reason."`
}) (*methodsOutput, error) {
	o, err := a.order(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	offered, err := a.Moments.Methods(ctx, o)
	if err != nil {
		return nil, err
	}
	out := &methodsOutput{}
	out.Body.Data = []methodView{}
	for _, m := range offered {
		if m.Excluded == "" || in.Include == "excluded" {
			out.Body.Data = append(out.Body.Data, viewMethod(o, m))
		}
	}
	return out, nil
}

func viewMethod(o *payment.Order, m moments.OfferedMethod) methodView {
	fee := m.Fee.Of(o.Due())
	v := methodView{
		Method: m.Name, Title: m.Title, Type: string(m.Spec.Type), RequiresInteraction: m.Spec.RequiresInteraction,
		Fee: fee.String(), TotalWithFee: o.Total.Add(fee).String(), Widget: m.Spec.Widget, Saved: []any{},
		Capabilities: capabilitiesView(m.Spec.Capabilities), Position: m.Position,
	}
	if v.Title == "" {
		v.Title = m.Name
	}
	if v.Capabilities.Recurring == "" {
		v.Capabilities.Recurring = "not_supported"
	}
	if m.Excluded != "" {
		v.Excluded = &reasonView{Code: "method_unavailable", Message: sentence(m.Excluded)}
	}
	return v
}

type dataOutput struct {
	Body struct {
		Valid   bool `json:"valid"`
		Summary struct {
			Brand  string `json:"brand"`
			Masked string `json:"masked"`
		} `json:"summary"`
	}
}

func (a *API) validateData(ctx context.Context, in *struct {
	OrderPath
	Body struct {
		Method string          `json:"method" maxLength:"64"`
		Data   json.RawMessage `json:"data,omitempty"`
	}
}) (*dataOutput, error) {
	o, err := a.order(ctx, in.ID)
	if err != nil {
		return nil, err
	}
	summary, err := a.Moments.ValidateData(o, in.Body.Method, in.Body.Data)
	if err != nil {
		return nil, err
	}
	out := &dataOutput{}
	out.Body.Valid = true
	out.Body.Summary.Brand, out.Body.Summary.Masked = summary.Brand, summary.Masked
	return out, nil
}
