package moments

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestLooksAreBoundedOverAllAccounts(t *testing.T) {
	t.Parallel()
	var l looks
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	order := func(i int) payment.OrderID { return payment.OrderID{byte(i)} }
	for i := range looksMax {
		require.True(t, l.begin(order(i), now))
	}
	require.False(t, l.begin(order(looksMax), now))
	l.end()
	require.False(t, l.begin(order(0), now), "it was looked at a moment ago")
	require.True(t, l.begin(order(looksMax), now), "what found no place is not taken for looked at")
}

func TestTheAccountsOfTwoStoresHaveTheirOwnPlaces(t *testing.T) {
	t.Parallel()
	var l looks
	mine := payment.AccountName{Store: "mine", Gateway: "stripe", Account: "main", Mode: payment.ModeTest}
	other := mine
	other.Store = "other"
	for range looksEach {
		require.True(t, l.enter(mine))
	}
	require.False(t, l.enter(mine))
	require.True(t, l.enter(other), "of the same name")
	l.leave(mine)
	require.True(t, l.enter(mine))
	for range looksEach {
		l.leave(mine)
	}
	l.leave(other)
	require.Empty(t, l.each, "nothing is kept of who is done")
}
