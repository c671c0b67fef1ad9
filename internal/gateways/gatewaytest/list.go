package gatewaytest

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/payment"
)

// page is what a list answered.
type page struct {
	facts []payment.Fact
	next  string
	err   error
}

// testList asks PSPs that misbehave for what moved: a list with a hole in it would
// look like money that never moved.
func (s *suite) testList(t *testing.T) {
	t.Parallel()
	if _, ok := s.open(t, settings("http://127.0.0.1:1")).(gateways.Lister); !ok {
		return // it cannot list
	}
	requireNoPage := func(t *testing.T, g gateways.Gateway) {
		t.Helper()
		got := within(t, func() page {
			facts, next, err := g.(gateways.Lister).List(t.Context(), now.Add(-24*time.Hour), now, "")
			return page{facts, next, err}
		})
		require.Error(t, got.err)
		require.NotErrorIs(t, got.err, gateways.ErrNotFound)
		require.NotContains(t, got.err.Error(), canary)
		require.Empty(t, got.facts)
		require.Empty(t, got.next)
	}
	s.misbehave(t, func(t *testing.T, r *rig) {
		t.Helper()
		requireNoPage(t, r.gateway)
		require.Zero(t, r.sends.Load())
	})
	t.Run("nobody listens", func(t *testing.T) {
		t.Parallel()
		requireNoPage(t, s.open(t, settings(nobody(t))))
	})
}
