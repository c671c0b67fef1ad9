package store_test

import (
	"crypto/sha256"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paysvc/paysvc/internal/payment"
)

func TestKeysLiveUntilTheyAreRevoked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	hash := sha256.Sum256([]byte("paysk_1"))
	key := payment.APIKey{
		ID: "key_1", Hash: hash[:], Store: "demo", Kind: payment.SecretKey, Name: "shop",
		Scopes: []payment.Scope{payment.ScopeOrders, payment.ScopeRead}, CreatedAt: b.now(),
	}
	require.NoError(t, b.CreateKey(ctx, key, payment.ByCommandLine(b.now())))
	require.Equal(t, "key_exists", payment.CodeOf(b.CreateKey(ctx, key, payment.ByCommandLine(b.now()))))
	other := key
	other.Hash = []byte("other")
	require.Equal(t, "key_exists", payment.CodeOf(b.CreateKey(ctx, other, payment.ByCommandLine(b.now()))))
	got, err := b.KeyByHash(ctx, hash[:])
	require.NoError(t, err)
	require.Equal(t, key, got)

	require.Equal(t, payment.KindNotFound, payment.KindOf(b.RevokeKey(ctx, "other", key.ID, payment.ByCommandLine(b.now()))))
	revoked := b.tick(time.Hour)
	require.NoError(t, b.RevokeKey(ctx, "demo", key.ID, payment.ByCommandLine(revoked)))
	require.NoError(t, b.RevokeKey(ctx, "demo", key.ID, payment.ByCommandLine(b.tick(time.Hour))))
	_, err = b.KeyByHash(ctx, hash[:])
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	second := payment.APIKey{ID: "key_0", Hash: []byte("2"), Store: "demo", Kind: payment.PublishableKey, CreatedAt: b.now()}
	require.NoError(t, b.CreateKey(ctx, second, payment.ByCommandLine(b.now())))
	keys, err := b.ListKeys(ctx, "demo")
	require.NoError(t, err)
	key.RevokedAt = revoked
	require.Equal(t, []payment.APIKey{key, second}, keys)
	none, err := b.ListKeys(ctx, "other")
	require.NoError(t, err)
	require.Empty(t, none)
}

func TestStockIsSetReadListedAndDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	require.NoError(t, b.SetStock(ctx, "demo", []payment.StockItem{{SKU: "b", Quantity: 1}, {SKU: "a"}, {SKU: "ü/", Quantity: 3}}, b.now()))
	require.NoError(t, b.SetStock(ctx, "demo", []payment.StockItem{{SKU: "a", Quantity: 5}}, b.tick(time.Hour)))
	require.NoError(t, b.SetStock(ctx, "other", []payment.StockItem{{SKU: "a", Quantity: 9}}, b.now()))
	a, err := b.StockItem(ctx, "demo", "a")
	require.NoError(t, err)
	require.Equal(t, payment.StockItem{SKU: "a", Quantity: 5, UpdatedAt: b.now()}, a)
	var skus []string
	eachPage(t, 1, func(page payment.Page) (string, error) {
		list, next, err := b.ListStock(ctx, "demo", page)
		for _, item := range list {
			skus = append(skus, item.SKU)
		}
		return next, err
	})
	require.Equal(t, []string{"a", "b", "ü/"}, skus)
	require.NoError(t, b.DeleteStock(ctx, "demo", "b"))
	require.Equal(t, payment.KindNotFound, payment.KindOf(b.DeleteStock(ctx, "demo", "b")))
	_, err = b.StockItem(ctx, "demo", "b")
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
}

func TestStockAndCodesRefuseWhatCannotBe(t *testing.T) {
	t.Parallel()
	b := setup(t)
	minus := int64(-1)
	for name, err := range map[string]error{
		"negative":       b.SetStock(t.Context(), "demo", []payment.StockItem{{SKU: "a", Quantity: -1}}, b.now()),
		"twice":          b.SetStock(t.Context(), "demo", []payment.StockItem{{SKU: "a"}, {SKU: "a"}}, b.now()),
		"unnamed":        b.SetStock(t.Context(), "demo", []payment.StockItem{{}}, b.now()),
		"too many":       b.SetStock(t.Context(), "demo", make([]payment.StockItem, 1001), b.now()),
		"negative limit": b.SetPromotionCodes(t.Context(), "demo", []payment.PromotionCode{{Code: "a", UsageMax: &minus}}, b.now()),
		"negative count": b.SetPromotionCodes(t.Context(), "demo", []payment.PromotionCode{{Code: "a", Used: -1}}, b.now()),
		"code twice":     b.SetPromotionCodes(t.Context(), "demo", []payment.PromotionCode{{Code: "a"}, {Code: "a"}}, b.now()),
	} {
		require.Equal(t, payment.KindInvalid, payment.KindOf(err), name)
	}
	items := make([]payment.StockItem, 1000)
	for i := range items {
		items[i].SKU = name("sku", i)
	}
	require.NoError(t, b.SetStock(t.Context(), "demo", items, b.now()))
	require.Equal(t, 1000, value[int](b, "select count(*) from stock"))
}

func TestPromotionCodesKeepTheirCount(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	five, ten := int64(5), int64(10)
	require.NoError(t, b.SetPromotionCodes(ctx, "demo", []payment.PromotionCode{{Code: "S", Used: 3, UsageMax: &five}, {Code: "A"}}, b.now()))
	require.NoError(t, b.SetPromotionCodes(ctx, "demo", []payment.PromotionCode{{Code: "S", Used: 0, UsageMax: &ten}}, b.tick(time.Hour)))
	c, err := b.PromotionCode(ctx, "demo", "S")
	require.NoError(t, err)
	require.Equal(t, payment.PromotionCode{Code: "S", Used: 3, UsageMax: &ten, UpdatedAt: b.now()}, c)
	list, next, err := b.ListPromotionCodes(ctx, "demo", payment.Page{Limit: 1})
	require.NoError(t, err)
	require.Equal(t, "A", list[0].Code)
	require.Nil(t, list[0].UsageMax)
	list, next, err = b.ListPromotionCodes(ctx, "demo", payment.Page{Limit: 1, After: next})
	require.NoError(t, err)
	require.Equal(t, []payment.PromotionCode{c}, list)
	require.Empty(t, next)
	_, err = b.PromotionCode(ctx, "other", "S")
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	require.Equal(t, payment.KindNotFound, payment.KindOf(b.DeletePromotionCode(ctx, "other", "S")))
	require.NoError(t, b.DeletePromotionCode(ctx, "demo", "S"))
}

func TestBasketsLiveUntilTheyAreDeleted(t *testing.T) {
	t.Parallel()
	b := setup(t)
	ctx := t.Context()
	require.NoError(t, b.PutBasket(ctx, "demo", "b-1", []byte(`{"items": [1]}`), b.now()))
	require.NoError(t, b.PutBasket(ctx, "demo", "b-1", []byte(`{"items": [2]}`), b.tick(time.Hour)))
	got, err := b.Basket(ctx, "demo", "b-1")
	require.NoError(t, err)
	require.Equal(t, payment.Basket{ID: "b-1", Body: []byte(`{"items": [2]}`), UpdatedAt: b.now()}, got)
	_, err = b.Basket(ctx, "other", "b-1")
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	require.Equal(t, payment.KindNotFound, payment.KindOf(b.DeleteBasket(ctx, "other", "b-1", b.now())))
	require.NoError(t, b.DeleteBasket(ctx, "demo", "b-1", b.now()))
	_, err = b.Basket(ctx, "demo", "b-1")
	require.Equal(t, payment.KindNotFound, payment.KindOf(err))
	require.Equal(t, payment.KindNotFound, payment.KindOf(b.DeleteBasket(ctx, "demo", "b-1", b.now())))
	require.NoError(t, b.PutBasket(ctx, "demo", "b-1", []byte(`{}`), b.now()))
	_, err = b.Basket(ctx, "demo", "b-1")
	require.NoError(t, err, "a shop may use the id again")
}

func TestReapClaimsTakesOldOnesOnly(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 5 {
		o := &payment.Claim{Store: "demo", Operation: "pay", Key: strings.Repeat("k", i+1), Fingerprint: []byte("f"), At: b.now()}
		order := b.order("demo", nil)
		err := b.Stretch(t.Context(), payment.Opening{Order: order.ID, Claim: o, Token: b.ids.New()},
			func(*payment.Order) (payment.Closing, error) { return payment.Closing{}, nil })
		require.NoError(t, err)
		b.tick(time.Hour)
	}
	before := b.now().Add(-2 * time.Hour)
	n, err := b.ReapClaims(t.Context(), before, 2)
	require.NoError(t, err)
	require.Equal(t, 2, n)
	n, err = b.ReapClaims(t.Context(), before, 2)
	require.NoError(t, err)
	require.Equal(t, 1, n)
	n, err = b.ReapClaims(t.Context(), before, 2)
	require.NoError(t, err)
	require.Zero(t, n)
	require.Equal(t, 2, value[int](b, "select count(*) from idempotency_keys"))
}
