package store_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func restoreStock(b *bundle) func(o *payment.Order) {
	return func(o *payment.Order) { o.Undo(payment.DeductStock, "", b.now()) }
}

// What was short was not deducted, so it is not given back either.
func TestACancelledOrderGivesBackJustWhatItTookFromStock(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.setStock(payment.StockItem{SKU: "lamp", Quantity: 1}, payment.StockItem{SKU: "bulb", Quantity: 4})
	o := b.order("demo", nil)
	b.stage(o.ID, deductStock(b))
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, deduct, b.now()))
	require.EqualValues(t, 3, b.stock("bulb"))
	b.setStock(payment.StockItem{SKU: "bulb", Quantity: 30})
	b.stage(o.ID, restoreStock(b))
	together(4, func(int) {
		if err := b.ApplyEffect(t.Context(), o.ID, deduct, b.tick(time.Second)); err != nil {
			t.Error(err)
		}
	})
	require.EqualValues(t, 31, b.stock("bulb"))
	require.EqualValues(t, 1, b.stock("lamp"))
	require.Equal(t, payment.EffectUndone, b.effect(o.ID, deduct).State)
	b.stage(o.ID, restoreStock(b))
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, deduct, b.now()))
	require.EqualValues(t, 31, b.stock("bulb"), "once")
}

func TestStockThatWasTakenBeforeThatWasKeptIsForAPerson(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.setStock(payment.StockItem{SKU: "bulb", Quantity: 4})
	o := b.order("demo", nil)
	b.stage(o.ID, deductStock(b))
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, deduct, b.now()))
	b.exec("update effects set taken = null")
	b.stage(o.ID, restoreStock(b))
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, deduct, b.now()))
	require.EqualValues(t, 3, b.stock("bulb"))
	require.Equal(t, payment.EffectFailed, b.effect(o.ID, deduct).State)
}
