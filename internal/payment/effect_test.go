package payment_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/paysvc/paysvc/internal/payment"
)

const code = "SUMMER"

// The whole ledger: what ordering and taking back make of an effect that is in
// a state, and whether that is news.
func TestDoingAndUndoingAnEffectInEveryState(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		state, done payment.EffectState
		did         bool
		undone      payment.EffectState
		undid       bool
	}{
		{"", payment.EffectDue, true, "", false},
		{payment.EffectDue, payment.EffectDue, false, payment.EffectUndone, true},
		{payment.EffectDone, payment.EffectDone, false, payment.EffectUndoDue, true},
		{payment.EffectUndoDue, payment.EffectDone, true, payment.EffectUndoDue, false},
		{payment.EffectUndone, payment.EffectDue, true, payment.EffectUndone, false},
		{payment.EffectFailed, payment.EffectFailed, false, payment.EffectFailed, false},
	} {
		o := withEffect(t, c.state)
		require.Equal(t, c.did, o.Do(payment.TrackPromotionCode, code, noon()), "do in %q", c.state)
		requireEffect(t, o, c.done, c.did, "promotion.track")

		o = withEffect(t, c.state)
		require.Equal(t, c.undid, o.Undo(payment.TrackPromotionCode, code, noon()), "undo in %q", c.state)
		requireEffect(t, o, c.undone, c.undid, "promotion.untrack")
	}
}

func withEffect(t *testing.T, state payment.EffectState) *payment.Order {
	t.Helper()
	o := unpaid(t, "10.00")
	if state != "" {
		o.Effects = map[string]*payment.Effect{"track_promotion_code:" + code: {
			Key: "track_promotion_code:" + code, Kind: payment.TrackPromotionCode, Subject: code, State: state,
			Tries: 3, Note: "it went wrong before",
		}}
	}
	return o
}

func requireEffect(t *testing.T, o *payment.Order, state payment.EffectState, changed bool, event string) {
	t.Helper()
	e := o.Effects["track_promotion_code:"+code]
	if state == "" {
		require.Nil(t, e)
		return
	}
	require.Equal(t, state, e.State)
	require.Equal(t, changed, e.Change() != payment.Unchanged)
	if !changed {
		require.Empty(t, o.Staged.Events)
		return
	}
	waits := state == payment.EffectDue || state == payment.EffectUndoDue
	require.Equal(t, waits, e.DueAt.Equal(noon()), "what waits is due at once")
	require.Equal(t, waits, !e.DueAt.IsZero())
	require.Zero(t, e.Tries)
	require.Empty(t, e.Note)
	require.Equal(t, []string{event}, eventTypes(o))
	require.Equal(t, e.Key, o.Staged.Events[0].Effect)
}

func TestEffectsOfOneKindAreKeptApartBySubject(t *testing.T) {
	t.Parallel()
	o := unpaid(t, "10.00")
	require.True(t, o.Do(payment.TrackPromotionCode, "A", noon()))
	require.True(t, o.Do(payment.TrackPromotionCode, "B", noon()))
	require.True(t, o.Do(payment.DeductStock, "", noon()))
	require.True(t, o.Do(payment.SendOrderMail, "", noon()))
	require.True(t, o.Do(payment.DeleteBasket, "b-1", noon()))
	require.False(t, o.Do(payment.DeductStock, "", noon().Add(time.Hour)))
	require.Len(t, o.Effects, 5)
	require.Contains(t, o.Effects, "deduct_stock")
	require.Contains(t, o.Effects, "delete_basket:b-1")
	require.Equal(t, payment.Added, o.Effects["deduct_stock"].Change())
}

// However often it is ordered and taken back, and whenever somebody carries it
// out, an effect is done at most once more than it is undone, and never undone
// unless it was done.
func TestAnEffectIsNeverDoneTwiceNorUndoneUndone(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		o := unpaid(t, "10.00")
		done := 0
		for _, move := range rapid.SliceOfN(rapid.SampledFrom([]string{"do", "undo", "carry out"}), 1, 30).Draw(t, "moves") {
			e := o.Effects["track_promotion_code:"+code]
			switch {
			case move == "do":
				o.Do(payment.TrackPromotionCode, code, noon())
			case move == "undo":
				o.Undo(payment.TrackPromotionCode, code, noon())
			case e != nil && e.State == payment.EffectDue:
				done, e.State = done+1, payment.EffectDone
			case e != nil && e.State == payment.EffectUndoDue:
				done, e.State = done-1, payment.EffectUndone
			}
			require.Contains(t, []int{0, 1}, done)
		}
	})
}
