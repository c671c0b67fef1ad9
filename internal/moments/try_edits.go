package moments

import (
	"errors"
	"strings"

	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/pipeline"
	"github.com/paysvc/paysvc/internal/pipeline/steps"
	"github.com/paysvc/paysvc/internal/settings"
)

// edited is the side of the pipelines in force with further edits on top.
func (s *Service) edited(o *payment.Order, c TryCommand) (*side, error) {
	run := &pipeline.Run{Order: o}
	if c.Method != "" {
		run.Payment = &payment.Payment{Method: c.Method}
	}
	library, err := steps.Library(steps.Deps{
		Opener: s, Decider: s, Operator: operator{s}, Returns: s.returns, StockTracked: s.stockTracked,
	})
	if err != nil {
		return nil, err
	}
	inForce := s.pipelines(run).Definitions()
	known := PipelineSettings(s.Makers)
	var set pipeline.Set
	_, err = settings.ParsePipelines(c.Edits, known, func(edits []pipeline.Edit) error {
		definitions, err := inForce.Apply(edits)
		if err == nil {
			set, err = pipeline.Compile(definitions, library)
		}
		return err
	})
	if problems, ok := errors.AsType[settings.Problems](err); ok {
		return nil, wrongEdits(problems)
	}
	return &side{service: s, pipelines: func(*pipeline.Run) pipeline.Set { return set }}, err
}

// wrongEdits is the refusal of edits, with every problem at its place.
func wrongEdits(problems settings.Problems) *payment.Error {
	refused := &payment.Error{
		Kind: payment.KindInvalid, Code: "pipelines_invalid", Message: "the pipelines are not valid: see errors",
	}
	for _, p := range problems {
		refused.Fields = append(refused.Fields, payment.FieldError{
			Field: strings.TrimSuffix("pipelines."+p.Path, "."), Code: "invalid", Message: p.What,
		})
	}
	return refused
}
