package gatewaytest

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// pay begins a payment by the method.
func (s *suite) pay(t *testing.T, g gateways.Gateway, method string) payment.Fact {
	t.Helper()
	r := s.request(method, !g.Describe().Methods[method].AuthorizeOnly)
	f := within(t, func() payment.Fact { return g.(gateways.Payer).Pay(t.Context(), r) })
	require.Equal(t, reference, f.Reference)
	require.True(t, f.State.Known(), "the fact has a state")
	return f
}

// anyMethod returns one method of the gateway, always the same.
func anyMethod(g gateways.Gateway) string {
	first := ""
	for name := range g.Describe().Methods {
		if first == "" || name < first {
			first = name
		}
	}
	return first
}

func (s *suite) testPay(t *testing.T) {
	t.Parallel()
	for method, m := range s.open(t, settings("http://127.0.0.1:1")).Describe().Methods {
		for _, state := range []payment.State{
			payment.Approved, payment.Declined, payment.Pending, payment.ActionRequired,
		} {
			t.Run(method+" "+string(state), func(t *testing.T) {
				t.Parallel()
				said := says(state)
				said.Capture = !m.AuthorizeOnly
				r := s.connect(t, s.answering(said))
				f := s.pay(t, r.gateway, method)
				require.Equal(t, state, f.State)
				require.NotEmpty(t, f.GatewayReference)
				require.True(t, f.Amount != nil && f.Amount.Equal(said.Amount))
				require.Equal(t, account, f.Account, "the PSP's name of the account is made ours")
				require.Equal(t, payment.ModeTest, f.Mode)
				require.EqualValues(t, 1, r.sends.Load())
				switch state {
				case payment.Declined:
					require.NotEmpty(t, f.Reason.Code)
					require.Contains(t, []string{"", "soft", "hard"}, f.Reason.Decline)
				case payment.ActionRequired:
					requireAction(t, f.NextAction)
				}
				_, p := s.record(t, f)
				require.Equal(t, state, p.Transactions[0].State)
			})
		}
	}
}

func requireAction(t *testing.T, a *payment.NextAction) {
	t.Helper()
	require.NotNil(t, a, "the shopper is told what to do")
	if a.Type == "redirect" || a.Type == "post_form" {
		u, err := url.Parse(a.URL)
		require.NoError(t, err)
		require.Contains(t, []string{"http", "https"}, u.Scheme)
	}
}

func (s *suite) testPayMisbehaved(t *testing.T) {
	t.Parallel()
	s.misbehave(t, func(t *testing.T, r *rig) {
		t.Helper()
		f := s.pay(t, r.gateway, anyMethod(r.gateway))
		require.Equal(t, payment.Unknown, f.State, f.Reason)
		silent(t, f)
		require.EqualValues(t, 1, r.sends.Load(), "what may have arrived is not sent again")
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		g := s.open(t, settings(nobody(t)))
		f := s.pay(t, g, anyMethod(g))
		require.Equal(t, payment.NotSent, f.State)
		require.Equal(t, gateways.ReasonConnectionRefused, f.Reason.Code)
	})
	t.Run("time-out has its reason", func(t *testing.T) {
		t.Parallel()
		r := s.connectFor(t, shortTimeout, hang)
		require.Equal(t, gateways.ReasonTimeout, s.pay(t, r.gateway, anyMethod(r.gateway)).Reason.Code)
	})
	t.Run("refuses for now", func(t *testing.T) {
		t.Parallel()
		r := s.connect(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) })
		f := s.pay(t, r.gateway, anyMethod(r.gateway))
		require.Equal(t, payment.NotSent, f.State)
		require.EqualValues(t, 1, r.sends.Load())
	})
}

func (s *suite) testPayWrongEcho(t *testing.T) {
	t.Parallel()
	for name, wrong := range s.wrongSays() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := s.connect(t, s.answering(wrong))
			f := s.pay(t, r.gateway, anyMethod(r.gateway))
			o, p := s.record(t, f)
			require.NotEqual(t, payment.Approved, p.Transactions[0].State, "money other than asked for is not paid")
			require.True(t, p.Transactions[0].State.Open(), "and not gone either")
			if f.State == payment.Approved {
				require.NotEmpty(t, o.Review, "a person looks at it")
			} else {
				silent(t, f)
			}
		})
	}
	t.Run("another reference", func(t *testing.T) {
		t.Parallel()
		wrong := says(payment.Approved)
		wrong.Reference = "01K3AN0THERREFERENCE"
		r := s.connect(t, s.answering(wrong))
		f := s.pay(t, r.gateway, anyMethod(r.gateway))
		require.Equal(t, payment.Unknown, f.State)
		require.Empty(t, f.GatewayReference, "that is of another payment")
		silent(t, f)
	})
	t.Run("no echo, and it can be asked", func(t *testing.T) {
		t.Parallel()
		bare := says(payment.Approved)
		bare.Bare = true
		var r *rig
		r = s.connect(t, func(w http.ResponseWriter, req *http.Request) {
			if r.requests.Load() == 1 {
				s.PSP.Answer(w, req, bare)
				return
			}
			s.PSP.Answer(w, req, says(payment.Approved))
		})
		f := s.pay(t, r.gateway, anyMethod(r.gateway))
		require.Equal(t, payment.Approved, f.State)
		require.True(t, f.Amount.Equal(amount(12995, "EUR")))
	})
	t.Run("no echo at all", func(t *testing.T) {
		t.Parallel()
		bare := says(payment.Approved)
		bare.Bare = true
		r := s.connect(t, s.answering(bare))
		f := s.pay(t, r.gateway, anyMethod(r.gateway))
		require.Equal(t, payment.Unknown, f.State)
		silent(t, f)
	})
}

// wrongSays are approvals of something else than was asked for.
func (s *suite) wrongSays() map[string]Says {
	changes := map[string]func(*Says){
		"one minor unit less": func(s *Says) { s.Amount = amount(12994, "EUR") },
		"one minor unit more": func(s *Says) { s.Amount = amount(12996, "EUR") },
		"another currency":    func(s *Says) { s.Amount = amount(12995, "USD") },
		"other digits":        func(s *Says) { s.Amount = amount(12995, "JPY") },
	}
	if !s.PSP.NamesNoAccount {
		changes["another account"] = func(s *Says) { s.Account = "somebody-else" }
		changes["our name for it"] = func(s *Says) { s.Account = account } // it is not the PSP's
	}
	if !s.PSP.NamesNoMode {
		changes["another mode"] = func(s *Says) { s.Mode = payment.ModeLive }
	}
	wrong := map[string]Says{}
	for name, change := range changes {
		said := says(payment.Approved)
		change(&said)
		wrong[name] = said
	}
	return wrong
}
