package jobs_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// Nobody looks at what fits no order unless it is posted.
func TestACaseThatFitsNoOrderIsPosted(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	in := &inbox{}
	id := s.endpoint(in)
	i := s.instance(20 * time.Second)
	c := payment.Case{
		ID: payment.CaseID(s.ids.New()), Store: "demo", Kind: payment.CaseReconciliation, Subject: "main/refund/re_1", OpenedAt: time.Now(),
	}
	require.NoError(t, s.books.OpenCases(t.Context(), []payment.Case{c}))
	i.Kick()
	require.Eventually(t, func() bool { return in.taken() == 1 }, patience, pollWait)
	event := payment.EventID{Order: payment.OrderID(c.ID), N: 1}
	posted := "select count(*) from webhook_deliveries where state = 'delivered' and tries = 1"
	require.Eventually(t, func() bool { return query[int](t, s.url, posted) == 1 }, patience, pollWait)
	_, err := s.books.Redeliver(t.Context(), "demo", event, id, payment.ByActor("key_1", time.Now()))
	require.NoError(t, err)
	i.Kick()
	require.Eventually(t, func() bool { return query[int](t, s.url, posted) == 1 }, patience, pollWait)
	in.mu.Lock()
	require.Equal(t, []string{event.String(), event.String()}, in.ids, "each time under the same id")
	in.mu.Unlock()
	i.Drain()
}

func TestThatAnEndpointWasGivenUpIsPostedToTheOthers(t *testing.T) {
	t.Parallel()
	s := newShop(t)
	broken, well := &inbox{answer: func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) }}, &inbox{}
	id := s.endpoint(broken)
	s.endpoint(well)
	i := s.instance(20 * time.Second)
	s.order(1)
	i.Kick()
	require.Eventually(t, func() bool { return broken.taken() == 1 && well.taken() == 1 }, patience, pollWait)
	i.stop()
	s.ahead = 6 * 24 * time.Hour
	later := s.instance(20 * time.Second)
	later.Kick()
	require.Eventually(t, func() bool { return well.taken() == 2 }, patience, pollWait)
	require.Equal(t, "case.opened", query[string](t, s.url, "select type from events order by sequence desc limit 1"))
	require.Equal(t, id.String(), query[string](t, s.url, "select subject from cases where kind = 'endpoint_disabled'"))
	require.Equal(t, 1, broken.taken(), "it is not told itself")
	later.Drain()
}
