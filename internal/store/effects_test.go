package store_test

import (
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

const deduct = "deduct_stock"

// effect reads an effect of an order.
func (b *bundle) effect(id payment.OrderID, key string) *payment.Effect {
	b.t.Helper()
	o, err := b.ReadOrder(b.t.Context(), "", id)
	require.NoError(b.t, err)
	require.Contains(b.t, o.Effects, key)
	return o.Effects[key]
}

func (b *bundle) stock(sku string) int64 {
	b.t.Helper()
	item, err := b.StockItem(b.t.Context(), "demo", sku)
	require.NoError(b.t, err)
	return item.Quantity
}

func (b *bundle) setStock(items ...payment.StockItem) {
	b.t.Helper()
	require.NoError(b.t, b.SetStock(b.t.Context(), "demo", items, b.now()))
}

func deductStock(b *bundle) func(o *payment.Order) {
	return func(o *payment.Order) { o.Do(payment.DeductStock, "", b.now()) }
}

func TestApplyEffectDeductsStockOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.setStock(payment.StockItem{SKU: "lamp", Quantity: 5}) // the bulb is not tracked
	o := b.order("demo", func(o *payment.Order) { o.Lines = append(o.Lines, o.Lines[0]) })
	b.stage(o.ID, deductStock(b))
	together(6, func(int) {
		if err := b.ApplyEffect(t.Context(), o.ID, deduct, b.now()); err != nil {
			t.Error(err)
		}
	})
	require.EqualValues(t, 1, b.stock("lamp"), "two lines of two lamps")
	e := b.effect(o.ID, deduct)
	require.Equal(t, payment.EffectDone, e.State)
	require.Zero(t, e.DueAt)
	b.stage(o.ID, deductStock(b))
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, deduct, b.now()))
	require.EqualValues(t, 1, b.stock("lamp"))
	require.Equal(t, payment.KindNotFound, payment.KindOf(b.ApplyEffect(t.Context(), o.ID, "none", b.now())))
}

func TestApplyEffectOutOfStockOpensACaseAndLeavesTheMoney(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.setStock(payment.StockItem{SKU: "lamp", Quantity: 1}, payment.StockItem{SKU: "bulb", Quantity: 4})
	require.NoError(t, b.SetStock(t.Context(), "other", []payment.StockItem{{SKU: "lamp", Quantity: 9}}, b.now()))
	o := b.order("demo", nil)
	b.pay(o.ID, "card", payment.Approved)
	b.stage(o.ID, deductStock(b))
	at := b.tick(time.Minute)
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, deduct, at))

	require.EqualValues(t, 1, b.stock("lamp"), "what is short is left alone")
	require.EqualValues(t, 3, b.stock("bulb"))
	got, err := b.ReadOrder(t.Context(), "demo", o.ID)
	require.NoError(t, err)
	require.Equal(t, payment.StatusPaid, got.PaymentStatus())
	require.Equal(t, payment.CaseOutOfStock, got.Review)
	require.Equal(t, at, got.UpdatedAt)
	require.Equal(t, payment.EffectDone, got.Effects[deduct].State)
	cases, _, err := b.ListCases(t.Context(), "demo", "open", "", payment.Page{})
	require.NoError(t, err)
	require.Len(t, cases, 1)
	require.NotZero(t, cases[0].ID)
	cases[0].ID = payment.CaseID{}
	require.Equal(t, payment.Case{
		Store: "demo", Order: o.ID, Kind: payment.CaseOutOfStock, Subject: deduct, State: "open", OpenedAt: at,
		Detail: "The order has articles that are not in stock.", Number: o.Number, Currency: o.Currency,
	}, cases[0])
	notes, _, err := b.ListNotes(t.Context(), "demo", o.ID, payment.Page{})
	require.NoError(t, err)
	require.Equal(t, "A case is open (out_of_stock): The order has articles that are not in stock.", notes[0].Text)
	require.Equal(t, "deduct_stock: out of stock: lamp (2 ordered, 1 left)", notes[1].Text)
	b.pay(o.ID, "card", payment.Approved) // the numbers of the order still fit
}

func TestApplyEffectKeepsTheFirstReasonForReview(t *testing.T) {
	t.Parallel()
	b := setup(t)
	lines := make([]payment.Line, 30)
	var items []payment.StockItem
	for i := range lines {
		lines[i] = payment.Line{SKU: name("s", i), Quantity: 1, UnitPrice: money("1", "EUR"), Total: money("1", "EUR")}
		items = append(items, payment.StockItem{SKU: lines[i].SKU})
	}
	b.setStock(items...)
	o := b.order("demo", func(o *payment.Order) { o.Lines = lines })
	b.stage(o.ID, func(o *payment.Order) {
		o.OpenCase(payment.Case{Kind: payment.CaseSurplus, OpenedAt: b.now()})
		deductStock(b)(o)
	})
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, deduct, b.tick(time.Second)))
	got, err := b.ReadOrder(t.Context(), "demo", o.ID)
	require.NoError(t, err)
	require.Equal(t, payment.CaseSurplus, got.Review)
	require.True(t, strings.HasSuffix(got.Effects[deduct].Note, ", s-00019 (1 ordered, 0 left), and 10 more"), got.Effects[deduct].Note)
}

// Orders that share articles in opposite order neither dead-lock nor sell more
// than there is.
func TestApplyEffectNeverSellsMoreThanThereIs(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const orders, lamps = 20, 24
	b.setStock(payment.StockItem{SKU: "lamp", Quantity: lamps}, payment.StockItem{SKU: "bulb", Quantity: 1000})
	ids := make([]payment.OrderID, orders)
	for i := range ids {
		o := b.order("demo", func(o *payment.Order) {
			if i%2 == 0 {
				o.Lines[0], o.Lines[1] = o.Lines[1], o.Lines[0]
			}
		})
		b.stage(o.ID, deductStock(b))
		ids[i] = o.ID
	}
	together(orders, func(i int) {
		if err := b.ApplyEffect(t.Context(), ids[i], deduct, b.now()); err != nil {
			t.Error(err)
		}
	})
	require.Zero(t, b.stock("lamp"))
	require.EqualValues(t, 1000-orders, b.stock("bulb"))
	require.Equal(t, orders-lamps/2, value[int](b, "select count(*) from cases where kind = 'out_of_stock'"))
}

func TestApplyEffectCountsPromotionCodes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	const key = "track_promotion_code:SUMMER"
	limit := int64(1)
	require.NoError(t, b.SetPromotionCodes(t.Context(), "demo", []payment.PromotionCode{{Code: "SUMMER", UsageMax: &limit}}, b.now()))
	used := func() int64 {
		c, err := b.PromotionCode(t.Context(), "demo", "SUMMER")
		require.NoError(t, err)
		return c.Used
	}
	track := func(o *payment.Order) { o.Do(payment.TrackPromotionCode, "SUMMER", b.now()) }
	first, second := b.order("demo", nil), b.order("demo", nil)
	for range 2 {
		b.stage(first.ID, track)
		require.NoError(t, b.ApplyEffect(t.Context(), first.ID, key, b.now()))
	}
	require.EqualValues(t, 1, used())
	require.Empty(t, b.effect(first.ID, key).Note)

	b.stage(second.ID, track)
	require.NoError(t, b.ApplyEffect(t.Context(), second.ID, key, b.now()))
	require.EqualValues(t, 2, used(), "the price was promised")
	require.Contains(t, b.effect(second.ID, key).Note, "more often than it allows")
	require.Zero(t, value[int](b, "select count(*) from cases"))
	require.Equal(t, 1, value[int](b, "select count(*) from notes"))

	b.stage(second.ID, func(o *payment.Order) { o.Undo(payment.TrackPromotionCode, "SUMMER", b.now()) })
	for range 2 {
		require.NoError(t, b.ApplyEffect(t.Context(), second.ID, key, b.now()))
	}
	require.EqualValues(t, 1, used())
	require.Equal(t, payment.EffectUndone, b.effect(second.ID, key).State)

	unknown := b.order("demo", nil)
	b.stage(unknown.ID, func(o *payment.Order) { o.Do(payment.TrackPromotionCode, "NEW", b.now()) })
	require.NoError(t, b.ApplyEffect(t.Context(), unknown.ID, "track_promotion_code:NEW", b.now()))
	c, err := b.PromotionCode(t.Context(), "demo", "NEW")
	require.NoError(t, err)
	require.EqualValues(t, 1, c.Used, "a code that nobody loaded is counted, too")
}

func TestApplyEffectDeletesTheBasket(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, b.PutBasket(t.Context(), "demo", "b-1", []byte("{}"), b.now()))
	require.NoError(t, b.PutBasket(t.Context(), "other", "b-1", []byte("{}"), b.now()))
	o := b.order("demo", nil)
	b.stage(o.ID, func(o *payment.Order) {
		o.Do(payment.DeleteBasket, "b-1", b.now())
		o.Do(payment.DeleteBasket, "never kept here", b.now())
	})
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, "delete_basket:b-1", b.now()))
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, "delete_basket:never kept here", b.now()))
	_, err := b.Basket(t.Context(), "demo", "b-1")
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	_, err = b.Basket(t.Context(), "other", "b-1")
	require.NoError(t, err)
	require.Equal(t, payment.EffectDone, b.effect(o.ID, "delete_basket:never kept here").State)
}

func TestApplyEffectGivesUpWhatCannotBeUndone(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	const basket = "delete_basket:b-1"
	b.stage(o.ID, func(o *payment.Order) { o.Do(payment.DeleteBasket, "b-1", b.now()) })
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, basket, b.now()))
	b.stage(o.ID, func(o *payment.Order) { o.Undo(payment.DeleteBasket, "b-1", b.now()) })
	require.NoError(t, b.ApplyEffect(t.Context(), o.ID, basket, b.now()))
	require.Equal(t, payment.EffectFailed, b.effect(o.ID, basket).State)
	require.Equal(t, 1, value[int](b, "select count(*) from cases where kind = 'failed_effect'"))
}

func TestEffectIsCarriedOutByOneWorker(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.stage(o.ID, func(o *payment.Order) { o.Do(payment.SendOrderMail, "", b.now()) })
	const key = "send_order_mail"
	now, until := b.now(), b.now().Add(time.Minute)
	var mu sync.Mutex
	claims := 0
	together(8, func(int) {
		due, err := b.DueEffects(t.Context(), now, until, 10)
		if err != nil {
			t.Error(err)
		}
		mu.Lock()
		claims += len(due)
		mu.Unlock()
	})
	require.Equal(t, 1, claims)
	require.Equal(t, 1, b.effect(o.ID, key).Tries)
	require.Error(t, b.ApplyEffect(t.Context(), o.ID, key, now), "a mail is not sent inside a transaction")

	due, err := b.DueEffects(t.Context(), until, until.Add(time.Minute), 10)
	require.NoError(t, err)
	require.Equal(t, []payment.DueEffect{{Store: "demo", Order: o.ID, Key: key, Kind: payment.SendOrderMail}}, due, "a lease ends")
	require.NoError(t, b.FinishEffect(t.Context(), o.ID, key, until, "", time.Time{}))
	require.Equal(t, payment.EffectDone, b.effect(o.ID, key).State)
	require.NoError(t, b.FinishEffect(t.Context(), o.ID, key, until, "late failure of the first worker", until))
	require.Equal(t, payment.EffectDone, b.effect(o.ID, key).State)
	require.Zero(t, b.effect(o.ID, key).DueAt)
}

func TestEffectThatKeepsFailingIsGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	o := b.order("demo", nil)
	b.stage(o.ID, func(o *payment.Order) { o.Do(payment.SendOrderMail, "", b.now()) })
	const key = "send_order_mail"
	tries := 0
	for ; tries < 20; tries++ {
		now := b.tick(time.Hour)
		due, err := b.DueEffects(t.Context(), now, now.Add(time.Minute), 10)
		require.NoError(t, err)
		if len(due) == 0 {
			break
		}
		require.Zero(t, value[int](b, "select count(*) from cases"))
		require.NoError(t, b.FinishEffect(t.Context(), o.ID, key, now, "no answer", now.Add(time.Hour)))
	}
	require.Equal(t, 10, tries)
	e := b.effect(o.ID, key)
	require.Equal(t, payment.EffectFailed, e.State)
	require.Equal(t, "no answer", e.Note)
	require.Equal(t, 1, value[int](b, "select count(*) from cases where kind = 'failed_effect' and subject = $1", key))
	got, err := b.ReadOrder(t.Context(), "demo", o.ID)
	require.NoError(t, err)
	require.Equal(t, payment.CaseFailedEffect, got.Review)
}
