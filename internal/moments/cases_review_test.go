package moments_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/moments"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/store"
)

// overtaken are cases of which one is resolved right after it was first read.
type overtaken struct {
	*store.Store
	meanwhile func()
}

func (c *overtaken) Case(ctx context.Context, storeName string, id payment.CaseID) (payment.Case, error) {
	k, err := c.Store.Case(ctx, storeName, id)
	if meanwhile := c.meanwhile; meanwhile != nil {
		c.meanwhile = nil
		meanwhile()
	}
	return k, err
}

// Two who resolve a case in the same way at the same time are of one mind: the second
// is told what was done, not that it may not be done.
func TestWhoAgreesWithAnOperatorWhoWasFasterIsAnsweredTheSame(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for name, try := range map[string]struct {
		held          *payment.Order
		first, second payment.CaseAction
		code          string
	}{
		"both approve":           {b.unknown(), payment.CaseActApprove, payment.CaseActApprove, ""},
		"both decline":           {b.unknown(), payment.CaseActDecline, payment.CaseActDecline, ""},
		"one declines":           {b.unknown(), payment.CaseActApprove, payment.CaseActDecline, "case_resolved"},
		"one leaves it as it is": {b.unknown(), payment.CaseActApprove, payment.CaseActNone, "case_resolved"},
	} {
		k := b.only(try.held)
		cases := &overtaken{Store: b.store, meanwhile: func() {
			_, err := b.ResolveCase(t.Context(), b.resolving(k, try.first))
			require.NoError(t, err, name)
		}}
		deps := b.Deps
		deps.Cases = cases
		late, err := moments.New(deps)
		require.NoError(t, err)
		answer, err := late.ResolveCase(t.Context(), b.resolving(k, try.second))
		require.Equal(t, try.code, payment.CodeOf(err), "%s: %v", name, err)
		if try.code == "" {
			require.Equal(t, payment.CaseResolved, string(answer.Body), name)
		}
	}
}
