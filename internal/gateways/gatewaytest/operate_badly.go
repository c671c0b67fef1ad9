package gatewaytest

import (
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// job undertakes all of it, by the first method.
func (s *suite) job(t *testing.T, typ payment.Type) *job {
	t.Helper()
	return s.undertake(t, planOf(s.open(t, settings("http://127.0.0.1:1")), typ))
}

// misbehaveAfterwards runs the test with PSPs that took the payment well and of
// which, from then on, nothing can be learnt.
func (s *suite) misbehaveAfterwards(t *testing.T, typ payment.Type, test func(t *testing.T, j *job)) {
	t.Helper()
	for name, psp := range slow() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := s.job(t, typ)
			j.waits(t, impatience)
			j.plays(psp)
			test(t, j)
		})
	}
	for name, psp := range misbehaviours(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := s.job(t, typ)
			j.plays(psp)
			test(t, j)
		})
	}
}

// requireUnknown tells that all that is known is that it may have left, once.
func (j *job) requireUnknown(t *testing.T, facts []payment.Fact) {
	t.Helper()
	require.Len(t, facts, 1)
	require.Equal(t, payment.Unknown, facts[0].State, facts[0].Reason)
	silent(t, facts[0])
	require.EqualValues(t, 1, j.does.Load(), "what may have arrived is not sent again")
}

func (s *suite) testOperationMisbehaved(t *testing.T, typ payment.Type) {
	t.Parallel()
	s.misbehaveAfterwards(t, typ, func(t *testing.T, j *job) {
		t.Helper()
		j.requireUnknown(t, j.do(t))
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		j := s.job(t, typ)
		j.gateway = s.open(t, settings(nobody(t)))
		f := j.do(t)[0]
		require.Equal(t, payment.NotSent, f.State)
		require.Equal(t, gateways.ReasonConnectionRefused, f.Reason.Code)
	})
	t.Run("refuses for now", func(t *testing.T) {
		t.Parallel()
		j := s.job(t, typ)
		j.plays(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
		require.Equal(t, payment.NotSent, j.do(t)[0].State)
		require.EqualValues(t, 1, j.does.Load())
	})
}

// wrongOperations are approvals of something else than was asked for.
func (s *suite) wrongOperations(says OperationSays) map[string]OperationSays {
	wrong := map[string]OperationSays{}
	add := func(name string, change func(*OperationSays)) {
		said := says
		change(&said)
		wrong[name] = said
	}
	minor := says.Amount.Minor()
	add("one minor unit less", func(o *OperationSays) { o.Amount = amount(minor-1, "EUR") })
	add("one minor unit more", func(o *OperationSays) { o.Amount = amount(minor+1, "EUR") })
	add("another currency", func(o *OperationSays) { o.Amount = amount(minor, "USD") })
	add("other digits", func(o *OperationSays) { o.Amount = amount(minor, "JPY") })
	if !s.PSP.NamesNoAccount {
		add("another account", func(o *OperationSays) { o.Of.Account = "somebody-else" })
	}
	if !s.PSP.NamesNoMode {
		add("another mode", func(o *OperationSays) { o.Of.Mode = payment.ModeLive })
	}
	return wrong
}

// requireNotDone tells that what was said is neither believed nor taken for
// nothing, and that a person looks at what was.
func (j *job) requireNotDone(t *testing.T, before payment.Sums, facts []payment.Fact) {
	t.Helper()
	j.record(t, facts...)
	require.True(t, j.transaction(t).State.Open(), "money other than asked for is neither moved nor not")
	require.Equal(t, before, j.payment.Sums)
	if len(facts) > 0 && facts[0].State == payment.Approved {
		require.NotEmpty(t, j.order.Review, "a person looks at it")
	}
}

func (s *suite) testOperationWrongEcho(t *testing.T, typ payment.Type) {
	t.Parallel()
	for name := range s.wrongOperations(OperationSays{Amount: amount(1, "EUR")}) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := s.job(t, typ)
			before := j.payment.Sums
			j.answers(s.wrongOperations(j.says)[name])
			j.requireNotDone(t, before, j.do(t))
			j.requireNotDone(t, before, j.ask(t).facts)
		})
	}
	for name, change := range map[string]func(*OperationSays){
		"another payment":   func(o *OperationSays) { o.Of.Reference = "01K3AN0THERREFERENCE" },
		"another operation": func(o *OperationSays) { o.Reference = "01K3AN0THERREFERENCE" },
		"no echo":           func(o *OperationSays) { o.Bare = true },
	} {
		if name == "another operation" && !s.PSP.Operations.named(typ) {
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			j := s.job(t, typ)
			wrong := j.says
			change(&wrong)
			j.answers(wrong)
			facts := j.do(t)
			j.requireUnknown(t, facts)
			require.Empty(t, facts[0].GatewayReference, "that is of something else")
			told := j.ask(t)
			require.Error(t, told.err)
			require.Empty(t, told.facts)
			require.False(t, errors.Is(told.err, gateways.ErrNotFound), "nothing learnt is not the same as not found")
		})
	}
	t.Run("no echo, and it can be asked", func(t *testing.T) {
		t.Parallel()
		j := s.job(t, typ)
		bare := j.says
		bare.Bare = true
		j.afterwards(bare, j.says)
		require.Equal(t, payment.Approved, j.do(t)[0].State)
	})
}

// afterwards makes the PSP say one thing when it is asked to do something, and
// another when it is asked what became of it.
func (j *job) afterwards(first, then OperationSays) {
	o := j.suite.PSP.Operations
	j.plays(func(w http.ResponseWriter, r *http.Request) {
		if o.Does(r) {
			o.Answer(w, r, first)
			return
		}
		o.Answer(w, r, then)
	})
}

func (s *suite) testDoneBefore(t *testing.T, typ payment.Type) {
	t.Parallel()
	o := s.PSP.Operations
	if o.AlreadyDone == nil {
		return // the PSP has no such answer
	}
	refusing := func(j *job, then http.HandlerFunc) {
		j.plays(func(w http.ResponseWriter, r *http.Request) {
			if o.Does(r) {
				o.AlreadyDone(w, r, j.says)
				return
			}
			then(w, r)
		})
	}
	t.Run("by this request", func(t *testing.T) {
		t.Parallel()
		j := s.job(t, typ)
		refusing(j, func(w http.ResponseWriter, r *http.Request) { o.Answer(w, r, j.says) })
		facts := j.do(t)
		require.Equal(t, payment.Approved, facts[0].State, "the truth is asked by reference")
		require.True(t, facts[0].Amount.Equal(j.request.Amount))
		require.EqualValues(t, 1, j.does.Load())
		j.record(t, facts...)
		require.Empty(t, j.order.Review)
	})
	t.Run("and it cannot be asked", func(t *testing.T) {
		t.Parallel()
		j := s.job(t, typ)
		refusing(j, status(http.StatusBadGateway, canary))
		facts := j.do(t)
		require.Equal(t, payment.Unknown, facts[0].State, "it is never declined blindly")
		silent(t, facts[0])
	})
}
