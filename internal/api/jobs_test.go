package api_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// parked is a queue in which store demo has two jobs that were given up.
type parked struct{}

func (parked) ListJobs(_ context.Context, store string, state payment.JobState, p payment.Page) ([]payment.Job, string, error) {
	if store != "demo" || state == payment.JobRunning {
		return nil, "", nil
	}
	if p.After == "nonsense" {
		return nil, "", payment.Invalid("cursor", "cursor_invalid", "is not a cursor that this list gave")
	}
	job := payment.Job{
		ID: 812, Kind: "send-mail", State: payment.JobParked, Order: payment.OrderID{1}, Tries: 14,
		Error: "recipient: the server answered 550 5.1.1", At: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC),
	}
	if p.After == "" {
		return []payment.Job{job}, job.ID.String(), nil
	}
	return []payment.Job{{ID: 7, Kind: "send-mail", State: payment.JobParked}}, "", nil
}

func (parked) RetryJob(_ context.Context, store string, id payment.JobID) (payment.Job, error) {
	switch {
	case store != "demo" || id != 812 && id != 7:
		return payment.Job{}, payment.NotFound("a job of this id")
	case id == 7:
		return payment.Job{}, payment.Errorf(payment.KindConflict, "job_waiting", "the same work waits in another job")
	}
	return payment.Job{ID: id, Kind: "send-mail", State: payment.JobWaiting, Tries: 14}, nil
}

func TestOperatorsSeeAndRetryBackgroundWorkThatWasGivenUp(t *testing.T) {
	t.Parallel()
	c := boot(t).Client()
	page := c.Get("/v1/jobs?state=parked").Is(http.StatusOK)
	require.JSONEq(t, `{"data": [{"id": "job_812", "kind": "send-mail", "state": "parked",
		"order_id": "`+payment.OrderID{1}.String()+`", "tries": 14, "error": "recipient: the server answered 550 5.1.1",
		"at": "2026-11-21T12:00:00Z"}], "next_cursor": "job_812"}`, string(page.Body))
	c.Get("/v1/jobs?state=parked&cursor=job_812").Is(http.StatusOK)
	c.Get("/v1/jobs?cursor=nonsense").Is(http.StatusBadRequest)
	c.Get("/v1/jobs?state=done").Is(http.StatusUnprocessableEntity)
	require.Equal(t, "waiting", c.Post("/v1/jobs/job_812/retry", nil).Is(http.StatusOK).Text("state"))
	c.Post("/v1/jobs/job_7/retry", nil).Is(http.StatusConflict)
	for _, id := range []string{"job_9", "job_0812", "job_-1", "ord_812", "job_x"} {
		c.Post("/v1/jobs/"+id+"/retry", nil).Is(http.StatusNotFound)
	}
}

func TestOnlyOperatorsSeeBackgroundWork(t *testing.T) {
	t.Parallel()
	b := boot(t)
	key, _ := b.Key("demo", payment.ScopeOrders, payment.ScopeRead)
	b.As(key).Get("/v1/jobs").Is(http.StatusForbidden)
	b.As(key).Post("/v1/jobs/job_812/retry", nil).Is(http.StatusForbidden)
	other, _ := b.Key("other")
	b.As(other).Post("/v1/jobs/job_812/retry", nil).Is(http.StatusNotFound)
}
