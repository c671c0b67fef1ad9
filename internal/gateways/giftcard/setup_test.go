package giftcard_test

import (
	"bytes"
	"context"
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/paysvc/paysvc/internal/gateways"
	"github.com/paysvc/paysvc/internal/gateways/giftcard"
	"github.com/paysvc/paysvc/internal/payment"
	"github.com/paysvc/paysvc/internal/postgres/pgtest"
	"github.com/paysvc/paysvc/internal/store"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("database/sql.(*DB).connectionOpener"))
}

// bundle is a gateway in front of the real tables, in a database of its own.
type bundle struct {
	*giftcard.Gateway
	t     *testing.T
	store *store.Store
	ids   *payment.IDs
	now   time.Time
}

func setup(t *testing.T) *bundle {
	t.Helper()
	b := &bundle{t: t, now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)}
	b.ids = payment.NewIDs(func() time.Time { return b.now }, rand.NewChaCha8([32]byte{1}))
	key, err := payment.NewGiftCardKey(bytes.Repeat([]byte{1}, 32))
	require.NoError(t, err)
	b.store, err = store.Open(t.Context(), pgtest.Database(t), store.Options{
		NewID: b.ids.New, AcquireMax: 50 * time.Millisecond, GiftCardKey: key,
	})
	require.NoError(t, err)
	t.Cleanup(b.store.Close)
	b.Gateway = b.open(func() gateways.GiftCards { return b.store })
	return b
}

func (b *bundle) open(cards func() gateways.GiftCards) *giftcard.Gateway {
	return giftcard.New(gateways.Deps{
		Account: "cards", Mode: payment.ModeTest, Now: func() time.Time { return b.now }, Log: zerolog.Nop(), GiftCards: cards,
	})
}

func eur(amount string) payment.Money { return money(amount, "EUR") }

func money(amount, code string) payment.Money {
	c, err := payment.ParseCurrency(code)
	if err != nil {
		panic(err)
	}
	m, err := payment.ParseMoney(amount, c)
	if err != nil {
		panic(err)
	}
	return m
}

// issue issues a card of a store and returns its id and code.
func (b *bundle) issue(storeName string, amount payment.Money) (payment.GiftCardID, payment.GiftCardCode) {
	b.t.Helper()
	code := b.ids.GiftCardCode()
	c := payment.GiftCard{
		ID: payment.GiftCardID(b.ids.New()), Store: storeName, Last4: code.Last4(),
		Initial: amount, Balance: amount, Active: true, CreatedAt: b.now, UpdatedAt: b.now,
	}
	claim := &payment.Claim{Store: storeName, Operation: "issue", Key: c.ID.String(), Fingerprint: []byte("f"), At: b.now}
	require.NoError(b.t, b.store.IssueGiftCard(b.t.Context(), c, code, claim, payment.Reply{Status: 201}, payment.ByActor("key_1", b.now)))
	return c.ID, code
}

// order returns an order of store demo that has announced a payment by gift card,
// and the request for it.
func (b *bundle) order(code string, amount payment.Money) (*payment.Order, payment.PayRequest) {
	zero := payment.Zero(amount.Currency())
	o := &payment.Order{
		ID: payment.OrderID(b.ids.New()), Store: "demo",
		Details:  payment.Details{Number: "1", Currency: amount.Currency(), Total: amount, Shipping: zero, Discount: zero, Tax: zero},
		Progress: payment.Progress{Status: payment.OrderPending}, Saved: payment.Progress{Status: payment.OrderPending},
	}
	p := o.OpenPayment("gift-card", giftcard.Name, "cards", payment.ModeTest, amount, b.now)
	reference := b.ids.Reference()
	o.Announce(p, payment.AuthorizeAndCapture, reference, amount, b.now, b.now)
	data, err := json.Marshal(map[string]string{"code": code})
	require.NoError(b.t, err)
	return o, payment.PayRequest{
		Reference: reference, Capture: true, Amount: amount, Method: "gift-card", Order: o, Data: data,
	}
}

// refund asks for a part of a payment back.
func (b *bundle) refund(o *payment.Order, amount string) payment.OperationRequest {
	return payment.OperationRequest{
		Type: payment.Refund, Reference: b.ids.Reference(), Amount: eur(amount), Method: "gift-card", Order: o, Payment: o.Payments[0],
	}
}

func (b *bundle) balance(id payment.GiftCardID) string {
	b.t.Helper()
	c, _, err := b.store.GiftCard(b.t.Context(), "demo", id)
	require.NoError(b.t, err)
	return c.Balance.String()
}

func inquiry(kind payment.Type, reference string) payment.Inquiry {
	return payment.Inquiry{Reference: reference, Type: kind}
}

// broken are cards that do as told and then fail: with the error, after the real
// ones moved the money, or instead of that.
type broken struct {
	gateways.GiftCards
	moves bool
	err   error
}

func (c broken) TakeFromGiftCard(ctx context.Context, t payment.GiftCardTaking) (payment.GiftCardEntry, error) {
	if c.moves {
		_, _ = c.GiftCards.TakeFromGiftCard(ctx, t)
	}
	return payment.GiftCardEntry{}, c.err
}

func (c broken) ReturnToGiftCard(ctx context.Context, r payment.GiftCardReturning) (payment.GiftCardEntry, error) {
	if c.moves {
		_, _ = c.GiftCards.ReturnToGiftCard(ctx, r)
	}
	return payment.GiftCardEntry{}, c.err
}

func (c broken) GiftCardEntry(context.Context, payment.GiftCardKind, string) (payment.GiftCardEntry, error) {
	return payment.GiftCardEntry{}, c.err
}
