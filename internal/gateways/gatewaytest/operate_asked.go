package gatewaytest

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

func (s *suite) testOperationInquired(t *testing.T, typ payment.Type) {
	t.Parallel()
	o := s.PSP.Operations
	for _, state := range []payment.State{payment.Approved, payment.Declined, payment.Pending} {
		if o.never(typ, state) {
			continue
		}
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			j := s.job(t, typ)
			said := j.says
			said.State = state
			j.answers(said)
			told := j.ask(t)
			require.NoError(t, told.err)
			f := told.facts[0]
			require.Equal(t, j.request.Reference, f.Reference)
			require.Equal(t, state, f.State)
			require.Equal(t, account, f.Account)
			again := j.ask(t)
			require.NoError(t, again.err)
			require.Equal(t, told.facts, again.facts, "it says the same each time")
			j.record(t, append(told.facts, again.facts...)...)
			require.Equal(t, state, j.transaction(t).State)
			require.Empty(t, j.order.Review)
			require.Zero(t, j.does.Load(), "asking does nothing")
		})
	}
	t.Run("not found", func(t *testing.T) {
		t.Parallel()
		j := s.job(t, typ)
		j.plays(func(w http.ResponseWriter, r *http.Request) { o.NotFound(w, r, j.says) })
		require.ErrorIs(t, j.ask(t).err, gateways.ErrNotFound)
	})
	s.misbehaveAfterwards(t, typ, func(t *testing.T, j *job) {
		t.Helper()
		told := j.ask(t)
		require.Error(t, told.err)
		require.False(t, errors.Is(told.err, gateways.ErrNotFound), "nothing learnt is not the same as not found")
		require.Empty(t, told.facts)
		require.NotContains(t, told.err.Error(), canary)
	})
	t.Run("after a time-out", func(t *testing.T) {
		t.Parallel()
		s.testTimedOut(t, typ)
	})
}

// testTimedOut does something with a PSP that takes too long to answer, once
// after it did so and once before.
func (s *suite) testTimedOut(t *testing.T, typ payment.Type) {
	o := s.PSP.Operations
	for name, then := range map[string]func(j *job) http.HandlerFunc{
		"it was done": func(j *job) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { o.Answer(w, r, j.says) }
		},
		"it was not": func(j *job) http.HandlerFunc {
			return func(w http.ResponseWriter, r *http.Request) { o.NotFound(w, r, j.says) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planOf(s.open(t, settings("http://127.0.0.1:1")), typ)
			j := s.undertake(t, p)
			j.waits(t, impatience)
			j.plays(hang)
			facts := j.do(t)
			j.requireUnknown(t, facts)
			require.Equal(t, gateways.ReasonTimeout, facts[0].Reason.Code)
			j.record(t, facts...)
			j.waits(t, timeout)
			j.plays(then(j))
			told := j.ask(t)
			if name == "it was not" {
				require.ErrorIs(t, told.err, gateways.ErrNotFound)
				return
			}
			require.NoError(t, told.err)
			j.record(t, told.facts...)
			require.Equal(t, payment.Approved, j.transaction(t).State)
			require.Equal(t, sumsAfter(j.gateway, p), j.payment.Sums)
		})
	}
}

// testToldTwice learns of an operation from the answer, a notification and a
// question, each first once.
func (s *suite) testToldTwice(t *testing.T, typ payment.Type) {
	t.Parallel()
	if s.PSP.Operations.Notification == nil {
		return // the PSP sends none
	}
	g := s.open(t, settings("http://127.0.0.1:1"))
	for _, method := range methodsFor(g, typ) {
		for name, p := range plans(g, typ, method) {
			for first := range 3 {
				t.Run(method+" "+name+" "+[]string{"answer", "notification", "question"}[first], func(t *testing.T) {
					t.Parallel()
					j := s.undertake(t, p)
					j.answers(j.says)
					told := [][]payment.Fact{j.do(t), j.notified(t, j.says), j.ask(t).facts}
					for i := range told {
						j.record(t, told[(first+i)%3]...)
						require.Equal(t, payment.Approved, j.transaction(t).State, "it is known at once")
						require.Equal(t, sumsAfter(g, p), j.payment.Sums, "and booked once")
						require.Empty(t, j.order.Review)
					}
				})
			}
		}
	}
	for name := range s.wrongOperations(OperationSays{Amount: amount(1, "EUR")}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := s.job(t, typ)
			before := j.payment.Sums
			wrong := s.wrongOperations(j.says)[name]
			j.answers(wrong)
			j.requireNotDone(t, before, j.notified(t, wrong))
		})
	}
}
