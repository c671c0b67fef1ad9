package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// runView is the journal of one execution of a pipeline.
type runView struct {
	ID        string             `json:"id"`
	OrderID   string             `json:"order_id"`
	Payment   *string            `json:"payment"`
	Pipeline  string             `json:"pipeline"`
	Version   string             `json:"version" doc:"The hash of the pipeline's definition."`
	State     string             `json:"state" enum:"calling,done,failed"`
	Steps     []stepView         `json:"steps"`
	Error     string             `json:"error,omitempty"`
	Tries     int                `json:"tries" doc:"How often it was taken up again."`
	BegunAt   httpkit.Timestamp  `json:"begun_at"`
	EndedAt   *httpkit.Timestamp `json:"ended_at" nullable:"true"`
	NextTryAt *httpkit.Timestamp `json:"next_try_at" nullable:"true"`
}

type stepView struct {
	Step    string            `json:"step" doc:"The path from the pipeline, such as order-path-selector/pay-order."`
	Result  string            `json:"result"`
	BegunAt httpkit.Timestamp `json:"begun_at"`
	TookUS  int64             `json:"took_us" doc:"Microseconds."`
	Error   string            `json:"error,omitempty"`
}

type runOutput struct{ Body runView }

func (a *API) getRun(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40" example:"run_…"`
}) (*runOutput, error) {
	id, err := payment.ParseRunID(in.ID)
	if err != nil {
		return nil, payment.NotFound("a run of this id")
	}
	run, err := a.Books.Runs.Run(ctx, storeOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &runOutput{Body: viewRun(id.Order, run)}, nil
}

func viewRun(order payment.OrderID, r *payment.RunRecord) runView {
	v := runView{
		ID: payment.RunID{Order: order, N: r.N}.String(), OrderID: order.String(), Pipeline: r.Pipeline, Version: r.Hash,
		State: string(r.State), Error: r.Error, Tries: r.Tries, Steps: make([]stepView, len(r.Steps)),
		BegunAt: httpkit.NewTimestamp(r.BegunAt), EndedAt: stamp(r.EndedAt), NextTryAt: stamp(r.DueAt),
	}
	if r.Payment != 0 {
		v.Payment = shown(payment.PaymentID{Order: order, N: r.Payment}.String())
	}
	for i, s := range r.Steps {
		v.Steps[i] = stepView{
			Step: s.Step, Result: s.Result, BegunAt: httpkit.NewTimestamp(s.BegunAt), TookUS: s.Took.Microseconds(), Error: s.Error,
		}
	}
	return v
}
