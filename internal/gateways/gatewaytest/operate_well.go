package gatewaytest

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// testOperations tests what the gateway can do with a payment.
func (s *suite) testOperations(t *testing.T) {
	t.Helper()
	g := s.open(t, settings("http://127.0.0.1:1"))
	for name, typ := range kinds {
		if gateways.OperationOf(g, typ) == nil {
			continue // it cannot
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.NotNil(t, s.PSP.Operations, "the harness lends words for it")
			require.NotEmpty(t, methodsFor(g, typ), "a method claims it")
			t.Run("done", func(t *testing.T) { s.testDone(t, typ) })
			t.Run("told", func(t *testing.T) { s.testOperationStates(t, typ) })
			t.Run("misbehaved", func(t *testing.T) { s.testOperationMisbehaved(t, typ) })
			t.Run("wrong echo", func(t *testing.T) { s.testOperationWrongEcho(t, typ) })
			t.Run("done before", func(t *testing.T) { s.testDoneBefore(t, typ) })
			t.Run("asked about", func(t *testing.T) { s.testOperationInquired(t, typ) })
			t.Run("told twice", func(t *testing.T) { s.testToldTwice(t, typ) })
		})
	}
}

// plans are what a method claims that can be done, by name.
func plans(g gateways.Gateway, typ payment.Type, method string) map[string]plan {
	whole := planOf(g, typ)
	whole.method = method
	m := g.Describe().Methods[method]
	if whole.captured = 0; typ == payment.Refund && m.AuthorizeOnly {
		whole.captured = 12995
	}
	c := m.Capabilities
	part := whole
	part.minor = 5000
	done := map[string]plan{"all": whole}
	if typ == payment.Capture && c.PartialCapture || typ == payment.Refund && c.PartialRefund || typ == payment.Authorize {
		done["a part"] = part
	}
	if typ == payment.Capture && c.PartialCapture && c.ReleasesRest {
		part.final = true
		done["the last part"] = part
	}
	if typ == payment.Void && c.VoidRest && c.MultipleCaptures {
		whole.captured, whole.minor = 5000, 7995
		done["the rest"] = whole
	}
	return done
}

func (s *suite) testDone(t *testing.T, typ payment.Type) {
	t.Parallel()
	g := s.open(t, settings("http://127.0.0.1:1"))
	for _, method := range methodsFor(g, typ) {
		for name, p := range plans(g, typ, method) {
			t.Run(method+" "+name, func(t *testing.T) {
				t.Parallel()
				j := s.undertake(t, p)
				j.answers(j.says)
				facts := j.do(t)
				f := facts[0]
				require.Equal(t, payment.Approved, f.State, f.Reason)
				require.NotEmpty(t, f.GatewayReference)
				require.True(t, f.Amount != nil && f.Amount.Equal(j.request.Amount))
				require.Equal(t, account, f.Account, "the PSP's name of the account is made ours")
				require.Equal(t, payment.ModeTest, f.Mode)
				require.EqualValues(t, 1, j.does.Load())
				for _, along := range facts[1:] {
					require.True(t, along.Type != "" && along.GatewayReference != "", "what came along has a type and a name")
				}
				j.record(t, facts...)
				require.Equal(t, sumsAfter(g, p), j.payment.Sums)
				require.Empty(t, j.order.Review)
				j.record(t, facts...)
				require.Equal(t, sumsAfter(g, p), j.payment.Sums, "the same again changes nothing")
			})
		}
	}
}

// sumsAfter are the payment's sums when the plan was carried out.
func sumsAfter(g gateways.Gateway, p plan) payment.Sums {
	m := g.Describe().Methods[p.method]
	authorized, captured, refunded, voided := int64(12995), p.captured, int64(0), int64(0)
	if !m.AuthorizeOnly {
		captured = authorized
	}
	switch p.typ {
	case payment.Capture:
		captured += p.minor
		if m.Capabilities.ReleasesRest && (p.final || !m.Capabilities.MultipleCaptures) {
			voided = authorized - captured
		}
	case payment.Refund:
		refunded = p.minor
	case payment.Void:
		voided = p.minor
	case payment.Authorize:
		authorized += p.minor
	}
	return payment.Sums{
		Authorized: amount(authorized, "EUR"), Captured: amount(captured, "EUR"),
		Refunded: amount(refunded, "EUR"), Voided: amount(voided, "EUR"),
	}
}

func (s *suite) testOperationStates(t *testing.T, typ payment.Type) {
	t.Parallel()
	for _, state := range []payment.State{payment.Declined, payment.Pending} {
		if s.PSP.Operations.never(typ, state) {
			continue
		}
		t.Run(string(state), func(t *testing.T) {
			t.Parallel()
			j := s.undertake(t, planOf(s.open(t, settings("http://127.0.0.1:1")), typ))
			said := j.says
			said.State = state
			j.answers(said)
			before := j.payment.Sums
			facts := j.do(t)
			require.Equal(t, state, facts[0].State)
			if state == payment.Declined {
				require.NotEmpty(t, facts[0].Reason.Code)
				require.Contains(t, []string{"", "soft", "hard"}, facts[0].Reason.Decline)
			}
			require.EqualValues(t, 1, j.does.Load())
			j.record(t, facts...)
			require.Equal(t, state, j.transaction(t).State)
			require.Equal(t, before, j.payment.Sums, "nothing has moved")
			require.Empty(t, j.order.Review)
		})
	}
}

// named tells whether the PSP keeps our reference of such an operation.
func (o *Operations) named(typ payment.Type) bool { return !slices.Contains(o.Unnamed, typ) }
