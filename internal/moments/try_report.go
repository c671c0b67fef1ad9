package moments

import (
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
)

// TryReport is a Tried for programs: what the command prints as JSON, and the
// answer of the API.
type TryReport struct {
	Order       string             `json:"order" example:"ord_…"`
	Pipeline    string             `json:"pipeline" example:"confirm"`
	InForce     TrialReport        `json:"in_force" doc:"What the pipeline would do under the settings in force."`
	Tried       *TrialReport       `json:"tried"` // nil where nothing else was tried
	Differences []DifferenceReport `json:"differences" doc:"How the two decide otherwise; empty where they do the same."`
	Remarks     []string           `json:"remarks" doc:"What a trial cannot know, and what it took instead, for people."`
}

// TrialReport is what a pipeline would do.
type TrialReport struct {
	Version string         `json:"version" doc:"The hash that runs are journaled with; empty where no pipeline was found."`
	Outcome string         `json:"outcome" enum:"done,refused,failed"`
	Why     string         `json:"why,omitempty" doc:"Why the run would end early."`
	Steps   []StepReport   `json:"steps"`
	Changes []ChangeReport `json:"changes" doc:"What would last: of a run that ends early, facts and cases."`
}

// StepReport is what would become of a step.
type StepReport struct {
	Step   string `json:"step" doc:"The path from the pipeline, such as order-path-selector/pay-order."`
	Result string `json:"result" doc:"done, skipped, would call, refused, failed, not reached, or the branch taken."`
	Why    string `json:"why,omitempty" doc:"The condition that does not hold, or what is wrong."`
}

// ChangeReport is one thing that a run would change.
type ChangeReport struct {
	Kind    string `json:"kind" enum:"order,payment,transaction,effect,attribute,case,reservation,event,note,redirect"`
	Subject string `json:"subject,omitempty" example:"status"`
	From    string `json:"from,omitempty" example:"pending"`
	To      string `json:"to,omitempty" example:"processing"`
}

// DifferenceReport is one way in which two trials differ.
type DifferenceReport struct {
	Kind    string `json:"kind" enum:"step_added,step_removed,step_moved,step_result,outcome,change"`
	Subject string `json:"subject" doc:"The path of the step, or what is changed."`
	InForce string `json:"in_force" doc:"What it is under the settings in force; empty where it is not there."`
	Tried   string `json:"tried" doc:"What it is with the edits; empty where it is not there."`
}

// Report makes the report of a trial.
func (t *Tried) Report() TryReport {
	r := TryReport{
		Order: t.Order.ID.String(), Pipeline: t.Pipeline, InForce: reportTrial(t.InForce),
		Differences: ReportDifferences(t.Differences), Remarks: append([]string{}, t.Remarks...),
	}
	if t.Tried != nil {
		tried := reportTrial(t.Tried)
		r.Tried = &tried
	}
	return r
}

func reportTrial(t *pipeline.Trial) TrialReport {
	r := TrialReport{
		Outcome: string(payment.RunDone), Steps: make([]StepReport, len(t.Steps)), Changes: make([]ChangeReport, len(t.Changes)),
	}
	if t.Pipeline != nil {
		r.Version = t.Pipeline.Version
	}
	switch refusal := t.Refusal(); {
	case refusal != nil:
		r.Outcome, r.Why = pipeline.TrialRefused, refusal.Error()
	case t.Err != nil:
		r.Outcome, r.Why = string(payment.RunFailed), t.Err.Error()
	}
	for i, s := range t.Steps {
		r.Steps[i] = StepReport{Step: s.Step, Result: s.Result, Why: s.Why}
	}
	for i, c := range t.Changes {
		r.Changes[i] = ChangeReport{Kind: c.Kind, Subject: c.Subject, From: c.From, To: c.To}
	}
	return r
}

// ReportDifferences makes the report of differences, never nil.
func ReportDifferences(all []pipeline.Difference) []DifferenceReport {
	reports := make([]DifferenceReport, len(all))
	for i, d := range all {
		reports[i] = DifferenceReport{Kind: string(d.Kind), Subject: d.Subject, InForce: d.Before, Tried: d.After}
	}
	return reports
}
