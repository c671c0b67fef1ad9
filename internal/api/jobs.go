package api

import (
	"context"

	"github.com/paysvc/paysvc/internal/api/httpkit"
	"github.com/paysvc/paysvc/internal/payment"
)

// Jobs is the background work of stores.
type Jobs interface {
	ListJobs(ctx context.Context, store string, state payment.JobState, p payment.Page) ([]payment.Job, string, error)
	RetryJob(ctx context.Context, store string, id payment.JobID) (payment.Job, error)
}

// jobView is a piece of background work that is not done.
type jobView struct {
	ID      string            `json:"id" example:"job_812"`
	Kind    string            `json:"kind" example:"send-mail"`
	State   string            `json:"state" enum:"waiting,running,parked"`
	OrderID *string           `json:"order_id" doc:"Null when it is about no order."`
	Tries   int               `json:"tries"`
	Error   string            `json:"error,omitempty" doc:"Why the last try failed."`
	At      httpkit.Timestamp `json:"at" doc:"When it was parked or begun, or is to be tried next."`
}

type jobOutput struct{ Body jobView }

func viewJob(j payment.Job) jobView {
	v := jobView{
		ID: j.ID.String(), Kind: j.Kind, State: string(j.State), Tries: j.Tries, Error: j.Error, At: httpkit.NewTimestamp(j.At),
	}
	if j.Order != (payment.OrderID{}) {
		v.OrderID = shown(j.Order.String())
	}
	return v
}

func (a *API) listJobs(ctx context.Context, in *struct {
	httpkit.Page
	State string `query:"state" enum:"waiting,running,parked"`
}) (*listOutput[jobView], error) {
	rows, next, err := a.Books.Jobs.ListJobs(ctx, storeOf(ctx), payment.JobState(in.State), pageOf(in.Page))
	if err != nil {
		return nil, unlisted(err)
	}
	return listed(rows, next, viewJob), nil
}

// retryJob has a job tried again now.
func (a *API) retryJob(ctx context.Context, in *struct {
	ID string `path:"id" maxLength:"40" example:"job_812"`
}) (*jobOutput, error) {
	id, err := payment.ParseJobID(in.ID)
	if err != nil {
		return nil, err
	}
	if err := a.auditFirst(ctx, "job.retried", id.String(), payment.OrderID{}); err != nil {
		return nil, err
	}
	job, err := a.Books.Jobs.RetryJob(ctx, storeOf(ctx), id)
	if err != nil {
		return nil, err
	}
	return &jobOutput{Body: viewJob(job)}, nil
}
