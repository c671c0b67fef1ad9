package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

const track = "track_promotion_code:SUMMER"

// storefront has demo carry out all effects itself.
func (b *bundle) storefront() {
	b.t.Helper()
	types := payment.CommandTypes(payment.DeductStock, payment.TrackPromotionCode, payment.DeleteBasket)
	require.ElementsMatch(b.t, []string{"stock.deduct", "stock.restore", "promotion.track", "promotion.untrack", "basket.delete"}, types)
	require.NoError(b.t, b.SetStorefront(b.t.Context(), "demo", types, b.now()))
}

// pump stages commands until the store has n, all told.
func (b *bundle) pump(storeName string, n int) {
	b.t.Helper()
	require.Eventually(b.t, func() bool {
		_, err := b.StageCommands(b.t.Context(), storeName, b.now(), 100)
		return err == nil && value[int](b, "select count(*) from webhook_deliveries where store = $1", storeName) >= n
	}, visibleWithin, lookEvery)
	require.Equal(b.t, n, value[int](b, "select count(*) from webhook_deliveries where store = $1", storeName))
}

// due are the commands that would be sent now.
func (b *bundle) due(e payment.EndpointID) []payment.Delivery {
	b.t.Helper()
	batch, _, err := b.LeaseDeliveries(b.t.Context(), to(e), b.now(), b.now(), 100)
	require.NoError(b.t, err)
	return batch.Due
}

func (b *bundle) answer(d payment.Delivery, state payment.DeliveryState) {
	b.t.Helper()
	o := outcome(d, state)
	if state == payment.DeliveryPending {
		o.NextAt = b.now()
	}
	require.NoError(b.t, b.FinishCommand(b.t.Context(), "demo", d.Event.Effect, o, b.now()))
}

func (b *bundle) doTrack(id payment.OrderID) {
	b.stage(id, func(o *payment.Order) { o.Do(payment.TrackPromotionCode, "SUMMER", b.now()) })
}

func (b *bundle) undoTrack(id payment.OrderID) {
	b.stage(id, func(o *payment.Order) { o.Undo(payment.TrackPromotionCode, "SUMMER", b.now()) })
}

func TestACommandIsAcknowledgedOrFails(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.storefront()
	o := b.order("demo", nil)
	b.emit(o.ID, "order.paid") // no command
	b.stage(o.ID, func(o *payment.Order) {
		o.Do(payment.DeductStock, "", b.now())
		o.Do(payment.TrackPromotionCode, "SUMMER", b.now())
	})
	b.pump("demo", 2)
	due := b.due(payment.Storefront)
	require.Equal(t, []string{"stock.deduct", "promotion.track"}, typesOf(due))
	b.answer(due[0], payment.DeliveryPending)
	require.Equal(t, payment.EffectDue, b.effect(o.ID, deduct).State)
	b.answer(due[0], payment.DeliveryDelivered)
	require.Equal(t, payment.EffectDone, b.effect(o.ID, deduct).State)

	b.answer(due[1], payment.DeliveryParked)
	require.Equal(t, payment.EffectFailed, b.effect(o.ID, track).State)
	cases, _, err := b.ListCases(t.Context(), "demo", "open", payment.CaseFailedEffect, payment.Page{})
	require.NoError(t, err)
	require.Len(t, cases, 1)
	_, err = b.Redeliver(t.Context(), "demo", eventOf(due[1]), payment.EndpointID{}, b.by())
	require.NoError(t, err)
	b.answer(b.due(payment.Storefront)[0], payment.DeliveryDelivered)
	require.Equal(t, payment.EffectDone, b.effect(o.ID, track).State, "an operator saw to it")
}

func TestAnEffectIsDoneBeforeItIsUndone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.storefront()
	o := b.order("demo", nil)
	b.doTrack(o.ID)
	b.undoTrack(o.ID) // nothing was acknowledged yet
	b.pump("demo", 2)
	due := b.due(payment.Storefront)
	require.Equal(t, []string{"promotion.track"}, typesOf(due), "the undoing waits")
	b.answer(due[0], payment.DeliveryPending)
	due = b.due(payment.Storefront)
	require.Equal(t, []string{"promotion.track"}, typesOf(due))
	b.answer(due[0], payment.DeliveryDelivered)
	due = b.due(payment.Storefront)
	require.Equal(t, []string{"promotion.untrack"}, typesOf(due))
	b.answer(due[0], payment.DeliveryDelivered)
	require.Equal(t, payment.EffectUndone, b.effect(o.ID, track).State)

	b.doTrack(o.ID)
	b.pump("demo", 3)
	due = b.due(payment.Storefront)
	require.Equal(t, 3, due[0].Event.N, "a new generation has an id of its own")
	b.answer(due[0], payment.DeliveryDelivered)
	require.Equal(t, payment.EffectDone, b.effect(o.ID, track).State)
	b.undoTrack(o.ID)
	require.Equal(t, payment.EffectUndoDue, b.effect(o.ID, track).State)
	b.pump("demo", 4)
	b.answer(b.due(payment.Storefront)[0], payment.DeliveryDelivered)
	require.Equal(t, payment.EffectUndone, b.effect(o.ID, track).State)
}

func TestAnAcknowledgementThatWasOvertakenSettlesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.storefront()
	o := b.order("demo", nil)
	b.doTrack(o.ID)
	b.pump("demo", 1)
	first := b.due(payment.Storefront)[0]
	b.undoTrack(o.ID)
	b.doTrack(o.ID)
	b.answer(first, payment.DeliveryDelivered)
	require.Equal(t, payment.EffectDue, b.effect(o.ID, track).State, "it was ordered again")
}

func TestStageCommandIsSoonerThanThePumpAndDoesNoMore(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.doTrack(o.ID)
	b.storefront() // ordered before the settings said so
	for range 2 {
		require.NoError(t, b.StageCommand(t.Context(), o.ID, track, b.now()))
	}
	b.emit(o.ID, "order.paid")
	require.Len(t, b.due(payment.Storefront), 1)
	require.NoError(t, b.StageCommand(t.Context(), o.ID, "none", b.now()))
}

func TestAStorefrontThatIsTakenOutOfTheSettingsGetsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.storefront()
	o := b.order("demo", nil)
	b.doTrack(o.ID)
	b.pump("demo", 1)
	require.NoError(t, b.SetStorefront(t.Context(), "demo", nil, b.now()))
	require.NoError(t, b.SetStorefront(t.Context(), "other", nil, b.now()))
	require.Empty(t, b.due(payment.Storefront))
	require.Equal(t, payment.DeliveryParked, b.deliveries(payment.Storefront)[0].State)
	b.tick(time.Hour)
	b.storefront()
	b.doTrack(b.order("demo", nil).ID)
	b.pump("demo", 2)
	require.Len(t, b.due(payment.Storefront), 1)
}
