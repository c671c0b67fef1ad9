package gatewaytest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// question is Inquire or Close: both ask, and both may be told nothing.
type question func(ctx context.Context, q payment.Inquiry) ([]payment.Fact, error)

type told struct {
	facts []payment.Fact
	err   error
}

func ask(t *testing.T, q question) told {
	t.Helper()
	return within(t, func() told {
		facts, err := q(t.Context(), inquiry())
		return told{facts, err}
	})
}

func (s *suite) testInquire(t *testing.T) {
	t.Parallel()
	s.testQuestion(t, func(g gateways.Gateway) question { return g.(gateways.Inquirer).Inquire })
	t.Run("found after a while", func(t *testing.T) {
		t.Parallel()
		var r *rig
		r = s.connect(t, func(w http.ResponseWriter, req *http.Request) {
			if r.requests.Load() == 1 {
				s.PSP.NotFound(w, req)
				return
			}
			s.PSP.Answer(w, req, says(payment.Approved))
		})
		inquire := r.gateway.(gateways.Inquirer).Inquire
		require.ErrorIs(t, ask(t, inquire).err, gateways.ErrNotFound)
		later := ask(t, inquire)
		require.NoError(t, later.err)
		require.Equal(t, payment.Approved, later.facts[0].State)
	})
}

func (s *suite) testClose(t *testing.T) {
	t.Parallel()
	if _, ok := s.open(t, settings("http://127.0.0.1:1")).(gateways.Closer); !ok {
		return // it cannot end an attempt
	}
	s.testQuestion(t, func(g gateways.Gateway) question { return g.(gateways.Closer).Close })
}

func (s *suite) testQuestion(t *testing.T, of func(gateways.Gateway) question) {
	t.Helper()
	for _, state := range []payment.State{payment.Approved, payment.Declined, payment.Pending, payment.ActionRequired} {
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			r := s.connect(t, s.answering(says(state)))
			told := ask(t, of(r.gateway))
			require.NoError(t, told.err)
			f := told.facts[0]
			require.Equal(t, state, f.State)
			require.Equal(t, reference, f.Reference)
			require.Equal(t, account, f.Account)
			require.NotEmpty(t, f.GatewayReference)
			require.True(t, f.Amount.Equal(amount(12995, "EUR")))
		})
	}
	t.Run("not found", func(t *testing.T) {
		t.Parallel()
		r := s.connect(t, s.PSP.NotFound)
		require.ErrorIs(t, ask(t, of(r.gateway)).err, gateways.ErrNotFound)
	})
	for name, wrong := range s.wrongSays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := s.connect(t, s.answering(wrong))
			told := ask(t, of(r.gateway))
			_, p := s.record(t, told.facts...)
			require.True(t, p.Transactions[0].State.Open(), "money other than asked for is neither paid nor gone")
		})
	}
	s.misbehave(t, func(t *testing.T, r *rig) {
		t.Helper()
		s.requireNothingLearnt(t, of(r.gateway))
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		s.requireNothingLearnt(t, of(s.open(t, settings(nobody(t)))))
	})
	t.Run("another reference", func(t *testing.T) {
		t.Parallel()
		wrong := says(payment.Approved)
		wrong.Reference = "01K3AN0THERREFERENCE"
		s.requireNothingLearnt(t, of(s.connect(t, s.answering(wrong)).gateway))
	})
	t.Run("no echo", func(t *testing.T) {
		t.Parallel()
		bare := says(payment.Approved)
		bare.Bare = true
		s.requireNothingLearnt(t, of(s.connect(t, s.answering(bare)).gateway))
	})
}

// requireNothingLearnt tells that there is an error, and none that could be
// taken for "no such payment".
func (s *suite) requireNothingLearnt(t *testing.T, q question) {
	t.Helper()
	told := ask(t, q)
	require.Error(t, told.err)
	require.False(t, errors.Is(told.err, gateways.ErrNotFound), "nothing learnt is not the same as not found")
	require.Empty(t, told.facts)
	require.NotContains(t, told.err.Error(), canary)
}
