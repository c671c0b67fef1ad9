package store_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

// One pair of numbers says what was left out. Where a second gap comes before the
// first was passed, the first is filled: an endpoint has too much, and misses nothing.
func TestAnEndpointTurnedOffAgainBeforeItHasCaughtUpMissesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := b.endpoint("demo")
	o := b.order("demo", nil)
	b.emit(o.ID, "a.on_its_way")
	b.turn(e.ID, false)
	b.emit(o.ID, "a.told_while_off")
	b.turn(e.ID, true)
	b.emit(o.ID, "a.told_between")
	b.turn(e.ID, false)
	b.emit(o.ID, "a.missed")
	b.turn(e.ID, true)
	b.emit(o.ID, "a.then")

	require.Equal(t, []string{"a.on_its_way", "a.told_while_off", "a.told_between"}, typesOf(b.take(e.ID, 3)))
	b.target(e.ID)
	require.Equal(t, []string{"a.then"}, typesOf(b.take(e.ID, 1)))
}

func TestALostAnswerToCommitMakesOneEndpoint(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, after := range []bool{false, true} {
		e := payment.Endpoint{ID: payment.EndpointID(b.ids.New()), Store: "demo", URL: "https://shop.example/hooks", CreatedAt: b.now()}
		require.NoError(t, b.cut(1, after).CreateEndpoint(t.Context(), e, b.by()))
		_, err := b.Endpoint(t.Context(), "demo", e.ID)
		require.NoError(t, err)
	}
	list, err := b.ListEndpoints(t.Context(), "demo")
	require.NoError(t, err)
	require.Len(t, list, 2)
	require.Len(t, b.entries("demo"), 2, "and each is in the audit once")

	e := payment.Endpoint{ID: payment.EndpointID(b.ids.New()), Store: "demo", CreatedAt: b.now()}
	require.Error(t, b.cut(100, false).CreateEndpoint(t.Context(), e, b.by()), "but not where nothing can be committed")
}
